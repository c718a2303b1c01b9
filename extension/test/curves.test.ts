import assert from "node:assert/strict";
import { test } from "node:test";

import { extent, linearTicks, logTicks, padded } from "../src/runs/axes.js";
import { describeChart } from "../src/runs/bokeh-item.js";
import { withDragsJoined } from "../src/runs/changes.js";
import { type ChartRun, figuresOf, firstIndexFrom, nearestIndex } from "../src/runs/chart-model.js";
import { Curves, extremes } from "../src/runs/curves.js";
import { smooth } from "../src/runs/smoothing.js";
import { changeAt, columnsOf } from "./run-statuses.js";

test("curves grow, and steps that are known stay as they are", () => {
  const curves = new Curves();
  curves.reset(columnsOf([1, 2], { loss: [3, 2] }));
  const { generation } = curves;
  curves.append(columnsOf([2, 3], { loss: [99, 1] }));
  assert.deepEqual(curves.steps, [1, 2, 3]);
  assert.deepEqual(curves.of("loss"), [3, 2, 1]);
  assert.equal(curves.generation, generation, "nothing that was there has changed");
  curves.reset(columnsOf([1], { loss: [3] }));
  assert.deepEqual(curves.of("loss"), [3]);
  assert.notEqual(curves.generation, generation);
});

test("a name that appears late, or is missing for a while, has NaN there", () => {
  const curves = new Curves();
  curves.reset(columnsOf([1], { loss: [3] }));
  curves.append(columnsOf([2], { loss: [2], accuracy: [0.5] }));
  curves.append(columnsOf([3], { accuracy: [0.75] }));
  assert.deepEqual(curves.of("loss"), [3, 2, NaN]);
  assert.deepEqual(curves.of("accuracy"), [NaN, 0.5, 0.75]);
  assert.equal(curves.last("accuracy"), 0.75);
  assert.ok(Number.isNaN(curves.last("nothing")));
});

test("a long run is thinned, its peaks, its first and its last step stay", () => {
  const curves = new Curves(100);
  curves.reset(columnsOf([0], { loss: [1] }));
  for (let step = 1; step <= 5000; step++) {
    const peak = step === 1234 ? 50 : step === 3210 ? -50 : Math.sin(step);
    curves.append(columnsOf([step], { loss: [peak], step: [step] }));
  }
  assert.ok(curves.length <= 100, `${curves.length} points`);
  assert.equal(curves.steps[0], 0);
  assert.equal(curves.steps.at(-1), 5000);
  assert.equal(Math.max(...curves.of("loss")), 50);
  assert.equal(Math.min(...curves.of("loss")), -50);
  assert.deepEqual(curves.of("step").slice(1), curves.steps.slice(1), "columns are thinned alike");
});

test("thinning keeps NaN only where there is nothing else", () => {
  const steps = Array.from({ length: 100 }, (_, index) => index);
  const values = steps.map((step) => (step < 50 ? NaN : step % 2 ? step : NaN));
  const kept = extremes(steps, values, 10);
  assert.ok(kept.length <= 10);
  const later = kept.filter((index) => index >= 60 && index < 99);
  assert.ok(later.length > 0 && later.every((index) => Number.isFinite(values[index])));
  assert.ok(
    kept.some((index) => index < 50),
    "a curve of NaN has a place too",
  );
});

test("smoothing is the weighted mean of what came before", () => {
  const values = [4, 2, NaN, 8];
  const weight = 0.5;
  // By its definition: every value weighs half of the next one.
  const mean = (...past: number[]) => {
    const weights = past.map((_, index) => weight ** (past.length - 1 - index));
    const sum = past.reduce((total, value, index) => total + value * weights[index], 0);
    return sum / weights.reduce((total, one) => total + one, 0);
  };
  const wanted = [mean(4), mean(4, 2), NaN, mean(4, 2, 8)];
  smooth(values, weight).forEach((value, index) => {
    const close = Number.isNaN(wanted[index])
      ? Number.isNaN(value)
      : Math.abs(value - wanted[index]) < 1e-12;
    assert.ok(close, `${value} at ${index} should be ${wanted[index]}`);
  });
  assert.deepEqual(smooth(values, 0), values);
  assert.deepEqual(
    smooth([3, 3, 3], 0.99).map((value) => value.toFixed(9)),
    Array(3).fill("3.000000000"),
  );
});

function chartRun(
  given: Partial<ChartRun> & { readonly steps: number[]; readonly loss: number[] },
): ChartRun {
  const curves = new Curves();
  curves.reset(columnsOf(given.steps, { loss: given.loss }));
  return { run: "a", label: "digits", color: "blue", events: [], parent: null, curves, ...given };
}

test("a fork is drawn from its branching point, beside its parent only", () => {
  const parent = chartRun({ steps: [1, 2, 3, 4], loss: [4, 3, 2, 1] });
  const past = { run: "b", parent: { run: "a", step: 2 } };
  const whole = chartRun({ ...past, steps: [1, 2, 3, 4], loss: [4, 3, 9, 8] });
  const [figure] = figuresOf([parent, whole], 0);
  assert.deepEqual(figure.lines[1].steps, [2, 3, 4]);
  assert.deepEqual(figure.lines[1].values, [3, 9, 8]);
  const own = chartRun({ ...past, steps: [3, 4], loss: [9, 8] });
  assert.deepEqual(
    figuresOf([parent, own], 0)[0].lines[1].values,
    [3, 9, 8],
    "joined to the parent",
  );
  assert.deepEqual(figuresOf([whole], 0)[0].lines[0].steps, [1, 2, 3, 4]);
  const events = [changeAt(1, 0.1, 0.2), changeAt(3, 0.2, 0.3)];
  const marked = figuresOf([parent, { ...whole, events }], 0)[0].markers;
  assert.deepEqual(
    marked.map(({ step }) => step),
    [3],
    "what was before is its parent's",
  );
});

