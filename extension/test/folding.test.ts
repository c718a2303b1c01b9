import assert from "node:assert/strict";
import { test } from "node:test";

import { findFirstOpen } from "../src/scene/first.js";
import { makeGraph } from "../src/scene/graph.js";
import { buildHierarchy, ROOT, type Hierarchy } from "../src/scene/hierarchy.js";
import { labelOfMany } from "../src/scene/labels.js";
import { findRuns } from "../src/scene/runs.js";
import { cutBySize, cutWhereNarrow } from "../src/scene/segments.js";
import { SceneBuilder } from "../src/scene/scene.js";
import { BoxFlag, Kind, Role, Status, type Graph } from "../src/scene/types.js";
import { assertSound } from "./checks.js";
import { cells, flat, perceptron, residual, transformer } from "./networks.js";
import { randomGraph } from "./random.js";

const childrenOf = ({ childStart, children }: Hierarchy, scope: number): number[] => [
  ...children.subarray(childStart[scope + 1], childStart[scope + 2]),
];

/** The top level, or a scope's, as text: "name", "name x24" for series, "(name)" beside the flow. */
function level(hierarchy: Hierarchy, scope: number = ROOT): string[] {
  return childrenOf(hierarchy, scope).map((item) => {
    const { labels, repeats, aside } = hierarchy;
    const label = labels[item] + (repeats[item] > 1 ? ` x${repeats[item]}` : "");
    return aside[item] ? `(${label})` : label;
  });
}

const itemNamed = (hierarchy: Hierarchy, name: string): number => {
  const item = hierarchy.names.indexOf(name, hierarchy.operations);
  assert.ok(item >= 0, `there is no ${name}`);
  return item;
};

test("equal layers become a series, which holds them", () => {
  const hierarchy = buildHierarchy(perceptron(5));
  assert.deepEqual(level(hierarchy), [
    "x",
    "hidden_1..5 x5",
    "output",
    "labels",
    "loss",
    "(gradients)",
    "(train)",
    "(init)",
  ]);
  const series = itemNamed(hierarchy, "hidden_1..5");
  assert.equal(hierarchy.kind[series], Kind.series);
  assert.deepEqual(
    level(hierarchy, series),
    [1, 2, 3, 4, 5].map((layer) => `hidden_${layer}`),
  );
});

test("two equal layers are no series", () => {
  assert.deepEqual(level(buildHierarchy(perceptron(2))).slice(0, 4), [
    "x",
    "hidden_1",
    "hidden_2",
    "output",
  ]);
});

test("a layer of another kind ends a series", () => {
  const names = [1, 2, 3, 4, 5, 6, 7].map((layer) => `layer_${layer}`);
  const parts = names.flatMap((name) => [`${name}/mul`, `${name}/act`]);
  const graph = makeGraph({
    names: parts,
    types: parts.map((name) =>
      name.endsWith("mul") ? "MatMul" : name === "layer_4/act" ? "Tanh" : "Relu",
    ),
    edges: parts.slice(1).map((_, index) => ({ source: index, target: index + 1 })),
  });
  assert.deepEqual(level(buildHierarchy(graph)), ["layer_1..3 x3", "layer_4", "layer_5..7 x3"]);
});

test("a transformer shows its layers as one", () => {
  const hierarchy = buildHierarchy(transformer(24));
  assert.deepEqual(level(hierarchy, itemNamed(hierarchy, "encoder")), ["layer_0..23 x24"]);
  assert.deepEqual(level(hierarchy).slice(-3), ["(gradients)", "(train)", "(init)"]);
});

test("series inside series", () => {
  const graph = makeGraph({
    names: Array.from(
      { length: 60 },
      (_, k) => `block_${Math.floor(k / 12)}/unit_${Math.floor((k % 12) / 3)}/op_${k % 3}`,
    ),
    types: Array.from({ length: 60 }, (_, k) => ["MatMul", "Add", "Relu"][k % 3]),
    edges: Array.from({ length: 59 }, (_, k) => ({ source: k, target: k + 1 })),
  });
  const hierarchy = buildHierarchy(graph);
  assert.deepEqual(level(hierarchy), ["block_0..4 x5"]);
  assert.deepEqual(level(hierarchy, itemNamed(hierarchy, "block_3")), ["unit_0..3 x4"]);
});

