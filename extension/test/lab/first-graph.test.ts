import assert from "node:assert/strict";
import test from "node:test";

import { firstGraph } from "../../src/lab/first-graph.js";
import type { GraphSummary, RunStatus } from "../../src/protocol/messages.js";

const graph = (name: string, operations: number): GraphSummary => ({
  graph: name,
  operations,
  version: operations,
});
const run = (state: RunStatus["state"], of: string | null, live = true): RunStatus =>
  ({ state, graph: of, live }) as RunStatus;

const CASES: [string, GraphSummary[], RunStatus[], string][] = [
  ["nothing is there", [], [], "default"],
  ["the default graph has operations", [graph("default", 3), graph("digits", 9)], [], "default"],
  ["only named graphs have", [graph("default", 0), graph("a", 1), graph("b", 2)], [], "b"],
  [
    "a run goes on",
    [graph("default", 3), graph("digits", 9)],
    [run("running", "digits")],
    "digits",
  ],
  ["it has ended", [graph("default", 3)], [run("finished", "digits")], "default"],
  ["it is of another kernel", [graph("default", 3)], [run("running", "digits", false)], "default"],
  ["its graph is not shown", [graph("default", 3)], [run("running", null)], "default"],
  [
    "two go on",
    [graph("default", 0)],
    [run("paused", "first"), run("running", "second")],
    "second",
  ],
];

for (const [title, graphs, runs, expected] of CASES) {
  test(`the first graph of a panel: ${title}`, () => {
    assert.equal(firstGraph(graphs, runs), expected);
  });
}
