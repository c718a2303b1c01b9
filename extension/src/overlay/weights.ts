import { CONTROL, type Graph } from "../scene/types.js";

/** What an unknown dimension counts as: all of a graph's share it, so that it cancels as a rule. */
const UNKNOWN_DIMENSION = 1;

/** The number of elements of each operation's results, from the shapes on its edges; at least 1. */
export function resultSizes(graph: Graph): Float32Array {
  const sizes = graph.shapes.map(elementsOf);
  const weights = new Float32Array(graph.names.length).fill(1);
  const { edgeSource, edgeOutput, edgeShape, nesting } = graph;
  for (let edge = 0; edge < edgeSource.length; edge++) {
    if (edgeOutput[edge] === CONTROL) continue;
    const size = sizes[edgeShape[edge]];
    const source = edgeSource[edge];
    weights[source] = Math.max(weights[source], size);
    if (nesting === null) continue;
    const owner = nesting.edgeOwner[edge];
    weights[owner] = Math.max(weights[owner], size);
  }
  return weights;
}

/** Elements of a tensor described as "float32[?,784]"; 1 for a scalar and for what is not known. */
export function elementsOf(shape: string): number {
  const dimensions = /\[([\d?,\s]*)\]/.exec(shape)?.[1] ?? "";
  return dimensions.split(",").reduce((product, text) => {
    const dimension = parseInt(text, 10);
    return product * (Number.isNaN(dimension) ? UNKNOWN_DIMENSION : dimension);
  }, 1);
}
