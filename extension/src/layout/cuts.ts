import { filled, type Numbers } from "./lists.js";
import type { Skeleton } from "./skeleton.js";

/** What a branch of a line counts; the line itself counts 1. */
const BRANCH_COST = 0.2;

/**
 * What it costs to end a column behind each row: the lines that are cut. Links of one source are
 * one line with branches, and so are those to the lower port.
 */
export function countCut({ count, rows, rowOf, source, target, back }: Skeleton): Numbers {
  const cost = filled(rows.length + 1, 0);
  const last = filled(count + 2, -1);
  let firstExit = rows.length;
  for (let link = 0; link < source.length; link++) {
    if (back[link]) continue;
    const [from, to] = [rowOf[source[link]], rowOf[target[link]]];
    cost[from] += BRANCH_COST;
    cost[to] -= BRANCH_COST;
    if (target[link] === count + 1) firstExit = Math.min(firstExit, from);
    else last[source[link]] = Math.max(last[source[link]], to);
  }
  for (let vertex = 0; vertex <= count; vertex++) {
    if (rowOf[vertex] < 0 || last[vertex] < 0) continue;
    cost[rowOf[vertex]]++;
    cost[last[vertex]]--;
  }
  if (firstExit < rows.length) cost[firstExit]++;
  for (let row = 1; row < rows.length; row++) cost[row] += cost[row - 1];
  // A port stays with the row that it leads to.
  if (rowOf[count] === 0) cost[0] = Infinity;
  if (rowOf[count + 1] > 0) cost[rowOf[count + 1] - 1] = Infinity;
  return cost;
}
