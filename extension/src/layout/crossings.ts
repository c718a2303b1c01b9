import { groupBy, type Groups } from "../scene/links.js";
import type { Segments } from "./skeleton.js";

const SWEEPS = 6;

/** Levels with more segments are ordered without counting what it brings. */
const MOST_COUNTED = 20_000;

/** Neighbours of each vertex in the row above or below it. */
export function neighbours({ vertices, upper, lower }: Segments, side: "above" | "below"): Groups {
  const groups = groupBy(side === "above" ? lower : upper, vertices);
  const others = side === "above" ? upper : lower;
  return { start: groups.start, members: groups.members.map((segment) => others[segment]) };
}

/** Order each row by the mean place of its neighbours, downwards and upwards in turn. */
export function orderRows(rows: readonly number[][], segments: Segments): Int32Array[] {
  const above = neighbours(segments, "above");
  const below = neighbours(segments, "below");
  const place = new Float64Array(segments.vertices);
  const wanted = new Float64Array(segments.vertices);
  const settle = (row: readonly number[]): void => {
    for (let index = 0; index < row.length; index++) place[row[index]] = index;
  };
  const sort = (row: number[], { start, members }: Groups): void => {
    if (row.length < 2) return;
    for (const vertex of row) {
      const [from, to] = [start[vertex], start[vertex + 1]];
      let sum = 0;
      for (let k = from; k < to; k++) sum += place[members[k]];
      wanted[vertex] = to > from ? sum / (to - from) : place[vertex];
    }
    row.sort((left, right) => wanted[left] - wanted[right]); // stable, so ties keep their order
    settle(row);
  };
  rows.forEach(settle);
  // Bends begin between the ends of their links instead of behind all things of their row.
  for (let row = 1; row < rows.length; row++) sort(rows[row], above);
  const counted = segments.upper.length <= MOST_COUNTED;
  let best = rows.map((row) => Int32Array.from(row));
  let least = counted ? countAll(rows, above, place) : 0;
  for (let sweep = 0; sweep < SWEEPS && (least > 0 || !counted); sweep++) {
    if (sweep % 2 === 0) for (let row = rows.length - 2; row >= 0; row--) sort(rows[row], below);
    else for (let row = 1; row < rows.length; row++) sort(rows[row], above);
    const crossings = counted ? countAll(rows, above, place) : -1;
    if (crossings < least || !counted) {
      least = crossings;
      best = rows.map((row) => Int32Array.from(row));
    }
  }
  return best;
}

function countAll(rows: readonly number[][], above: Groups, place: Float64Array): number {
  let crossings = 0;
  for (let row = 1; row < rows.length; row++) {
    crossings += countCrossings(rows[row], rows[row - 1].length, above, place);
  }
  return crossings;
}

/** Crossings between a row and the one above it, of `width` vertices: inversions in a sum tree. */
export function countCrossings(
  row: ArrayLike<number>,
  width: number,
  { start, members }: Groups,
  place: Float64Array,
): number {
  const tree = new Int32Array(width + 1);
  let crossings = 0;
  let before = 0;
  for (let index = 0; index < row.length; index++) {
    const vertex = row[index];
    // What stands further right above and further left here crosses; ends that are shared do not.
    for (let k = start[vertex]; k < start[vertex + 1]; k++) {
      let upTo = 0;
      for (let node = place[members[k]] + 1; node > 0; node -= node & -node) upTo += tree[node];
      crossings += before - upTo;
    }
    for (let k = start[vertex]; k < start[vertex + 1]; k++) {
      for (let node = place[members[k]] + 1; node <= width; node += node & -node) tree[node]++;
      before++;
    }
  }
  return crossings;
}
