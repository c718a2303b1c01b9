import assert from "node:assert/strict";
import { test } from "node:test";

import {
  decodeColumns,
  decodeGraph,
  decodeTap,
  float32,
  toNumber,
  toWire,
} from "../src/protocol/decode.js";
import type { GraphHeader } from "../src/protocol/messages.js";
import { bytesOf, textBytes } from "./fake-channel.js";

/** x -> dense -> loss, with dense also ordered after init. */
const HEADER: GraphHeader = {
  graph: "g",
  version: 3,
  operations: 4,
  edges: 3,
  types: ["", "Placeholder", "MatMul", "Mean", "NoOp"],
  devices: ["", "/cpu:0"],
  shapes: ["", "float32[?,784]", "float32[]"],
  against: null,
};

function graphBuffers(offset: number): DataView[] {
  const at = (array: ArrayBufferView) => bytesOf(array, offset);
  return [
    textBytes("x\ninit\ndense/MätMul\nloss"),
    at(new Uint16Array([1, 4, 2, 3])),
    at(new Uint16Array([1, 0, 1, 0])),
    at(new Uint8Array([0, 3, 0, 0])),
    at(new Uint32Array([0, 1, 2])),
    at(new Uint32Array([2, 2, 3])),
    at(new Uint16Array([0, 65535, 0])),
    at(new Uint32Array([1, 0, 2])),
    at(new Uint8Array([])),
    at(new Uint8Array([])),
  ];
}

for (const offset of [0, 1, 2, 4, 7]) {
  test(`a graph is read from buffers ${offset} bytes into a message`, () => {
    const graph = decodeGraph(HEADER, graphBuffers(offset));
    assert.deepEqual(graph.names, ["x", "init", "dense/MätMul", "loss"]);
    assert.deepEqual([...graph.type], [1, 4, 2, 3]);
    assert.deepEqual([...graph.edgeSource], [0, 1, 2]);
    assert.deepEqual([...graph.edgeOutput], [0, 65535, 0]);
    assert.deepEqual([...graph.edgeShape], [1, 0, 2]);
    assert.equal(graph.status, null);
  });
}

test("a diff has a status for every operation and edge", () => {
  const buffers = graphBuffers(0);
  buffers[8] = bytesOf(new Uint8Array([0, 1, 2, 3]));
  buffers[9] = bytesOf(new Uint8Array([0, 0, 1]));
  const graph = decodeGraph({ ...HEADER, against: "other" }, buffers);
  assert.deepEqual([...(graph.status ?? [])], [0, 1, 2, 3]);
  assert.deepEqual([...(graph.edgeStatus ?? [])], [0, 0, 1]);
});

test("operations are where they run, whatever they ask for", () => {
  const buffers = [...graphBuffers(0), ...[0, 0, 0].map(() => textBytes(""))];
  const asked = decodeGraph({ ...HEADER, places: [""] }, [...buffers, textBytes("")]);
  assert.deepEqual([asked.devices, [...asked.device]], [HEADER.devices, [1, 0, 1, 0]]);
  const places = ["", "/job:ps/task:0", "/job:worker/task:0"];
  const column = bytesOf(new Uint16Array([1, 2, 1, 2]), 1);
  const graph = decodeGraph({ ...HEADER, places }, [...buffers, column]);
  assert.deepEqual([graph.devices, [...graph.device]], [places, [1, 2, 1, 2]]);
  assert.throws(() => decodeGraph({ ...HEADER, places: [""] }, [...buffers, column]), /device/);
});

test("an empty graph has no names", () => {
  const buffers = graphBuffers(0).map(() => textBytes(""));
  assert.deepEqual(decodeGraph({ ...HEADER, operations: 0, edges: 0 }, buffers).names, []);
});

const REFUSED: [string, (buffers: DataView[]) => unknown, RegExp][] = [
  ["a buffer is missing", (buffers) => buffers.pop(), /Buffer 9 of graph.get/],
  ["a name too few", (buffers) => (buffers[0] = textBytes("x\ninit\nloss")), /3 names for 4/],
  [
    "half a number",
    (buffers) => (buffers[1] = bytesOf(new Uint8Array(7))),
    /7 bytes are no 4 types/,
  ],
  [
    "an edge from nowhere",
    (buffers) => (buffers[4] = bytesOf(new Uint32Array([0, 9, 2]))),
    /source 9 at 1/,
  ],
  [
    "a type without a name",
    (buffers) => (buffers[1] = bytesOf(new Uint16Array([1, 4, 5, 3]))),
    /type 5 at 2/,
  ],
];
for (const [name, spoil, message] of REFUSED) {
  test(`a graph is refused where ${name}`, () => {
    const buffers = graphBuffers(0);
    buffers[8] = bytesOf(new Uint8Array(4));
    buffers[9] = bytesOf(new Uint8Array(3));
    spoil(buffers);
    assert.throws(() => decodeGraph({ ...HEADER, against: "other" }, buffers), message);
  });
}

test("columns of a history, unaligned", () => {
  const buffers = [
    [1, 2, 3],
    [0.5, NaN, 0.25],
  ].map((row) => bytesOf(new Float64Array(row), 3));
  const { steps, values } = decodeColumns(["loss"], buffers);
  assert.deepEqual([...steps], [1, 2, 3]);
  assert.deepEqual([...(values.get("loss") ?? [])], [0.5, NaN, 0.25]);
  assert.throws(() => decodeColumns(["loss", "accuracy"], buffers), /Buffer 2 of the history/);
  buffers[1] = bytesOf(new Float64Array(2));
  assert.throws(() => decodeColumns(["loss"], buffers), /16 bytes are no 3 values of loss/);
});

test("a tap's four buffers", () => {
  const { values, edges, steps, history } = decodeTap([
    bytesOf(new Float32Array([1.5]), 1),
    bytesOf(new Float32Array([])),
    bytesOf(new Float64Array([10, 20]), 5),
    bytesOf(new Float32Array([1, 1.5])),
  ]);
  assert.deepEqual([...values], [1.5]);
  assert.equal(edges.length, 0);
  assert.deepEqual([...steps], [10, 20]);
  assert.deepEqual([...history], [1, 1.5]);
});

test("floats of any number, but whole ones", () => {
  assert.deepEqual([...float32(bytesOf(new Float32Array([1, 2]), 1))], [1, 2]);
  assert.throws(() => float32(bytesOf(new Uint8Array(5))), /cannot be read/);
});

test("numbers that JSON has no word for", () => {
  for (const value of [0, -1.5, Infinity, -Infinity, NaN]) {
    assert.ok(Object.is(toNumber(toWire(value)), value));
    assert.doesNotThrow(() => JSON.parse(JSON.stringify(toWire(value))));
  }
  assert.ok(Number.isNaN(toNumber(null)));
});
