import assert from "node:assert/strict";
import { test } from "node:test";

import { GraphEngine } from "../src/engine/engine.js";
import { makeGraph } from "../src/scene/graph.js";
import { randomGraph } from "./random.js";

const NAMES = [
  "x",
  "dense/MatMul",
  "dense/weights",
  "dense_1/MatMul",
  "dense_1/weights",
  "loss",
  "apart",
];
const GRAPH = makeGraph({
  names: NAMES,
  types: ["Placeholder", "MatMul", "VariableV2", "BatchMatMul", "VariableV2", "Mean", "NoOp"],
  edges: [
    { source: 0, target: 1, shape: "float32[?,784]" },
    { source: 2, target: 1, shape: "float32[784,128]" },
    { source: 1, target: 3, shape: "float32[?,128]" },
    { source: 4, target: 3, shape: "float32[128,12]" },
    { source: 3, target: 5, shape: "float32[?,12]" },
  ],
});

async function loaded(): Promise<GraphEngine> {
  const engine = new GraphEngine();
  await engine.load(GRAPH, { aspect: 1.5 });
  return engine;
}

const QUERIES: [string, string[]][] = [
  ["loss", ["loss"]],
  ["weights", ["dense/weights", "dense_1/weights"]],
  [
    "dense",
    ["dense", "dense_1", "dense/MatMul", "dense/weights", "dense_1/MatMul", "dense_1/weights"],
  ],
  ["MATMUL", ["dense/MatMul", "dense_1/MatMul"]],
  ["type:matmul", ["dense/MatMul", "dense_1/MatMul"]],
  ["type:Batch", ["dense_1/MatMul"]],
  ["type:VariableV2 dense_1", ["dense_1/weights"]],
  ["shape:128", ["dense/MatMul", "dense/weights", "dense_1/weights"]],
  ["shape:12", ["dense_1/MatMul", "dense_1/weights"]],
  ["shape:?,784", ["x"]],
  ["/_1.*Mat/", ["dense_1/MatMul"]],
  ["/^LOSS$/i", ["loss"]],
  ["/^LOSS$/", []],
  ["nowhere", []],
  ["  ", []],
];
for (const [query, names] of QUERIES) {
  test(`search: ${JSON.stringify(query)}`, async () => {
    const hits = await (await loaded()).search(query, 50);
    assert.deepEqual(
      hits.map(({ name }) => name),
      names,
    );
  });
}

test("search: at most so many, with their items and types", async () => {
  const [hit, ...more] = await (await loaded()).search("matmul", 1);
  assert.deepEqual([hit, more], [{ item: 1, name: "dense/MatMul", type: "MatMul" }, []]);
});

test("search: an expression or a field that says nothing is refused in words", async () => {
  const engine = await loaded();
  await assert.rejects(engine.search("/a(/", 5), /\/a\(\/ is no regular expression: .*group/);
  await assert.rejects(engine.search("type:", 5), /after "type:", as in type:MatMul/);
});

test("reveal: the scopes around an item, outermost first; visible: what stands for each operation", async () => {
  const engine = new GraphEngine();
  const node = ["a/b/c/x", "a/b/c/y", "a/b/z", "a/w", "v"];
  await engine.load(makeGraph({ names: node, types: node, edges: [] }), { aspect: 1 });
  const scopes = await engine.reveal(0);
  const named = await Promise.all([-1, ...scopes].map((scope) => engine.children(scope)));
  assert.deepEqual(
    named.map((entries) => entries.map(({ name }) => name)),
    [
      ["a", "v"],
      ["a/b", "a/w"],
      ["a/b/c", "a/b/z"],
      ["a/b/c/x", "a/b/c/y"],
    ],
  );
  const [a, b, c] = scopes;
  assert.deepEqual([...(await engine.visible(Uint32Array.of()))], [a, a, a, a, 4]);
  assert.deepEqual([...(await engine.visible(Uint32Array.of(a)))], [b, b, b, 3, 4]);
  assert.deepEqual([...(await engine.visible(Uint32Array.of(b, a)))], [c, c, 2, 3, 4]);
  assert.deepEqual(
    [...(await engine.visible(Uint32Array.of(b)))],
    [a, a, a, a, 4],
    "b is in a closed one",
  );
  assert.deepEqual([...(await engine.reveal(4))], []);
});

const found = ({ operations, edges }: { operations: Uint32Array; edges: Uint32Array }) => [
  [...operations],
  [...edges],
];

test("paths run along edges, in either direction, between scopes too", async () => {
  const engine = await loaded();
  assert.deepEqual(found(await engine.path(0, 5)), [
    [0, 1, 3, 5],
    [0, 2, 4],
  ]);
  assert.deepEqual(found(await engine.path(5, 0)), found(await engine.path(0, 5)));
  assert.deepEqual(found(await engine.path(0, 6)), [[], []]);
  assert.deepEqual(found(await engine.path(1, 1)), [[1], []]);
  const [dense] = await engine.search("dense", 1);
  assert.deepEqual(found(await engine.path(dense.item, 5)), [
    [1, 3, 5],
    [2, 4],
  ]);
});

test("upstream and downstream, all the way or some steps", async () => {
  const engine = await loaded();
  assert.deepEqual(found(await engine.upstream(3, Infinity)), [
    [0, 1, 2, 3, 4],
    [0, 1, 2, 3],
  ]);
  assert.deepEqual(found(await engine.upstream(3, 1)), [
    [1, 3, 4],
    [2, 3],
  ]);
  assert.deepEqual(found(await engine.downstream(2, Infinity)), [
    [1, 2, 3, 5],
    [1, 2, 4],
  ]);
  assert.deepEqual(found(await engine.downstream(5, 3)), [[5], []]);
});

test("traces agree with a plain walk on random graphs with cycles", async () => {
  const graph = randomGraph({ count: 120, seed: 5, cycles: 15 });
  const engine = new GraphEngine();
  await engine.load(graph, { aspect: 1 });
  for (let start = 0; start < 120; start += 17) {
    const distance = new Map([[start, 0]]);
    const queue = [start];
    for (let head = 0; head < queue.length; head++) {
      graph.edgeSource.forEach((source, edge) => {
        const target = graph.edgeTarget[edge];
        if (source !== queue[head] || distance.has(target)) return;
        distance.set(target, (distance.get(source) as number) + 1);
        queue.push(target);
      });
    }
    const { operations } = await engine.downstream(start, Infinity);
    assert.deepEqual(
      [...operations],
      [...distance.keys()].sort((a, b) => a - b),
    );
    for (const [target, steps] of distance) {
      assert.equal((await engine.path(start, target)).edges.length, steps);
    }
  }
});

test("items that are none are refused", async () => {
  const engine = await loaded();
  for (const item of [-2, 1.5, 1000, NaN]) {
    await assert.rejects(engine.reveal(item), /no item/);
    await assert.rejects(engine.upstream(item, 1), /no item/);
  }
  await assert.rejects(new GraphEngine().scene(new Uint32Array()), /No graph has been loaded/);
});
