import assert from "node:assert/strict";
import { test } from "node:test";

import { readGraph } from "../src/scene/graph.js";
import { buildHierarchy, ROOT, type Hierarchy } from "../src/scene/hierarchy.js";
import { buildScene, type Box, type Scene } from "../src/scene/scene.js";
import { assertDisjoint, assertInside, isClose } from "./checks.js";
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
      { name: "train/gradient", op: "Sub", input: ["loss", "dense/add:0", "dense/weights"] },
      { name: "train/step", op: "NoOp", input: ["^train/gradient"] },
    ],
  }),
);

function boxOf(scene: Scene, name: string): Box {
  const box = scene.boxes.find((one) => one.name === name);
  assert.ok(box, `${name} is not in the scene`);
  return box;
}

function edgesOf(hierarchy: Hierarchy, scene: Scene): string[] {
  return scene.edges.map(({ source, target, tensors, control }) => {
    const ends = `${hierarchy.names[source]} -> ${hierarchy.names[target]}`;
    return control ? `${ends} (control)` : `${ends} (${tensors})`;
  });
}

function assertSound(hierarchy: Hierarchy, scene: Scene): void {
  const byItem = new Map(scene.boxes.map((box) => [box.item, box]));
  const siblings = new Map<number, Box[]>();
  const picture = { x: 0, y: 0, width: scene.width, height: scene.height };
  for (const box of scene.boxes) {
    siblings.set(box.parent, [...(siblings.get(box.parent) ?? []), box]);
    assertInside(box, byItem.get(box.parent) ?? picture);
  }
  for (const boxes of siblings.values()) assertDisjoint(boxes);
  for (const { source, target, back, points } of scene.edges) {
    const [upper, lower] = [byItem.get(source), byItem.get(target)];
    assert.ok(upper && lower && !upper.open && !lower.open, "an edge ends at a closed box");
    assert.ok(isClose(points[0].y, upper.y + upper.height));
    assert.ok(isClose(points[points.length - 1].y, lower.y));
    if (!back) assert.ok(upper.y + upper.height < lower.y, "an edge runs upwards");
  }
  const drawn = scene.boxes.filter((box) => !box.open);
  const operations = drawn.reduce((sum, box) => sum + box.operations, 0);
  assert.equal(operations, hierarchy.graph.names.length, "every operation is seen once");
}

test("closed scopes hide their operations and gather their edges", () => {
  const scene = buildScene(NETWORK, new Set());
  assert.deepEqual(scene.boxes.map((box) => [box.name, box.type, box.operations]), [
    ["x", "Placeholder", 1],
    ["dense", null, 4],
    ["loss", "Mean", 1],
    ["train", null, 2],
  ]);
  assert.deepEqual(edgesOf(NETWORK, scene), [
    "x -> dense (1)",
    "dense -> loss (1)",
    "loss -> train (1)",
    "dense -> train (2)",
  ]);
  assertSound(NETWORK, scene);
});

test("an open scope shows its operations, and edges lead to them", () => {
  const scene = buildScene(NETWORK, new Set(["dense"]));
  assert.deepEqual(edgesOf(NETWORK, scene).sort(), [
    "dense/add -> loss (1)",
    "dense/add -> train (1)",
    "dense/bias -> dense/add (1)",
    "dense/matmul -> dense/add (1)",
    "dense/matmul -> loss (control)",
    "dense/weights -> dense/matmul (1)",
    "dense/weights -> train (1)",
    "loss -> train (1)",
    "x -> dense/matmul (1)",
  ]);
  assert.equal(boxOf(scene, "dense/add").label, "add");
  assert.equal(boxOf(scene, "dense").open, true);
  assertSound(NETWORK, scene);
});

test("names that are no scopes open nothing", () => {
  const scene = buildScene(NETWORK, new Set(["absent", "x", "loss"]));
  assert.deepEqual(scene, buildScene(NETWORK, new Set()));
});

test("a scope open inside a closed one stays unseen until that opens", () => {
  const graph = readGraph({ node: [{ name: "a/b/c", op: "NoOp" }] });
  const hierarchy = buildHierarchy(graph);
  const named = (...open: string[]) =>
    buildScene(hierarchy, new Set(open)).boxes.map((box) => box.name);
  assert.deepEqual(named("a/b"), ["a"]);
  assert.deepEqual(named("a"), ["a", "a/b"]);
  assert.deepEqual(named("a", "a/b"), ["a", "a/b", "a/b/c"]);
});

test("a scope's inside looks the same whatever else is open", () => {
  const inside = (open: string[]) => {
    const scene = buildScene(NETWORK, new Set(open));
    const scope = boxOf(scene, "dense");
    return scene.boxes
      .filter((box) => box.parent === scope.item)
      .map((box) => [box.name, Math.round(box.x - scope.x), Math.round(box.y - scope.y)]);
  };
  assert.deepEqual(inside(["dense"]), inside(["dense", "train"]));
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
  const closed = buildScene(hierarchy, new Set());
  assert.deepEqual(closed.edges.map((edge) => edge.back), [false, true]);
  for (const open of [[], ["a"], ["b"], ["a", "b"]]) {
    assertSound(hierarchy, buildScene(hierarchy, new Set(open)));
  }
});

test("the empty graph is an empty scene", () => {
  const scene = buildScene(buildHierarchy(readGraph({})), new Set());
  assert.deepEqual(scene, { boxes: [], edges: [], width: 0, height: 0 });
});

test("labels are measured by the caller's rule", () => {
  const scene = buildScene(NETWORK, new Set(), (label) => ({ width: label.length, height: 3 }));
  assert.deepEqual([boxOf(scene, "dense").width, boxOf(scene, "dense").height], [5, 3]);
});

for (const [count, seed, cycles, share] of [
  [40, 11, 0, 1],
  [200, 12, 0, 0.5],
  [200, 13, 20, 0.5],
  [1500, 14, 0, 0.3],
  [1500, 15, 100, 1],
]) {
  test(`random graph of ${count}, ${share * 100} % open, ${cycles} cycles: sound, stable`, () => {
    const hierarchy = buildHierarchy(randomGraph(count, seed, cycles));
    const random = randomNumbers(seed);
    const scopes = hierarchy.names.slice(count).filter(() => random() < share);
    const scene = buildScene(hierarchy, new Set(scopes));
    assertSound(hierarchy, scene);
    assert.deepEqual(buildScene(hierarchy, new Set(scopes.toReversed())), scene);
    if (share === 1) {
      const seen = scene.boxes.filter((box) => box.type !== null);
      assert.equal(seen.length, count);
    }
  });
}

test("scopes 2,000 deep need no call stack", () => {
  const name = Array.from({ length: 2000 }, (_, depth) => `s${depth}`).join("/");
  const hierarchy = buildHierarchy(readGraph({ node: [{ name, op: "NoOp" }] }));
  const scene = buildScene(hierarchy, new Set(hierarchy.names));
  assert.equal(scene.boxes.length, 2000);
  assert.equal(scene.boxes[0].parent, ROOT);
  assertSound(hierarchy, scene);
});
