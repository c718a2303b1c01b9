import assert from "node:assert/strict";
import { test } from "node:test";

import { readGraph } from "../src/scene/graph.js";
import { buildHierarchy, ROOT, type Hierarchy } from "../src/scene/hierarchy.js";
import { CONTROL, type Graph } from "../src/scene/types.js";

function edgesOf(graph: Graph): [number, number, number][] {
  return Array.from(graph.edgeSource, (source, edge) => [
    source,
    graph.edgeTarget[edge],
    graph.edgeOutput[edge],
  ]);
}

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
  assert.deepEqual(
    Array.from(graph.type, (type) => graph.types[type]),
    ["Add", "Split", "Placeholder", "NoOp"],
  );
  assert.deepEqual(edgesOf(graph), [
    [1, 0, 1],
    [2, 0, 0],
    [3, 0, CONTROL],
    [2, 1, 0],
  ]);
  assert.equal(graph.status, null);
});

test("an empty GraphDef is an empty graph", () => {
  const graph = readGraph({});
  assert.deepEqual(graph.names, []);
  assert.equal(graph.edgeSource.length, 0);
});

const REFUSED: [string, unknown, RegExp][] = [
  ["no object", [], /is an object with a list "node"/],
  ["nothing", null, /is an object with a list "node"/],
  ["no list", { node: {} }, /is an object with a list "node"/],
  ["a node without a name", { node: [{ op: "NoOp" }] }, /Node 0 .* needs a "name" and an "op"/],
  ["a node without an op", { node: [{ name: "a" }] }, /Node 0 .* needs a "name" and an "op"/],
  ["no node at all", { node: [null] }, /Node 0/],
  ["an input as text", { node: [{ name: "a", op: "NoOp", input: "b" }] }, /"input" of node "a"/],
  [
    "a name twice",
    {
      node: [
        { name: "a", op: "NoOp" },
        { name: "a", op: "Add" },
      ],
    },
    /the name "a"/,
  ],
  ["an input of no node", { node: [{ name: "a", op: "NoOp", input: ["^b"] }] }, /the input "\^b"/],
];
for (const [name, value, message] of REFUSED) {
  test(`refused: ${name}`, () => assert.throws(() => readGraph(value), message));
}

/** The hierarchy as lists in lists: names of operations, and scopes with what they hold. */
function outline(hierarchy: Hierarchy, scope: number = ROOT): unknown[] {
  const { childStart, children, operations, names } = hierarchy;
  return Array.from(children.subarray(childStart[scope + 1], childStart[scope + 2]), (item) =>
    item < operations ? names[item] : { [names[item]]: outline(hierarchy, item) },
  );
}

const nodes = (...names: string[]) => ({ node: names.map((name) => ({ name, op: "NoOp" })) });

test("operations stand in their scopes, in creation order; a scope has an operation of its name", () => {
  const hierarchy = buildHierarchy(
    readGraph(nodes("x", "a/w", "a/b/mul", "a", "a/b/add", "c/in", "c/out")),
  );
  assert.deepEqual(outline(hierarchy), [
    "x",
    { a: ["a/w", { "a/b": ["a/b/mul", "a/b/add"] }, "a"] },
    { c: ["c/in", "c/out"] },
  ]);
  const a = hierarchy.names.lastIndexOf("a");
  assert.equal(hierarchy.size[a], 4);
  assert.deepEqual(hierarchy.labels.slice(7), ["a", "b", "c"]);
});

test("a scope around a single thing is left out", () => {
  const hierarchy = buildHierarchy(readGraph(nodes("a/b/c", "a/b/d", "e/f/g", "h", "h/i", "j/k")));
  assert.deepEqual(outline(hierarchy), [
    { "a/b": ["a/b/c", "a/b/d"] },
    "e/f/g",
    { h: ["h", "h/i"] },
    "j/k",
  ]);
  assert.deepEqual(
    hierarchy.labels,
    ["c", "d", "e/f/g", "h", "i", "j/k", "a/b", "h"],
    "what is left out stands in the label",
  );
});

test("a name that begins another one is no scope of it", () => {
  const hierarchy = buildHierarchy(readGraph(nodes("a", "ab", "ab/c", "abc/d", "abc/e")));
  assert.deepEqual(outline(hierarchy), ["a", { ab: ["ab", "ab/c"] }, { abc: ["abc/d", "abc/e"] }]);
});

test("slashes that part nothing, and letters of any alphabet", () => {
  const hierarchy = buildHierarchy(
    readGraph(nodes("/a", "b//c", "b/x", "d/", "d/e", "слой/γ", "слой/δ", "层/🙂", "层/🙃")),
  );
  assert.deepEqual(outline(hierarchy), [
    "/a",
    { b: ["b//c", "b/x"] },
    { d: ["d/", "d/e"] },
    { слой: ["слой/γ", "слой/δ"] },
    { 层: ["层/🙂", "层/🙃"] },
  ]);
});

test("an edge belongs to the scope in which its ends part", () => {
  const hierarchy = buildHierarchy(
    readGraph({
      node: [
        { name: "a/b/x", op: "NoOp" },
        { name: "a/b/y", op: "NoOp", input: ["a/b/x"] },
        { name: "a/z", op: "NoOp", input: ["a/b/x", "a/b/y"] },
        { name: "out", op: "NoOp", input: ["a/b/y"] },
      ],
    }),
  );
  const { links, names } = hierarchy;
  const found: unknown[] = [];
  for (let scope = ROOT; scope < hierarchy.count; scope++) {
    for (let link = links.start[scope + 1]; link < links.start[scope + 2]; link++) {
      const edges = links.edges.subarray(links.edgeStart[link], links.edgeStart[link + 1]);
      const ends = [names[links.source[link]], names[links.target[link]]];
      found.push([scope === ROOT ? "" : names[scope], ...ends, [...edges]]);
    }
  }
  assert.deepEqual(found, [
    ["", "a", "out", [3]],
    ["a", "a/b", "a/z", [1, 2]],
    ["a/b", "a/b/x", "a/b/y", [0]],
  ]);
});
