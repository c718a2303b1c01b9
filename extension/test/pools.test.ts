import assert from "node:assert/strict";
import { test } from "node:test";

import { attachLines } from "../src/pool/attach-line.js";
import {
  bytes,
  bytesPerSecond,
  devicesText,
  share,
  shortDevice,
  shortTime,
} from "../src/pool/format.js";
import { endangeredRuns, liveRuns, runsText } from "../src/pool/pool-card.js";
import { decodeSpans, type Span } from "../src/pool/spans.js";
import { readRequest } from "../src/pool/start-form.js";
import { lineOf, shownStretch } from "../src/pool/timeline-model.js";
import { sharesText, wireText, worksOf } from "../src/pool/worker-row.js";
import type { PoolStatus, WorkerRun, WorkerStatus } from "../src/protocol/messages.js";
import { stateText, titleText, waitingText } from "../src/runs/replicas.js";
import { bytesOf } from "./fake-channel.js";

const WIRE: WorkerStatus["wire"] = {
  sent: null,
  received: null,
  shared: null,
  saved: null,
  total_sent: null,
  total_received: null,
  total_saved: null,
};

function spanOf(given: Partial<Span>): Span {
  return { kind: "compute", lane: 0, depth: 0, step: 1, begins: 0, ends: 1, ...given };
}

/** Steps of a worker, one a second or so often. */
function steps(count: number, first = 0, seconds = 1): Span[] {
  return Array.from({ length: count }, (_, step) => {
    const begins = first + step * seconds;
    return spanOf({ step, begins, ends: begins + 0.9 * seconds });
  });
}

test("spans come as rows of numbers, and what is none is left out", () => {
  const rows = [
    [0, 3, 0, 512, 1.5, 2.5],
    [2, 3, 1, 512, 2, 2.25],
    [9, 0, 0, 0, 1, 2],
    [1, 0, 0, 0, 2, 1],
  ];
  const found = decodeSpans(bytesOf(Float64Array.from(rows.flat()), 3));
  assert.deepEqual(found, [
    { kind: "compute", lane: 3, depth: 0, step: 512, begins: 1.5, ends: 2.5 },
    { kind: "wait", lane: 3, depth: 1, step: 512, begins: 2, ends: 2.25 },
  ]);
  assert.deepEqual(decodeSpans(undefined), []);
  assert.deepEqual(decodeSpans(bytesOf(new Float64Array(7))).length, 1);
});

test("the last four steps are shown, up to where all workers are known", () => {
  assert.equal(shownStretch([]), null);
  assert.equal(shownStretch([[], []]), null);
  assert.deepEqual(shownStretch([steps(10), []]), { begins: 6, ends: 9.9 });
  assert.deepEqual(shownStretch([steps(10), steps(10, 0.5), []]), { begins: 6, ends: 9.9 });
  // Of the quickest, for there may be no more of it; and nobody waits for one that does nothing.
  const quick = steps(20, 5, 0.25);
  assert.deepEqual(shownStretch([steps(10), quick]), { begins: 8.925, ends: 9.9 });
  assert.deepEqual(shownStretch([steps(3), quick]), { begins: 9, ends: 9.975 });
  // One step that is long is shown as far as there is room for it.
  assert.deepEqual(shownStretch([[spanOf({ begins: 0, ends: 100 })]]), { begins: 90, ends: 100 });
});

test("steps are counted in the thread that takes most of them", () => {
  const other = steps(10).map((span) => ({ ...span, lane: 1, ends: span.begins + 0.1 }));
  const both = [...other, spanOf({ lane: 2, begins: 0, ends: 9.95 })];
  assert.deepEqual(shownStretch([both]), { begins: 6, ends: 9.95 });
});

test("a line has what is seen of the spans, the inner ones last", () => {
  const inner = spanOf({ kind: "wait", depth: 1, begins: 4, ends: 5 });
  const outer = spanOf({ begins: 2, ends: 6 });
  const before = spanOf({ begins: 0, ends: 1 });
  const { rows, pieces } = lineOf([inner, before, outer], { begins: 3, ends: 7 });
  assert.equal(rows, 1);
  assert.deepEqual(
    pieces.map(({ kind, from, to }) => [kind, from, to]),
    [
      ["compute", 0, 0.75],
      ["wait", 0.25, 0.5],
    ],
  );
});

test("threads have rows of their own, three at most", () => {
  const lanes = [7, 2, 9, 4].map((lane) => spanOf({ lane }));
  const { rows, pieces } = lineOf(lanes, { begins: 0, ends: 1 });
  assert.equal(rows, 3);
  assert.deepEqual(
    pieces.map(({ row }) => row),
    [2, 0, 2, 1],
  );
});

test("numbers are written for people", () => {
  assert.deepEqual([0, 999, 1000, 9949, 76_000_000, 25e9, null].map(bytes), [
    "0 B",
    "999 B",
    "1.0 kB",
    "9.9 kB",
    "76 MB",
    "25 GB",
    "–",
  ]);
  assert.equal(bytesPerSecond(1234), "1.2 kB/s");
  assert.equal(bytesPerSecond(null), "–");
  assert.deepEqual([0.124, 1.5, null, NaN].map(share), ["12 %", "150 %", "–", "–"]);
  assert.deepEqual([3.14, 0.0124, 240e-6].map(shortTime), ["3.1 s", "12 ms", "240 µs"]);
  assert.equal(shortDevice("/job:worker/task:1/device:CPU:0"), "CPU:0");
  const devices = [0, 1, 2].map((index) => `/job:worker/task:1/device:CPU:${index}`);
  assert.equal(devicesText(devices.slice(1)), "CPU:1, CPU:2");
  assert.equal(devicesText(devices), "3 devices");
});

