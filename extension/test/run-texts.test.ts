import assert from "node:assert/strict";
import { test } from "node:test";

import { compare, matches, textOf } from "../src/runs/comparison.js";
import { count, duration, exact, percent, rate, value } from "../src/runs/format.js";
import { pythonLine } from "../src/runs/python-line.js";
import { hyperparameterOf, statusOf } from "./run-statuses.js";

const TEXTS: [string, string][] = [
  [value(0), "0"],
  [value(0.31017), "0.3102"],
  [value(-12.3456), "−12.35"],
  [value(64), "64"],
  [value(123456), "123,456"],
  [value(1.2e-7), "1.2e-7"],
  [value(-3.14159e12), "−3.142e12"],
  [value(NaN), "NaN"],
  [value(Infinity), "∞"],
  [value(-Infinity), "−∞"],
  [count(12345), "12,345"],
  [count(NaN), "–"],
  [exact(0.1 + 0.2), "0.3"],
  [exact(0.00001), "1e-5"],
  [exact(512), "512"],
  [exact(-2.5e9), "-2.5e9"],
  [rate(812.4), "812 steps/s"],
  [rate(3.21), "3.2 steps/s"],
  [rate(0.25), "4.0 s a step"],
  [rate(0), "–"],
  [duration(0.44), "0.4 s"],
  [duration(12.4), "12 s"],
  [duration(59.7), "1 min 00 s"],
  [duration(185), "3 min 05 s"],
  [duration(7801), "2 h 10 min"],
  [duration(NaN), "–"],
  [percent(0.004), "0.4 %"],
  [percent(0.25), "25 %"],
];
for (const [index, [got, wanted]] of TEXTS.entries()) {
  test(`text ${index}: ${wanted}`, () => assert.equal(got, wanted));
}

test("what a field shows can be typed again", () => {
  for (const number of [0.1, 1e-4, 123456, 1e-9, 3.5e12, -0.25]) {
    assert.equal(Number(exact(number)), number);
  }
});

const LINES: [string, string][] = [
  [pythonLine("pause", {}), "run.pause()"],
  [pythonLine("step", { count: 5 }), "run.step(5)"],
  [pythonLine("set", { lr: 0.01 }), "run.set(lr=0.01)"],
  [
    pythonLine("set", { augment: true, optimizer: "adam" }),
    'run.set(augment=True, optimizer="adam")',
  ],
  [pythonLine("set", { limit: "Infinity" }), 'run.set(limit=float("inf"))'],
  [pythonLine("rewind", { step: 500 }), "run.rewind(step=500)"],
  [
    pythonLine("fork", { step: 500, values: { lr: 0.01 }, name: null }),
    "other = run.fork(step=500, lr=0.01)",
  ],
  [pythonLine("fork", { step: null, values: {}, name: "b" }), 'other = run.fork(name="b")'],
];
for (const [got, wanted] of LINES) {
  test(`Python: ${wanted}`, () => assert.equal(got, wanted));
}

const PARENT = statusOf({
  values: { loss: 0.5, accuracy: 0.9 },
  hyperparameters: [
    hyperparameterOf({}),
    hyperparameterOf({ name: "augment", type: "bool", value: true }),
  ],
});
const FORK = statusOf({
  run: "b",
  name: "slower",
  parent: { run: "a", step: 5 },
  values: { loss: 0.25, accuracy: "NaN" },
  hyperparameters: [hyperparameterOf({ value: 0.001 })],
});

test("a comparison says what differs, and which run has the least and the most", () => {
  const rows = new Map(compare([PARENT, FORK]).map((row) => [row.name, row]));
  assert.deepEqual(
    [...rows.keys()],
    ["lr", "augment", "loss", "accuracy", "steps", "state", "forked from"],
  );
  assert.deepEqual(rows.get("lr")?.texts, ["0.1", "0.001"]);
  assert.deepEqual(rows.get("augment")?.texts, ["on", ""]);
  assert.deepEqual(rows.get("forked from")?.texts, ["", "digits, step 5"]);
  assert.equal(rows.get("state")?.differs, false);
  assert.equal(rows.get("lr")?.differs, true);
  const loss = rows.get("loss");
  assert.deepEqual([loss?.least, loss?.greatest], [1, 0]);
  assert.deepEqual(
    [rows.get("accuracy")?.least, rows.get("accuracy")?.greatest],
    [0, 0],
    "NaN is neither",
  );
});

test("a filter wants every word, in names, states or settings", () => {
  const found = (filter: string) =>
    [PARENT, FORK].filter((run) => matches(run, filter)).map(({ name }) => name);
  assert.deepEqual(found(""), ["digits", "slower"]);
  assert.deepEqual(found("DIGITS"), ["digits"]);
  assert.deepEqual(found("running lr=0.001"), ["slower"]);
  assert.deepEqual(found("finished"), []);
});

test("hyperparameters as text", () => {
  assert.deepEqual(
    [true, "adam", 0.1, "NaN"].map((one) => textOf(one)),
    ["on", "adam", "0.1", "NaN"],
  );
});