test("operations without scopes fold by their wiring", () => {
  const hierarchy = buildHierarchy(flat(300));
  const series = childrenOf(hierarchy, ROOT).filter((item) => hierarchy.kind[item] === Kind.series);
  assert.ok(series.some((item) => hierarchy.size[item] > 1700 && hierarchy.repeats[item] > 90));
  assert.ok(level(hierarchy).includes("(learning_phase)"), "what all layers ask for is set aside");
});

const NETWORKS: [string, () => Graph][] = [
  ["transformer", () => transformer(24)],
  ["ResNet152", () => residual([3, 8, 36, 3])],
  ["NASNet", () => cells(18)],
  ["flat, 9,000 operations", () => flat(600)],
  ["random and flat, 5,000", () => randomGraph({ count: 5000, seed: 1, flat: true, aside: 0.2 })],
  ["random and flat, nothing but links", () => randomGraph({ count: 3000, seed: 2, flat: true })],
];
for (const [name, make] of NETWORKS) {
  test(`${name}: every level is short, the first view is readable, nothing is lost`, () => {
    const graph = make();
    const hierarchy = buildHierarchy(graph);
    for (let scope = ROOT; scope < hierarchy.count; scope++) {
      const members = childrenOf(hierarchy, scope);
      assert.ok(members.length <= 120, `${members.length} boxes in ${hierarchy.names[scope]}`);

      if (scope >= hierarchy.operations) assert.ok(members.length > 0);
    }
    const seen = new Set(hierarchy.operationsInOrder);
    assert.equal(seen.size, graph.names.length);
    const open = findFirstOpen(hierarchy);
    const scene = new SceneBuilder(hierarchy, 1.6).build(open);
    assertSound(hierarchy, scene);
    assert.ok(scene.item.length <= 120, `${scene.item.length} boxes`);
    const shape = scene.width / scene.height;
    assert.ok(shape > 0.3 && shape < 6, `${scene.width} x ${scene.height}`);
    const groups = hierarchy.names.slice(hierarchy.operations);
    assert.equal(new Set(groups).size, groups.length, "groups have names of their own");
  });
}

test("gradients, updates and initialisation stand beside the flow and are closed at first", () => {
  const hierarchy = buildHierarchy(residual([3, 4]));
  const scene = new SceneBuilder(hierarchy, 1.6).build(findFirstOpen(hierarchy));
  scene.item.forEach((_, box) => {
    const beside = (scene.flag[box] & BoxFlag.aside) !== 0;
    const parent = scene.parent[box];
    if (parent < 0) assert.equal(beside, scene.role[box] !== Role.forward, scene.names[box]);
    if (beside) assert.ok(!(scene.flag[box] & BoxFlag.open));
  });
});

test("many of one role beside each other become one box", () => {
  const names = ["x", "y", ...Array.from({ length: 40 }, (_, k) => `grad_${k}`)];
  const graph = makeGraph({
    names,
    types: names.map(() => "Identity"),
    roles: names.map((name) => (name.startsWith("grad") ? Role.backward : Role.forward)),
    edges: names.slice(1).map((_, index) => ({ source: index, target: index + 1 })),
  });
  const hierarchy = buildHierarchy(graph);
  assert.deepEqual(level(hierarchy), ["x", "y", "(gradients)"]);
  assert.equal(hierarchy.size[childrenOf(hierarchy, ROOT)[2]], 40);
});

