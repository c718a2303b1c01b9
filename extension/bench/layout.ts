// Milliseconds from a graph to its pictures. The first run counts, as it does for a user; for the
// smallest graph the engine has compiled nothing yet.
//
//   read       scopes, series, segments         open        every scope open, nothing kept yet
//   first      the first picture                again       all open again
//   expand     one scope more, the median of some
//
// Ends with an error if reading and the first picture take more than 1 s and 50 ms for each 1,000
// operations, or a scope more than 100 ms: a busy machine keeps that, a quiet one needs far less.
import { findFirstOpen } from "../src/scene/first.js";
import { ancestorsOf, buildHierarchy } from "../src/scene/hierarchy.js";
import { SceneBuilder } from "../src/scene/scene.js";
import { Search } from "../src/scene/search.js";
import type { Graph } from "../src/scene/types.js";
import { cells, flat, residual, transformer } from "../test/networks.js";
import { randomGraph } from "../test/random.js";

function timed<Result>(work: () => Result): [Result, number] {
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
}

const GRAPHS: [string, () => Graph][] = [
  ["random 100", () => randomGraph({ count: 100, seed: 42, aside: 0.2 })],
  ["random 1,000", () => randomGraph({ count: 1000, seed: 42, aside: 0.2 })],
  ["random 10,000", () => randomGraph({ count: 10_000, seed: 42, aside: 0.2 })],
  ["random 50,000", () => randomGraph({ count: 50_000, seed: 42, aside: 0.2 })],
  ["transformer", () => transformer(24)],
  ["ResNet152", () => residual([3, 8, 36, 3])],
  ["NASNet", () => cells(18)],
  ["flat 9,000", () => flat(600)],
  ["flat 50,000", () => flat(3400)],
];

const HEADINGS = ["read", "first", "expand", "open", "again", "search"];
console.log(
  ["graph".padEnd(16), "operations", "edges", ...HEADINGS]
    .map((heading) => heading.padStart(9))
    .join(" "),
);
for (const [name, make] of GRAPHS) {
  const graph = make();
  const [hierarchy, read] = timed(() => buildHierarchy(graph));
  const [[builder, open], first] = timed(() => {
    const made = new SceneBuilder(hierarchy, 1.6);
    const opened = [...findFirstOpen(hierarchy)];
    made.build(opened);
    return [made, opened] as const;
  });
  const expansions: number[] = [];
  for (
    let group = hierarchy.operations;
    group < hierarchy.count;
    group += Math.ceil(hierarchy.count / 50)
  ) {
    const around = [...open, ...ancestorsOf(hierarchy, group)];
    builder.build(around);
    expansions.push(timed(() => builder.build([...around, group]))[1]);
  }
  expansions.sort((one, other) => one - other);
  const expand = expansions[expansions.length >> 1];
  const groups = Array.from(
    { length: hierarchy.count - hierarchy.operations },
    (_, group) => hierarchy.operations + group,
  );
  const fresh = new SceneBuilder(hierarchy, 1.6);
  const [, all] = timed(() => fresh.build(groups));
  const [, again] = timed(() => fresh.build(groups));
  const [, search] = timed(() => new Search(hierarchy).find("op_1 type:add", 50));
  const numbers = [hierarchy.operations, graph.edgeSource.length].map(String);
  const times = [read, first, expand, all, again, search].map((time) => time.toFixed(1));
  console.log([name.padEnd(16), ...numbers, ...times].map((cell) => cell.padStart(9)).join(" "));
  const most = 1000 + 0.05 * hierarchy.operations;
  if (read + first > most || expand > 100) {
    console.error(
      `${name} takes too long: ${(read + first).toFixed(0)} ms of ${most.toFixed(0)} ms`,
    );
    process.exitCode = 1;
  }
}
