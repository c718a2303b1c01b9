import type { Link } from "./adjacency.js";

/** Longer links run in a lane at the side: their bends would drown the rows in between. */
export const LONGEST_SPAN = 8;
const SWEEPS = 4;

/**
 * Items and the bends of longer links, row by row from left to right.
 *
 * A vertex is an item (its own index) or a bend (numbered from the item count on).
 */
export interface Rows {
  readonly rows: readonly number[][];
  readonly above: readonly number[][];
  readonly below: readonly number[][];
  /** For every link its bends from top to bottom, or null if it runs in a lane. */
  readonly bends: readonly (readonly number[] | null)[];
}

/** Give every link of moderate span a bend in each row it crosses, and order the rows. */
export function arrangeRows(rank: Int32Array, links: readonly Link[], back: boolean[]): Rows {
  const rows: number[][] = [];
  const above: number[][] = [];
  const below: number[][] = [];
  const addVertex = (row: number): number => {
    const vertex = above.length;
    while (rows.length <= row) rows.push([]);
    rows[row].push(vertex);
    above.push([]);
    below.push([]);
    return vertex;
  };
  for (const row of rank) addVertex(row);
  const bends = links.map(({ source, target }, index) => {
    if (back[index] || rank[target] - rank[source] > LONGEST_SPAN) return null;
    const path: number[] = [];
    let upper = source;
    for (let row = rank[source] + 1; row <= rank[target]; row++) {
      const lower = row === rank[target] ? target : addVertex(row);
      below[upper].push(lower);
      above[lower].push(upper);
      if (lower !== target) path.push(lower);
      upper = lower;
    }
    return path;
  });
  reduceCrossings(rows, above, below);
  return { rows, above, below, bends };
}

/** Order each row by the mean place of its neighbours, downwards and upwards in turn. */
function reduceCrossings(rows: number[][], above: number[][], below: number[][]): void {
  const place = new Float64Array(above.length);
  const wanted = new Float64Array(above.length);
  const settle = (row: number[]): void => row.forEach((vertex, index) => (place[vertex] = index));
  rows.forEach(settle);
  const sweep = (row: number[], neighbours: number[][]): void => {
    for (const vertex of row) wanted[vertex] = meanOf(neighbours[vertex], place) ?? place[vertex];
    row.sort((left, right) => wanted[left] - wanted[right]); // stable, so ties keep their order
    settle(row);
  };
  for (let count = 0; count < SWEEPS; count++) {
    if (count % 2 === 0) for (let row = 1; row < rows.length; row++) sweep(rows[row], above);
    else for (let row = rows.length - 2; row >= 0; row--) sweep(rows[row], below);
  }
}

/** The mean of `values` at `vertices`, or undefined where there are none. */
export function meanOf(vertices: readonly number[], values: Float64Array): number | undefined {
  if (vertices.length === 0) return undefined;
  let sum = 0;
  for (const vertex of vertices) sum += values[vertex];
  return sum / vertices.length;
}
