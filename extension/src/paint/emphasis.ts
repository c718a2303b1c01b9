import type { Graph, Trace } from "../scene/types.js";
import type { Emphasis } from "./frame.js";
import type { Geometry } from "./geometry.js";

/**
 * The boxes and edges of a scene that show a trace. `visible` has the item that stands for each
 * operation; the open scopes around what stands out stand out too.
 */
export function emphasisOf(
  trace: Trace,
  graph: Graph,
  visible: Uint32Array,
  geometry: Geometry,
): Emphasis {
  const { scene } = geometry;
  const boxes = new Uint8Array(scene.item.length);
  const edges = new Uint8Array(scene.edgeSource.length);
  const boxOf = (operation: number): number => geometry.boxOf(visible[operation]);
  for (const operation of trace.operations) {
    for (let box = boxOf(operation); box >= 0 && boxes[box] === 0; box = scene.parent[box]) {
      boxes[box] = 1;
    }
  }
  for (const edge of trace.edges) {
    const shown = geometry.edgeBetween(
      boxOf(graph.edgeSource[edge]),
      boxOf(graph.edgeTarget[edge]),
    );
    if (shown >= 0) edges[shown] = 1;
  }
  return { boxes, edges };
}
