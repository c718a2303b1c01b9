import assert from "node:assert/strict";
import { test } from "node:test";

import { GraphEngine } from "../src/engine/engine.js";
import { describeScene, type BoxDescription } from "../src/scene/describe.js";
import { readGraph } from "../src/scene/graph.js";
import { buildHierarchy, type Hierarchy } from "../src/scene/hierarchy.js";
import { SceneBuilder } from "../src/scene/scene.js";
import { BoxFlag, EdgeFlag, type Scene } from "../src/scene/types.js";
import { assertSound } from "./checks.js";
import { randomGraph, randomNumbers } from "./random.js";

const NETWORK = buildHierarchy(
  readGraph({
    node: [
      { name: "x", op: "Placeholder" },
      { name: "dense/weights", op: "VariableV2" },
      { name: "dense/bias", op: "VariableV2" },
      { name: "dense/matmul", op: "MatMul", input: ["x", "dense/weights"] },
      { name: "dense/add", op: "Add", input: ["dense/matmul", "dense/bias"] },
      { name: "loss", op: "Mean", input: ["dense/add", "^dense/matmul"] },
      {
        name: "train/gradient",
        op: "Sub",
        input: ["loss", "dense/add:0", "dense/weights"],
        role: 1,
      },
      { name: "train/step", op: "NoOp", input: ["^train/gradient"], role: 1 },
    ],
  }),
);

/** The scene with the scopes of these names open. */
function sceneOf(hierarchy: Hierarchy, ...names: string[]): Scene {
  return new SceneBuilder(hierarchy, 1.5).build(namedItems(hierarchy, names));
}

function namedItems({ names, operations }: Hierarchy, wanted: readonly string[]): number[] {
  return wanted.map((name) => names.indexOf(name, operations));
}

function boxOf(scene: Scene, name: string): number {
  const box = scene.names.indexOf(name);
  assert.ok(box >= 0, `${name} is not in the scene`);
  return box;
}

function edgesOf(scene: Scene): string[] {
  return Array.from(scene.edgeSource, (source, edge) => {
    const ends = `${scene.names[source]} -> ${scene.names[scene.edgeTarget[edge]]}`;
    const isControl = scene.edgeFlag[edge] & EdgeFlag.control;
    const quiet = scene.edgeFlag[edge] & EdgeFlag.quiet ? ", quiet" : "";
    return `${ends} (${isControl ? "control" : scene.edgeTensors[edge]}${quiet})`;
  }).sort();
}

test("closed scopes hide their operations and gather their edges", () => {
  const scene = sceneOf(NETWORK);
  assert.deepEqual(
    scene.names.map((name, box) => [name, scene.types[box], scene.operations[box]]),
    [
      ["x", "Placeholder", 1],
      ["dense", "", 4],
      ["loss", "Mean", 1],
      ["train", "", 2],
    ],
  );
  assert.deepEqual(edgesOf(scene), [
    "dense -> loss (1)",
    "dense -> train (2, quiet)",
    "loss -> train (1, quiet)",
    "x -> dense (1)",
  ]);
  assert.ok(scene.flag[boxOf(scene, "train")] & BoxFlag.aside);
  assertSound(NETWORK, scene);
});

test("an open scope shows its operations, and edges lead to them", () => {
  const scene = sceneOf(NETWORK, "dense");
  assert.deepEqual(edgesOf(scene), [
    "dense/add -> loss (1)",
    "dense/add -> train (1, quiet)",
    "dense/bias -> dense/add (1)",
    "dense/matmul -> dense/add (1)",
    "dense/matmul -> loss (control)",
    "dense/weights -> dense/matmul (1)",
    "dense/weights -> train (1, quiet)",
    "loss -> train (1, quiet)",
    "x -> dense/matmul (1)",
  ]);
  assert.equal(scene.labels[boxOf(scene, "dense/add")], "add");
  assert.ok(scene.flag[boxOf(scene, "dense")] & BoxFlag.open);
  assertSound(NETWORK, scene);
});

test("items that are no groups, or stand in a closed one, open nothing", () => {
  const closed = sceneOf(NETWORK);
  const builder = new SceneBuilder(NETWORK, 1.5);
  assert.deepEqual(builder.build([0, 5, 100_000]), closed);
  const names = ["a/b/c", "a/b/d", "a/e"];
  const hierarchy = buildHierarchy(
    readGraph({ node: names.map((name) => ({ name, op: "NoOp" })) }),
  );
  assert.deepEqual(sceneOf(hierarchy, "a/b").names, ["a"]);
  assert.deepEqual(sceneOf(hierarchy, "a").names, ["a", "a/b", "a/e"]);
  assert.deepEqual(sceneOf(hierarchy, "a/b", "a").names, ["a", "a/b", "a/b/c", "a/b/d", "a/e"]);
});

test("a description says what a scene shows", () => {
  const { boxes, edges, width } = describeScene(sceneOf(NETWORK, "dense"));
  const weights = boxes.find(({ name }) => name === "dense/weights");
  const { x, y, ...rest } = weights as BoxDescription;
  assert.ok(x > 0 && x < width && y > 0);
  assert.deepEqual(rest, {
    item: 1,
    name: "dense/weights",
    label: "weights",
    kind: "operation",
    type: "VariableV2",
    role: "forward",
    status: "same",
    open: false,
    aside: false,
    operations: 1,
    repeats: 1,
    parent: "dense",
    width: 71,
    height: 28,
  });
  assert.deepEqual(
    edges.find(({ source, quiet }) => source === "dense/weights" && !quiet),
    {
      source: "dense/weights",
      target: "dense/matmul",
      tensors: 1,
      shape: "",
      status: "same",
      control: false,
      back: false,
      quiet: false,
    },
  );
  const train = boxes.find(({ name }) => name === "train");
  assert.deepEqual([train?.kind, train?.role, train?.aside], ["scope", "backward", true]);
});

