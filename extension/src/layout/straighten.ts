import { filled, type Numbers } from "./lists.js";
import { ITEM_GAP, pull, type Extents } from "./place.js";
import type { Segments } from "./segments.js";

/**
 * Make lines exactly straight where there is room: vertices that prefer each other, one row after
 * the other, move to a common place. `left` is changed.
 */
export function straighten(
  rows: readonly Numbers[],
  segments: Segments,
  extents: Extents,
  firstBend: number,
  left: Numbers,
): void {
  const next = findChains(rows, segments, extents, firstBend, left);
  const before = filled(left.length, -1);
  const after = filled(left.length, -1);
  for (const row of rows) {
    for (let index = 1; index < row.length; index++) {
      before[row[index]] = row[index - 1];
      after[row[index - 1]] = row[index];
    }
  }
  const isLower = filled(left.length, 0);
  for (const lower of next) if (lower >= 0) isLower[lower] = 1;
  const mover = new Mover(next, before, after, segments, extents, left);
  // What moves first may make room for others.
  for (let pass = 0; pass < 2; pass++) {
    for (const row of rows) {
      for (const head of row) if (!isLower[head]) mover.moveChain(head);
    }
  }
}

/** For each vertex the one below that it prefers and that prefers it, -1 for none. */
function findChains(
  rows: readonly Numbers[],
  { upper, lower, above, below }: Segments,
  { into, out }: Extents,
  firstBend: number,
  left: Numbers,
): Numbers {
  // Bends first, then what the line goes on from or to, then what is near.
  const preferred = (vertex: number, isAbove: boolean): number => {
    const { start, members } = isAbove ? above : below;
    const further = isAbove ? above.start : below.start;
    let best = -1;
    let most = -Infinity;
    for (let k = start[vertex]; k < start[vertex + 1]; k++) {
      const [from, to] = [upper[members[k]], lower[members[k]]];
      const other = isAbove ? from : to;
      const goesOn = further[other + 1] > further[other] ? 1 : 0;
      const distance = Math.abs(left[from] + out[from] - left[to] - into[to]);
      const score = 1e6 * (pull(from, to, firstBend) + goesOn) - distance;
      if (score > most) {
        most = score;
        best = other;
      }
    }
    return best;
  };
  const next = filled(left.length, -1);
  for (const row of rows) {
    for (const vertex of row) {
      const other = preferred(vertex, false);
      if (other >= 0 && preferred(other, true) === vertex) next[vertex] = other;
    }
  }
  return next;
}

/** Moves chains of vertices between their neighbours. */
class Mover {
  constructor(
    private readonly next: Numbers,
    private readonly before: Numbers,
    private readonly after: Numbers,
    private readonly segments: Segments,
    private readonly extents: Extents,
    private readonly left: Numbers,
  ) {}

  /** What is in no chain, to the mean of its neighbours: chains may have left it behind. */
  private moveSingle(vertex: number): void {
    const { before, after, left } = this;
    const { upper, lower, above, below } = this.segments;
    const { width, into, out } = this.extents;
    let sum = 0;
    let count = 0;
    for (let k = above.start[vertex]; k < above.start[vertex + 1]; k++, count++) {
      const other = upper[above.members[k]];
      sum += left[other] + out[other] - into[vertex];
    }
    for (let k = below.start[vertex]; k < below.start[vertex + 1]; k++, count++) {
      const other = lower[below.members[k]];
      sum += left[other] + into[other] - out[vertex];
    }
    if (count === 0) return;
    const [near, far] = [before[vertex], after[vertex]];
    const low = near < 0 ? -Infinity : left[near] + width[near] + ITEM_GAP;
    const high = far < 0 ? Infinity : left[far] - ITEM_GAP - width[vertex];
    // Sums of widths may leave a gap short by the last bits: then it stays where it is.
    if (low <= high) left[vertex] = Math.min(Math.max(sum / count, low), high);
  }

  /** Piece by piece, each as long a part of the chain as has a place in common. */
  moveChain(head: number): void {
    const { next, before, after, left } = this;
    const { width, into, out } = this.extents;
    if (next[head] < 0) {
      this.moveSingle(head);
      return;
    }
    let first = head;
    while (first >= 0) {
      let least = -Infinity;
      let most = Infinity;
      let sum = 0;
      let length = 0;
      let shift = 0; // of a vertex's left edge against that of the first one, on a straight line
      let end = first;
      for (let vertex = first; vertex >= 0; vertex = next[vertex]) {
        const own = vertex === first ? 0 : shift + out[end] - into[vertex];
        const [near, far] = [before[vertex], after[vertex]];
        const low = near < 0 ? -Infinity : left[near] + width[near] + ITEM_GAP - own;
        const high = far < 0 ? Infinity : left[far] - ITEM_GAP - width[vertex] - own;
        if (vertex !== first && Math.max(least, low) > Math.min(most, high)) break;
        least = Math.max(least, low);
        most = Math.min(most, high);
        sum += left[vertex] - own;
        length++;
        shift = own;
        end = vertex;
      }
      let place = Math.min(Math.max(sum / length, least), most);
      for (let vertex = first; ; vertex = next[vertex]) {
        left[vertex] = place;
        if (vertex === end) break;
        place += out[vertex] - into[next[vertex]];
      }
      first = next[end];
    }
  }
}
