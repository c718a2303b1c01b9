// Milliseconds to make scenes of random graphs: from the graph, closed, all open, one scope opened
// and closed again. The first run counts, as it does for a user; for the smallest graph the engine
// has compiled nothing yet.
import { buildHierarchy } from "../src/scene/hierarchy.js";
import { SceneBuilder } from "../src/scene/scene.js";
import { randomGraph } from "../test/random.js";

function timed<Result>(work: () => Result): [Result, number] {
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
}

console.log("operations   edges   read ms   closed ms   all open ms   again ms   one scope ms");
for (const flat of [false, true]) {
  for (const count of [100, 1000, 10_000, 50_000]) {
    const graph = randomGraph({ count, seed: 42, aside: 0.2, flat });
    const [hierarchy, read] = timed(() => buildHierarchy(graph));
    const [builder] = timed(() => new SceneBuilder(hierarchy, 1.6));
    const [, closed] = timed(() => builder.build([]));
    const groups = Array.from({ length: hierarchy.count - count }, (_, group) => count + group);
    const [, open] = timed(() => builder.build(groups));
    const [, again] = timed(() => builder.build(groups));
    const [, one] = timed(() => builder.build(groups.slice(0, -1)));
    const columns: [number, number][] = [
      [count, 10],
      [graph.edgeSource.length, 8],
    ];
    const times: [number, number][] = [
      [read, 10],
      [closed, 12],
      [open, 14],
      [again, 11],
      [one, 15],
    ];
    console.log(
      columns.map(([value, width]) => String(value).padStart(width)).join("") +
        times.map(([value, width]) => value.toFixed(1).padStart(width)).join("") +
        (flat ? "  flat" : ""),
    );
  }
}