test("figures are those of all names, and marks are of what changed the run", () => {
  const other = new Curves();
  other.reset(columnsOf([1], { accuracy: [0.5] }));
  const events = [changeAt(1, 0.1, 0.2), { step: 2, kind: "pause" as const, text: "paused" }];
  const figures = figuresOf(
    [
      chartRun({ steps: [1, 2], loss: [2, 1], events }),
      { ...chartRun({ steps: [], loss: [] }), curves: other },
    ],
    0,
  );
  assert.deepEqual(
    figures.map(({ name, lines }) => [name, lines.length]),
    [
      ["loss", 1],
      ["accuracy", 1],
    ],
  );
  assert.deepEqual(figures[0].markers, [
    { run: "a", step: 1, text: "lr 0.1 → 0.2", kind: "set", color: "blue" },
  ]);
});

test("a drag of a slider is one change", () => {
  const drag = [changeAt(100, 0.1, 0.08), changeAt(101, 0.08, 0.05), changeAt(103, 0.05, 0.02)];
  const later = changeAt(900, 0.02, 0.5);
  const joined = withDragsJoined([...drag, later], 1000);
  assert.deepEqual(
    joined.map(({ step, text }) => [step, text]),
    [
      [103, "lr 0.1 → 0.02"],
      [900, "lr 0.02 → 0.5"],
    ],
  );
  assert.equal(joined[0].values?.["lr"], 0.02);
  const between = { step: 102, kind: "watch" as const, text: "loss is NaN" };
  assert.equal(withDragsJoined([drag[0], between, drag[2]], 1000).length, 3);
  const other = { ...changeAt(101, 1, 2), values: { momentum: 2 } };
  assert.equal(withDragsJoined([drag[0], other], 1000).length, 2);
});

test("places among steps", () => {
  const steps = [1, 5, 9];
  assert.deepEqual(
    [0, 1, 2, 5, 6, 9, 10].map((step) => firstIndexFrom(steps, step)),
    [0, 0, 1, 1, 2, 2, 3],
  );
  assert.deepEqual(
    [0, 2, 4, 8, 99].map((step) => nearestIndex(steps, step)),
    [0, 0, 1, 2, 2],
  );
  assert.equal(nearestIndex([], 3), -1);
});

test("ticks are round, inside, and not too many", () => {
  assert.deepEqual(
    linearTicks(0, 1, 5).map(({ label }) => label),
    ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"],
  );
  assert.deepEqual(
    linearTicks(-30, 80, 4).map(({ value }) => value),
    [0, 50],
  );
  assert.deepEqual(
    linearTicks(0, 20000, 4).map(({ label }) => label),
    ["0", "5000", "10k", "15k", "20k"],
  );
  assert.deepEqual(linearTicks(2, 2, 4), []);
  assert.deepEqual(
    logTicks(1e-4, 1, 6).map(({ value }) => value),
    [1e-4, 1e-3, 1e-2, 0.1, 1],
  );
  assert.deepEqual(
    logTicks(0.5, 6, 6).map(({ value }) => value),
    [0.5, 1, 2, 5],
  );
  assert.deepEqual(logTicks(-1, 5, 4), []);
  for (const [low, high] of [
    [0, 7],
    [1e-9, 3e-9],
    [-5e6, 5e6],
  ]) {
    const ticks = linearTicks(low, high, 5);
    assert.ok(
      ticks.length >= 2 && ticks.length <= 6,
      `${ticks.length} ticks from ${low} to ${high}`,
    );
    assert.ok(ticks.every(({ value }) => value >= low - 1e-12 && value <= high + 1e-12));
  }
});

test("ranges pass over what is not finite, and what a log scale cannot show", () => {
  assert.deepEqual(
    extent(
      [
        [1, NaN, -2],
        [Infinity, 5],
      ],
      false,
    ),
    [-2, 5],
  );
  assert.deepEqual(extent([[1, 0, -2, 10]], true), [1, 10]);
  assert.equal(extent([[NaN]], false), null);
  const [low, high] = padded([3, 3], false);
  assert.ok(low < 3 && high > 3);
});

test("a chart is described once, with every reference resolved", () => {
  const line = { label: "one", color: "", generation: "", steps: [1], values: [2], raw: [2] };
  const figures = ["loss", "accuracy"].map((name) => ({
    name,
    markers: [],
    lines: [
      { run: "a", ...line },
      { run: "b", ...line },
    ],
  }));
  for (const log of [false, true]) {
    const { item, curves, marks, chosen } = describeChart(figures, log, "3.9.2");
    const text = JSON.stringify(item);
    const made = [...text.matchAll(/"name":"(\w+)","id":"([^"]+)"/g)];
    const ids = made.map(([, , id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const [, id] of text.matchAll(/\{"id":"([^"]+)"\}/g)) assert.ok(ids.includes(id), id);
    assert.deepEqual(
      curves.map(({ run, name }) => [run, name]),
      [
        ["a", "loss"],
        ["b", "loss"],
        ["a", "accuracy"],
        ["b", "accuracy"],
      ],
    );
    // A run's marks are in both figures, from one source.
    assert.deepEqual(
      marks.map(({ run, glyphs }) => [run, glyphs.length]),
      [
        ["a", 2],
        ["b", 2],
      ],
    );
    const used = [...curves, ...marks, chosen].flatMap((each) => [each.source, ...each.glyphs]);
    for (const id of used) assert.ok(ids.includes(id));
    assert.equal(text.includes("LogScale"), log);
  }
});
