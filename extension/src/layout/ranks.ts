import { filled, groupPlaces, type Numbers } from "./lists.js";

/** At most so many things stand in one row. */
export const WIDEST_ROW = 14;

/**
 * The row of every vertex: below all that it depends on, by the longest path.
 *
 * Links marked in `back` do not count, and the rest must be acyclic. What depends on nothing
 * (constants, variables), and what only passes it on, is drawn down to just above its first use.
 * Rows of more than WIDEST_ROW are split. Vertices without any link fill rows of their own at the
 * end. No row is empty. What `entered` marks depends on something outside, and stays above.
 */
export function assignRanks(
  count: number,
  source: Numbers,
  target: Numbers,
  back: Numbers,
  entered: Numbers,
): Numbers {
  const outgoing = groupPlaces(source, count);
  const inputs = filled(count, 0);
  const outputs = filled(count, 0);
  const lastInput = filled(count, -1);
  for (let link = 0; link < source.length; link++) {
    if (back[link]) continue;
    inputs[target[link]]++;
    outputs[source[link]]++;
    lastInput[target[link]] = source[link];
  }
  const rank = filled(count, 0);
  const waiting = inputs.slice();
  const order: Numbers = [];
  for (let vertex = 0; vertex < count; vertex++) if (inputs[vertex] === 0) order.push(vertex);
  for (let index = 0; index < order.length; index++) {
    const vertex = order[index];
    for (let k = outgoing.start[vertex]; k < outgoing.start[vertex + 1]; k++) {
      const link = outgoing.members[k];
      if (back[link]) continue;
      const next = target[link];
      if (rank[next] <= rank[vertex]) rank[next] = rank[vertex] + 1;
      if (--waiting[next] === 0) order.push(next);
    }
  }

  // A vertex hangs on its use if all it needs has no other use, up to a source.
  const hangs = filled(count, 0);
  for (const vertex of order) {
    const input = lastInput[vertex];
    if (entered[vertex]) continue;
    if (inputs[vertex] === 0) hangs[vertex] = outputs[vertex] > 0 ? 1 : 0;
    else if (inputs[vertex] === 1 && outputs[input] === 1) hangs[vertex] = hangs[input];
  }
  for (let index = order.length - 1; index >= 0; index--) {
    const vertex = order[index];
    if (!hangs[vertex] || outputs[vertex] === 0) continue;
    let first = count;
    for (let k = outgoing.start[vertex]; k < outgoing.start[vertex + 1]; k++) {
      const link = outgoing.members[k];
      if (!back[link]) first = Math.min(first, rank[target[link]]);
    }
    rank[vertex] = first - 1;
  }
  return splitRows(rank, inputs, outputs);
}

/** Number the rows anew, without empty ones, and with wide ones split into several. */
function splitRows(rank: Numbers, inputs: Numbers, outputs: Numbers): Numbers {
  const count = rank.length;
  const alone: Numbers = [];
  let rowCount = 0;
  for (let vertex = 0; vertex < count; vertex++) {
    if (inputs[vertex] === 0 && outputs[vertex] === 0) alone.push(vertex);
    else rowCount = Math.max(rowCount, rank[vertex] + 1);
  }
  const rows: Numbers[] = Array.from({ length: rowCount }, () => []);
  for (let vertex = 0; vertex < count; vertex++) {
    if (inputs[vertex] > 0 || outputs[vertex] > 0) rows[rank[vertex]].push(vertex);
  }
  const split = filled(count, 0);
  let next = 0;
  const fill = (vertices: Numbers, widest: number): void => {
    const needed = Math.ceil(vertices.length / widest);
    for (let index = 0; index < vertices.length; index++) {
      split[vertices[index]] = next + Math.floor((index * needed) / vertices.length);
    }
    next += needed;
  };
  for (const row of rows) fill(row, WIDEST_ROW);
  fill(alone, Math.min(WIDEST_ROW, Math.max(4, Math.ceil(Math.sqrt(alone.length)))));
  return split;
}
