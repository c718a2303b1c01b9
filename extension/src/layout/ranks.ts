import { groupBy } from "../scene/links.js";

/** At most so many things stand in one row. */
export const WIDEST_ROW = 14;

/**
 * The row of every vertex: below all that it depends on, by the longest path.
 *
 * Links marked in `back` do not count, and the rest must be acyclic. What depends on nothing
 * (constants, variables), and what only passes it on, is drawn down to just above its first use.
 * Rows of more than WIDEST_ROW are split. Vertices without any link fill rows of their own at the
 * end. No row is empty.
 */
export function assignRanks(
  count: number,
  source: Int32Array,
  target: Int32Array,
  back: Uint8Array,
): Int32Array {
  const outgoing = groupBy(source, count);
  const inputs = new Int32Array(count);
  const outputs = new Int32Array(count);
  const lastInput = new Int32Array(count).fill(-1);
  for (let link = 0; link < source.length; link++) {
    if (back[link]) continue;
    inputs[target[link]]++;
    outputs[source[link]]++;
    lastInput[target[link]] = source[link];
  }
  const rank = new Int32Array(count);
  const waiting = inputs.slice();
  const order = new Int32Array(count);
  let found = 0;
  for (let vertex = 0; vertex < count; vertex++) if (inputs[vertex] === 0) order[found++] = vertex;
  for (let index = 0; index < found; index++) {
    const vertex = order[index];
    for (let k = outgoing.start[vertex]; k < outgoing.start[vertex + 1]; k++) {
      const link = outgoing.members[k];
      if (back[link]) continue;
      const next = target[link];
      rank[next] = Math.max(rank[next], rank[vertex] + 1);
      if (--waiting[next] === 0) order[found++] = next;
    }
  }

  // A vertex hangs on its use if all it needs has no other use, up to a source.
  const hangs = new Uint8Array(count);
  for (const vertex of order) {
    const input = lastInput[vertex];
    if (inputs[vertex] === 0) hangs[vertex] = outputs[vertex] > 0 ? 1 : 0;
    else if (inputs[vertex] === 1 && outputs[input] === 1) hangs[vertex] = hangs[input];
  }
  for (let index = found - 1; index >= 0; index--) {
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
function splitRows(rank: Int32Array, inputs: Int32Array, outputs: Int32Array): Int32Array {
  const count = rank.length;
  const alone: number[] = [];
  const rows: number[][] = [];
  for (let vertex = 0; vertex < count; vertex++) {
    if (inputs[vertex] === 0 && outputs[vertex] === 0) alone.push(vertex);
    else (rows[rank[vertex]] ??= []).push(vertex);
  }
  const split = new Int32Array(count);
  let next = 0;
  const fill = (vertices: readonly number[], widest: number): void => {
    const needed = Math.ceil(vertices.length / widest);
    vertices.forEach((vertex, index) => {
      split[vertex] = next + Math.floor((index * needed) / vertices.length);
    });
    next += needed;
  };
  for (const row of rows) if (row !== undefined) fill(row, WIDEST_ROW);
  fill(alone, Math.min(WIDEST_ROW, Math.max(4, Math.ceil(Math.sqrt(alone.length)))));
  return split;
}
