import assert from "node:assert/strict";
import { test } from "node:test";

import { readGraph } from "../src/scene/graph.js";
import { buildHierarchy, ROOT } from "../src/scene/hierarchy.js";

test("inputs are names, outputs of names and controls, of nodes in any order", () => {
  const graph = readGraph({
    node: [
      { name: "sum", op: "Add", input: ["split:1", "x", "^check"] },
      { name: "split", op: "Split", input: ["x"] },
      { name: "x", op: "Placeholder" },
      { name: "check", op: "NoOp", device: "/cpu:0" },
    ],
    versions: { producer: 27 },
  });
  assert.deepEqual(graph.names, ["sum", "split", "x", "check"]);
  assert.deepEqual(graph.types, ["Add", "Split", "Placeholder", "NoOp"]);
  assert.deepEqual(graph.edges, [
    { source: 1, target: 0, control: false },
    { source: 2, target: 0, control: false },
    { source: 3, target: 0, control: true },
    { source: 2, target: 1, control: false },
  ]);
});

test("an empty GraphDef is an empty graph", () => {
  assert.deepEqual(readGraph({}), { names: [], types: [], edges: [] });
});

const REFUSED: [string, unknown, RegExp][] = [
  ["no object", [], /is an object with a list "node"/],
  ["nothing", null, /is an object with a list "node"/],
  ["no list", { node: {} }, /is an object with a list "node"/],
  ["a node without a name", { node: [{ op: "NoOp" }] }, /Node 0 .* needs a "name" and an "op"/],
  ["a node without an op", { node: [{ name: "a" }] }, /Node 0 .* needs a "name" and an "op"/],
  ["no node at all", { node: [null] }, /Node 0/],
  ["an input as text", { node: [{ name: "a", op: "NoOp", input: "b" }] }, /"input" of node "a"/],
  ["a name twice", { node: [{ name: "a", op: "NoOp" }, { name: "a", op: "Add" }] }, /the name "a"/],
  ["an input of no node", { node: [{ name: "a", op: "NoOp", input: ["^b"] }] }, /the input "\^b"/],
];
for (const [name, value, message] of REFUSED) {
  test(`refused: ${name}`, () => assert.throws(() => readGraph(value), message));
}

test("operations stand in their scopes, in creation order", () => {
  const graph = readGraph({
    node: ["x", "a/w", "a/b/mul", "a", "a/add", "c/out"].map((name) => ({ name, op: "NoOp" })),
  });
  const { names, parent, children, size } = buildHierarchy(graph);
  const named = (items: readonly number[] | undefined) => items?.map((item) => names[item]);
  const [a, b, c] = [6, 7, 8];
  assert.deepEqual(names.slice(6), ["a", "a/b", "c"]);
  assert.deepEqual(children.get(ROOT), [0, a, 3, c], "the operation a beside the scope a");
  assert.deepEqual(named(children.get(a)), ["a/w", "a/b", "a/add"]);
  assert.deepEqual(named(children.get(b)), ["a/b/mul"]);
  assert.deepEqual(parent, [ROOT, a, b, ROOT, a, c, ROOT, a, ROOT]);
  assert.deepEqual(size, [1, 1, 1, 1, 1, 1, 3, 1, 1]);
});

test("an edge belongs to the scope in which its ends part", () => {
  const graph = readGraph({
    node: [
      { name: "a/b/x", op: "NoOp" },
      { name: "a/b/y", op: "NoOp", input: ["a/b/x"] },
      { name: "a/z", op: "NoOp", input: ["a/b/x", "a/b/y"] },
      { name: "out", op: "NoOp", input: ["a/b/y"] },
    ],
  });
  const { connections } = buildHierarchy(graph);
  const [a, b] = [4, 5];
  assert.deepEqual(connections.get(b), [{ source: 0, target: 1, edges: [0] }]);
  assert.deepEqual(connections.get(a), [{ source: b, target: 2, edges: [1, 2] }]);
  assert.deepEqual(connections.get(ROOT), [{ source: a, target: 3, edges: [3] }]);
});
