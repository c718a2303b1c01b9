import { meanOf, type Rows } from "./rows.js";

const PASSES = 6;

/**
 * Centres of all vertices along their rows: each as near to its neighbours' mean as the order of
 * the row and `gap` between vertices allow. The smallest left edge is 0.
 */
export function placeAcross({ rows, above, below }: Rows, widths: Float64Array, gap: number) {
  const centre = new Float64Array(widths.length);
  for (const row of rows) {
    let edge = 0;
    for (const vertex of row) {
      centre[vertex] = edge + widths[vertex] / 2;
      edge += widths[vertex] + gap;
    }
  }
  const align = (row: readonly number[], neighbours: readonly number[][]): void => {
    const wanted = row.map((vertex) => meanOf(neighbours[vertex], centre) ?? centre[vertex]);
    let edge = -Infinity;
    let excess = 0;
    row.forEach((vertex, index) => {
      centre[vertex] = Math.max(wanted[index], edge + widths[vertex] / 2);
      edge = centre[vertex] + widths[vertex] / 2 + gap;
      excess += centre[vertex] - wanted[index];
    });
    // Pushing only to the right would let the picture drift: give the row back its mean place.
    for (const vertex of row) centre[vertex] -= excess / row.length;
  };
  for (let pass = 0; pass < PASSES; pass++) {
    if (pass % 2 === 0) for (const row of rows) align(row, above);
    else for (const row of rows.toReversed()) align(row, below);
  }
  let left = Infinity;
  centre.forEach((value, vertex) => (left = Math.min(left, value - widths[vertex] / 2)));
  return centre.map((value) => value - left);
}
