import assert from "node:assert/strict";
import test from "node:test";

import type { RunStatus } from "../../src/protocol/messages.js";
import { statusText } from "../../src/lab/status-text.js";

const RUN: RunStatus = {
  run: "a",
  name: "digits",
  state: "running",
  step: 512,
  steps: 2000,
  rate: 812.4,
  eta: 1.8,
  seconds: 0.63,
  values: {},
  observer_cost: 0.004,
  hyperparameters: [],
  graph: null,
  folder: "runs/a",
  parent: null,
  live: true,
  epoch: 0,
  error: null,
  stopped_by: null,
};

const cases: [string, Partial<RunStatus>[], string][] = [
  ["no run says nothing", [], ""],
  ["an old run from a folder says nothing", [{ live: false, state: "finished" }], ""],
  ["a run that runs", [{}], "digits running 512/2000 | 812 steps/s | watching 0.4 %"],
  ["without an end", [{ steps: null }], "digits running 512 | 812 steps/s | watching 0.4 %"],
  ["slow", [{ rate: 0.254 }], "digits running 512/2000 | 0.25 steps/s | watching 0.4 %"],
  ["just begun", [{ rate: null, observer_cost: 0 }], "digits running 512/2000 | watching 0.0 %"],
  ["cheap", [{ observer_cost: 1e-5, rate: null }], "digits running 512/2000 | watching < 0.1 %"],
  ["paused", [{ state: "paused" }], "digits paused 512/2000"],
  [
    "one that runs before a newer one that waits",
    [{ name: "a" }, { state: "paused" }],
    "a running 512/2000 | 812 steps/s | watching 0.4 %",
  ],
  [
    "two that run",
    [{}, { name: "fork" }],
    "fork running 512/2000 | 812 steps/s | watching 0.4 % | 1 more",
  ],
  [
    "failed before finished",
    [{ state: "failed" }, { state: "finished", name: "b" }],
    "digits failed 512/2000",
  ],
];

for (const [name, runs, expected] of cases) {
  test(`the status bar tells of ${name}`, () => {
    assert.equal(statusText(runs.map((run) => ({ ...RUN, ...run }))), expected);
  });
}
