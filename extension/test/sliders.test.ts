import assert from "node:assert/strict";
import { test } from "node:test";

import { NewestSender } from "../src/runs/newest-sender.js";
import { readNumber, sliderScale } from "../src/runs/scale.js";
import { hyperparameterOf } from "./run-statuses.js";

test("a log slider gives each decade the same room", () => {
  const scale = sliderScale(hyperparameterOf({ low: 1e-4, high: 1 }))!;
  const places = [1e-4, 1e-3, 1e-2, 0.1, 1].map(
    (value) => scale.positionOf(value) / scale.positions,
  );
  assert.deepEqual(places, [0, 0.25, 0.5, 0.75, 1]);
  assert.equal(scale.valueAt(scale.positions / 2), 0.01);
  assert.equal(scale.positionOf(50), scale.positions, "a value beyond the range is at its end");
});

test("whole numbers have a position each where there is room, and are whole anyway", () => {
  const few = sliderScale(hyperparameterOf({ type: "int", low: 1, high: 8, log: false }))!;
  assert.equal(few.positions, 7);
  assert.deepEqual(
    [0, 3, 7].map((position) => few.valueAt(position)),
    [1, 4, 8],
  );
  const many = sliderScale(hyperparameterOf({ type: "int", low: 8, high: 512 }))!;
  for (let position = 0; position <= many.positions; position++) {
    assert.ok(Number.isInteger(many.valueAt(position)));
  }
});

test("values of a slider are short, in range, and find their position again", () => {
  for (const given of [{ low: 0, high: 0.9, log: false }, { low: -3, high: 1e5, log: false }, {}]) {
    const hyperparameter = hyperparameterOf(given);
    const scale = sliderScale(hyperparameter)!;
    for (let position = 0; position <= scale.positions; position += 7) {
      const value = scale.valueAt(position);
      assert.ok(value >= Number(hyperparameter.low) && value <= Number(hyperparameter.high));
      assert.ok(String(value).length <= 9, String(value));
      assert.ok(Math.abs(scale.positionOf(value) - position) <= 1);
    }
  }
});

test("no slider for what has no range", () => {
  const without = [
    { low: null },
    { low: 1, high: 1 },
    { type: "bool" as const },
    { high: "Infinity" as const },
  ];
  for (const given of without) assert.equal(sliderScale(hyperparameterOf(given)), null);
});

const TYPED: [string, object, number | RegExp][] = [
  ["0.01", {}, 0.01],
  [" 1e-3 ", {}, 0.001],
  ["0,5", {}, 0.5],
  ["2", {}, /lr takes a number from 0.0001 to 1\./],
  ["", {}, /takes a number/],
  ["much", {}, /takes a number/],
  ["Infinity", { low: null, high: null }, /lr takes a number\./],
  ["-7", { low: null, high: null }, -7],
  ["3.5", { type: "int", low: 1, high: 9 }, /a whole number from 1 to 9/],
  ["3", { type: "int", low: 1, high: 9 }, 3],
];
for (const [text, given, wanted] of TYPED) {
  test(`typed: "${text}" into ${JSON.stringify(given)}`, () => {
    const read = readNumber(text, hyperparameterOf(given));
    if (typeof wanted === "number") assert.deepEqual(read, { value: wanted });
    else assert.match("problem" in read ? read.problem : "taken", wanted);
  });
}

/** A sender whose deliveries the test settles. */
function sending(patience = 1000) {
  const sent: { value: number; settle: (reply: string) => void; fail: (error: Error) => void }[] =
    [];
  const told: string[] = [];
  const sender = new NewestSender<number, string>(
    (value) => new Promise((settle, fail) => sent.push({ value, settle, fail })),
    {
      acknowledged: (value, reply, latest) => told.push(`${value} ${reply} ${latest}`),
      failed: (value, error) => told.push(`${value} failed ${(error as Error).message}`),
      delayed: (value) => told.push(`${value} delayed`),
    },
    patience,
  );
  return { sender, sent, told };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

test("the first value goes at once, and of those that come meanwhile the newest follows", async () => {
  const { sender, sent, told } = sending();
  for (const value of [1, 2, 3, 4]) sender.put(value);
  assert.deepEqual(
    sent.map(({ value }) => value),
    [1],
    "one is under way",
  );
  sent[0].settle("step 10");
  await settled();
  assert.deepEqual(
    sent.map(({ value }) => value),
    [1, 4],
  );
  assert.ok(sender.busy);
  sent[1].settle("step 11");
  await settled();
  assert.deepEqual(told, ["1 step 10 false", "4 step 11 true"]);
  assert.ok(!sender.busy);
});

test("a failure is told, and the next value goes all the same", async () => {
  const { sender, sent, told } = sending();
  sender.put(1);
  sender.put(2);
  sent[0].fail(new Error("no"));
  await settled();
  sent[1].settle("yes");
  await settled();
  assert.deepEqual(told, ["1 failed no", "2 yes true"]);
});

test("a value that is long under way is told of once", async () => {
  const { sender, sent, told } = sending(10);
  sender.put(1);
  await new Promise((resolve) => setTimeout(resolve, 40));
  sent[0].settle("at last");
  await settled();
  assert.deepEqual(told, ["1 delayed", "1 at last true"]);
});

test("after its end a sender sends and tells nothing", async () => {
  const { sender, sent, told } = sending();
  sender.put(1);
  sender.put(2);
  sender.dispose();
  sent[0].settle("late");
  sender.put(3);
  await settled();
  assert.deepEqual([sent.length, told], [1, []]);
});
