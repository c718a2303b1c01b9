// Milliseconds to lay out random graphs: flat, and with every scope open. The first run counts, as
// it does for a user; for the smallest graph the engine has compiled nothing yet.
import { layoutLayered } from "../src/layout/layered.js";
import { buildHierarchy } from "../src/scene/hierarchy.js";
import { buildScene } from "../src/scene/scene.js";
import { randomGraph } from "../test/random.js";

console.log("operations   edges   flat ms   scenes: read ms   closed ms   all open ms");
for (const count of [100, 1000, 5000, 20000]) {
  const graph = randomGraph(count, 42);
  const sizes = new Array(count).fill({ width: 90, height: 28 });
  const timed = <Result>(work: () => Result): [Result, string] => {
    const start = performance.now();
    const result = work();
    return [result, (performance.now() - start).toFixed(1)];
  };
  const [, flat] = timed(() => layoutLayered(sizes, graph.edges));
  const [hierarchy, read] = timed(() => buildHierarchy(graph));
  const [, closed] = timed(() => buildScene(hierarchy, new Set()));
  const [, open] = timed(() => buildScene(hierarchy, new Set(hierarchy.names)));
  const columns: [string | number, number][] = [
    [count, 10], [graph.edges.length, 8], [flat, 10], [read, 18], [closed, 12], [open, 14],
  ];
  console.log(columns.map(([value, width]) => String(value).padStart(width)).join(""));
}