const run: WorkerRun = {
  run: "a",
  name: "digits",
  state: "running",
  step: 1512,
  steps: 2000,
  rate: 364,
};

test("a worker says what it is at", () => {
  const told = (given: Partial<WorkerRun>) => worksOf({ runs: [{ ...run, ...given }], steps: [] });
  assert.deepEqual(told({}), [{ name: "digits", told: "1,512 / 2,000 · 364 steps/s" }]);
  assert.deepEqual(told({ state: "paused", steps: null }), [{ name: "digits", told: "1,512" }]);
  assert.deepEqual(told({ joins: true }), [{ name: "digits", told: "joins" }]);
  const step = { step: 7, seconds: 0.2, awaited: "weights:0" };
  assert.deepEqual(worksOf({ runs: [], steps: [step, { ...step, awaited: "" }] }), [
    { name: "waits for weights:0", told: "step 7" },
    { name: "", told: "step 7" },
  ]);
  assert.deepEqual(worksOf({ runs: [], steps: [] }), []);
  assert.equal(
    wireText({ wire: { ...WIRE, sent: 2000, received: 1000 } }),
    "↑ 2.0 kB/s ↓ 1.0 kB/s",
  );
  assert.equal(
    wireText({ wire: { ...WIRE, sent: 0, received: 0, shared: 3e6, saved: 1e6 } }),
    "↑ 0 B/s ↓ 0 B/s · 3.0 MB/s shared · 1.0 MB/s saved",
  );
  assert.equal(
    sharesText({ shares: { compute: 1.02, exchange: 0.001, wait: 0.08 } }),
    "on average 100 % compute, 8 % wait",
  );
  assert.equal(
    sharesText({ shares: { compute: 1.7, exchange: 0, wait: 0 } }),
    "on average 170 % compute",
  );
  assert.equal(sharesText({ shares: null }), "");
});

test("runs that would end with a pool are named", () => {
  const workers = [{ runs: [run] }, { runs: [] }] as unknown as WorkerStatus[];
  assert.deepEqual(liveRuns({ workers }), [run]);
  const further = { ...run, step: 1513 };
  const other = { ...run, run: "b", name: "letters" };
  const three = { workers: [{ runs: [run] }, { runs: [other, further] }] } as unknown as PoolStatus;
  assert.deepEqual(liveRuns(three), [further, other]);
  // One more has the first, whoever leaves.
  assert.deepEqual(endangeredRuns(three, 1), [other]);
  assert.deepEqual(endangeredRuns(three, 2), [further, other]);
  assert.deepEqual(endangeredRuns(three, -1), []);
  const joined = { ...run, joins: true };
  const two = { workers: [{ runs: [further] }, { runs: [joined] }] } as unknown as PoolStatus;
  assert.deepEqual(endangeredRuns(two, 1), [further]);
  assert.equal(runsText([run]), "digits goes on at step 1,512");
  assert.equal(runsText([run, { ...run, name: "letters" }]), "2 runs go on: digits, letters");
});

test("a pool is asked for in ranges that the kernel accepts", () => {
  assert.deepEqual(readRequest("", "2", "1"), { name: null, workers: 2, devices: 1 });
  assert.deepEqual(readRequest(" trial.2 ", "0", "3"), {
    name: "trial.2",
    workers: 0,
    devices: 3,
  });
  for (const [name, workers, devices, word] of [
    ["no name", "2", "1", "name"],
    ["-first", "2", "1", "name"],
    ["", "", "1", "workers"],
    ["", "1.5", "1", "workers"],
    ["", "-1", "1", "workers"],
    ["", "2", "0", "devices"],
    ["", "2", "many", "devices"],
  ]) {
    const found = readRequest(name, workers, devices);
    assert.match(typeof found === "string" ? found : "accepted", new RegExp(word, "i"));
  }
});

test("the lines that attach import the workbench where nothing else does", () => {
  const local = { name: "local", kind: "local", address: "tls://127.0.0.1:1" };
  const line = 'pool = wb.pool.attach("local")';
  assert.equal(attachLines(local, []), `import workbench as wb\n\n${line}`);
  assert.equal(attachLines(local, ["import numpy", "x = 1\nimport workbench as wb"]), line);
  assert.equal(attachLines(local, ["# import workbench as wb"]).split("\n").length, 3);
  const others = { ...local, kind: "connected", address: "tls://host:8786" };
  assert.match(attachLines(others, [line]), /wb\.pool\.connect\("tls:\/\/host:8786", keys=/);
});

test("a replica says how long it has been waiting", () => {
  const replica = { worker: "worker 0", leads: true, state: "waits" } as const;
  assert.equal(stateText(replica), "waits");
  assert.equal(stateText({ ...replica, seconds: 3.2 }), "waits 3.2 s");
  assert.equal(waitingText({ ...replica, waiting: 0.082 }), "8.2 % waiting");
  assert.equal(waitingText(replica), "");
});

test("replicas say how they train together", () => {
  const terms = { replicas: 4, strategy: "sync", encoding: null };
  assert.equal(titleText(2, null), "Replicas 2");
  assert.equal(titleText(4, terms), "Replicas 4, sync");
  assert.equal(titleText(2, { ...terms, encoding: "int8" }), "Replicas 2 of 4, sync, int8");
});