test("a scope's inside looks the same whatever else is open", () => {
  const inside = (...open: string[]) => {
    const scene = sceneOf(NETWORK, ...open);
    const scope = boxOf(scene, "dense");
    return scene.names.flatMap((name, box) =>
      scene.parent[box] === scope
        ? [
            [
              name,
              Math.round(scene.x[box] - scene.x[scope]),
              Math.round(scene.y[box] - scene.y[scope]),
            ],
          ]
        : [],
    );
  };
  assert.equal(inside("dense").length, 4);
  assert.deepEqual(inside("dense"), inside("dense", "train"));
});

test("opening and closing again gives the same picture", () => {
  const hierarchy = buildHierarchy(randomGraph({ count: 400, seed: 3, aside: 0.1 }));
  const builder = new SceneBuilder(hierarchy, 1.5);
  const closed = builder.build([]);
  const all = Array.from({ length: hierarchy.count }, (_, item) => item);
  assert.ok(builder.build(all).item.length > closed.item.length);
  assert.deepEqual(builder.build([]), closed);
  assert.deepEqual(builder.build(all), new SceneBuilder(hierarchy, 1.5).build(all));
});

test("two scopes that need each other are drawn, with one edge upwards", () => {
  const hierarchy = buildHierarchy(
    readGraph({
      node: [
        { name: "a/first", op: "NoOp" },
        { name: "b/second", op: "NoOp", input: ["a/first"] },
        { name: "a/third", op: "NoOp", input: ["b/second"] },
      ],
    }),
  );
  const closed = sceneOf(hierarchy);
  const back = Array.from(closed.edgeFlag, (flag) => (flag & EdgeFlag.back) !== 0);
  assert.deepEqual(back, [false, true]);
  for (const open of [[], ["a"], ["b"], ["a", "b"]]) {
    assertSound(hierarchy, sceneOf(hierarchy, ...open));
  }
});

test("the empty graph is an empty scene", async () => {
  const engine = new GraphEngine();
  const { open, items } = await engine.load(readGraph({}), { aspect: 1 });
  assert.deepEqual([open.length, items], [0, 0]);
  const scene = await engine.scene(open);
  assert.deepEqual([scene.width, scene.height, scene.item.length], [0, 0, 0]);
  assert.deepEqual(await engine.search("a", 10), []);
  assert.deepEqual(await engine.children(-1), []);
  assert.match(await engine.svg(open, "dark"), /^<svg/);
});

test("one operation is one box", () => {
  const hierarchy = buildHierarchy(readGraph({ node: [{ name: "x", op: "NoOp", input: ["x"] }] }));
  const scene = sceneOf(hierarchy);
  assert.deepEqual(scene.names, ["x"]);
  assert.equal(scene.edgeSource.length, 0, "an operation's edge to itself is not drawn");
  assertSound(hierarchy, scene);
});

for (const [count, seed, cycles, share, flat] of [
  [40, 11, 0, 1, 0],
  [200, 12, 0, 0.5, 0],
  [200, 13, 20, 0.5, 0],
  [1500, 14, 0, 0.3, 0],
  [1500, 15, 100, 1, 0],
  [1500, 16, 0, 0.7, 1],
  [1500, 17, 200, 1, 1],
]) {
  test(`random ${flat ? "flat " : ""}graph of ${count}, ${share * 100} % open, ${cycles} cycles: sound`, () => {
    const graph = randomGraph({ count, seed, cycles, aside: 0.2, flat: flat === 1 });
    const hierarchy = buildHierarchy(graph);
    const random = randomNumbers(seed);
    const groups = Array.from({ length: hierarchy.count - count }, (_, index) => count + index);
    const open = groups.filter(() => random() < share);
    const scene = new SceneBuilder(hierarchy, 1.5).build(open);
    assertSound(hierarchy, scene);
    assert.deepEqual(new SceneBuilder(hierarchy, 1.5).build(open.toReversed()), scene);
    if (share === 1) assert.equal(scene.types.filter((type) => type !== "").length, count);
  });
}

test("scopes 2,000 deep need no call stack", () => {
  const node: { name: string; op: string; input: string[] }[] = [];
  let scope = "";
  for (let depth = 0; depth < 2000; depth++) {
    const name = `${scope}op`;
    node.push({ name, op: "NoOp", input: depth === 0 ? [] : [node[depth - 1].name] });
    scope = `${scope}s/`;
  }
  node.push({ name: "end", op: "NoOp", input: [node[1999].name] });
  const hierarchy = buildHierarchy(readGraph({ node }));
  const all = Array.from({ length: hierarchy.count }, (_, item) => item);
  const scene = new SceneBuilder(hierarchy, 1.5).build(all);
  assert.equal(scene.item.length, 2001 + 1998, "the innermost scope has a single operation");
  assertSound(hierarchy, scene);
  assert.equal(new SceneBuilder(hierarchy, 1.5).build([]).item.length, 3);
});