test("statuses of scopes: what all in them are, or changed", () => {
  const graph = makeGraph({
    names: ["a/x", "a/y", "b/x", "b/y", "c/x", "c/y"],
    types: ["A", "B", "C", "D", "E", "F"],
    edges: [{ source: 0, target: 1, status: Status.removed }],
    statuses: [Status.removed, Status.removed, Status.same, Status.added, 0, 0],
  });
  const hierarchy = buildHierarchy(graph);
  const statusOf = (name: string) => hierarchy.status[itemNamed(hierarchy, name)];
  assert.deepEqual(["a", "b", "c"].map(statusOf), [Status.removed, Status.changed, Status.same]);
  const scene = new SceneBuilder(hierarchy, 1).build([itemNamed(hierarchy, "a")]);
  assert.deepEqual([...scene.edgeStatus], [Status.removed]);
  const differs = scene.names.filter((_, box) => scene.flag[box] & BoxFlag.differs);
  assert.deepEqual(differs, ["a", "a/x", "a/y", "b"]);
});

const LABELS: [string[], string][] = [
  [["block_1", "block_2", "block_3"], "block_1..3"],
  [["conv2d", "conv2d_1", "conv2d_2"], "conv2d..2"],
  [["unit_1/conv", "unit_2/conv"], "unit_1..2/conv"],
  [["a", "a"], "a"],
  [["query", "key", "value"], "query … value"],
  [["layer_9", "layer_10"], "layer_9..10"],
];
for (const [labels, expected] of LABELS) {
  test(`a label for ${labels.join(", ")}`, () => assert.equal(labelOfMany(labels), expected));
}

test("runs: the one that covers most is taken, whole, and cut where little crosses", () => {
  const options = { worthwhile: () => true, crossing: new Array<number>(30).fill(1) };
  const chain = (length: number) => ({
    start: Int32Array.from({ length: length + 1 }, (_, k) => Math.max(0, k - 1)),
    members: Int32Array.from({ length: length - 1 }, (_, k) => k),
  });
  const find = (text: string, crossing = options.crossing) =>
    findRuns(
      [...text].map((letter) => letter.charCodeAt(0)),
      chain(text.length),
      { ...options, crossing },
    );
  assert.deepEqual(find("xaaaay"), [{ start: 1, period: 1, repeats: 4 }]);
  assert.deepEqual(find("xabababy"), [{ start: 1, period: 2, repeats: 3 }]);
  assert.deepEqual(find("aabaabaab"), [{ start: 0, period: 3, repeats: 3 }]);
  assert.deepEqual(find("aaxbbbyccc"), [
    { start: 3, period: 1, repeats: 3 },
    { start: 7, period: 1, repeats: 3 },
  ]);
  assert.deepEqual(find("abcabd"), []);
  const narrowBefore = Array.from({ length: 7 }, (_, place) => (place % 2 === 0 ? 1 : 5));
  assert.deepEqual(find("abababa", narrowBefore), [{ start: 1, period: 2, repeats: 3 }]);
});

test("runs: equal looks with other wiring are no repetition", () => {
  // Six equal things: the first three in a chain, each of the others fed by the first.
  const start = [0, 0, 1, 2, 3, 4, 5];
  const members = [0, 1, 0, 0, 0];
  const inputs = { start: Int32Array.from(start), members: Int32Array.from(members) };
  const runs = findRuns([7, 7, 7, 7, 7, 7], inputs, {
    worthwhile: () => true,
    crossing: [1, 1, 1, 1, 1, 1],
  });
  assert.deepEqual(runs, [
    { start: 0, period: 1, repeats: 3 },
    { start: 3, period: 1, repeats: 3 },
  ]);
});

test("lines are cut at bottlenecks, or by size where there are none", () => {
  assert.deepEqual(cutWhereNarrow([1, 3, 3, 1, 3, 3, 1, 2, 0]), [0, 1, 4, 7]);
  const wide = new Array<number>(100).fill(2);
  wide[49] = 1;
  const starts = cutBySize(wide);
  assert.ok(starts.includes(50), "where it is narrow nearby");
  const sizes = starts.map((first, index) => (starts[index + 1] ?? 100) - first);
  assert.ok(Math.max(...sizes) <= 25 && Math.min(...sizes) >= 4, sizes.join(" "));
});
