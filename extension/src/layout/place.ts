import { groupBy, type Groups } from "../scene/links.js";
import type { Segments } from "./skeleton.js";

/** Widths of vertices and how far from their left edges lines come in (above) and go out (below). */
export interface Extents {
  readonly width: Float64Array;
  readonly into: Float64Array;
  readonly out: Float64Array;
}

export const ITEM_GAP = 18;
const PASSES = 6;

/** Bends pull at each other more than things do: a long line should be straight. */
const BEND_WEIGHT = 4;

interface Side extends Groups {
  /** By neighbour: where the vertex would stand for a straight line, less the neighbour's place. */
  readonly shift: Float64Array;
  readonly weight: Float64Array;
}

/**
 * Left edges of all vertices in some rows: as near to straight lines as the order in each row and
 * the gaps allow. Vertices from `firstBend` on are bends.
 */
export function placeAcross(
  rows: readonly Int32Array[],
  segments: Segments,
  extents: Extents,
  firstBend: number,
): Float64Array {
  const { width } = extents;
  const left = new Float64Array(segments.vertices);
  const above = sideOf(segments, extents, firstBend, "above");
  const below = sideOf(segments, extents, firstBend, "below");
  let widest = 0;
  for (const row of rows) {
    let edge = 0;
    for (const vertex of row) {
      left[vertex] = edge;
      edge += width[vertex] + ITEM_GAP;
    }
    widest = Math.max(widest, edge);
  }
  // All rows begin about a common middle, so that the first pass has little to drag.
  for (const row of rows) {
    const last = row[row.length - 1];
    const shift = (widest - (left[last] + width[last])) / 2;
    for (const vertex of row) left[vertex] += shift;
  }
  const settle = new Settler(Math.max(1, ...rows.map((row) => row.length)), width, left);
  for (let pass = 0; pass < PASSES; pass++) {
    if (pass % 2 === 0) for (const row of rows) settle.row(row, above, pass < 2 ? null : below);
    else
      for (let k = rows.length - 1; k >= 0; k--)
        settle.row(rows[k], below, pass < 2 ? null : above);
  }
  straighten(rows, left, extents, above, below);
  straighten(rows, left, extents, above, below);
  return left;
}

function sideOf(
  { vertices, upper, lower }: Segments,
  { into, out }: Extents,
  firstBend: number,
  side: "above" | "below",
): Side {
  const isAbove = side === "above";
  const { start, members } = groupBy(isAbove ? lower : upper, vertices);
  const shift = new Float64Array(members.length);
  const weight = new Float64Array(members.length);
  const others = new Int32Array(members.length);
  for (let k = 0; k < members.length; k++) {
    const [from, to] = [upper[members[k]], lower[members[k]]];
    others[k] = isAbove ? from : to;
    shift[k] = isAbove ? out[from] - into[to] : into[to] - out[from];
    weight[k] = (from >= firstBend ? BEND_WEIGHT / 2 : 1) * (to >= firstBend ? BEND_WEIGHT / 2 : 1);
  }
  return { start, members: others, shift, weight };
}

/** Moves the vertices of a row to where the sum of squared distances from their wishes is least. */
class Settler {
  private readonly sum: Float64Array;
  private readonly total: Float64Array;
  private readonly last: Int32Array;

  constructor(
    longest: number,
    private readonly width: Float64Array,
    private readonly left: Float64Array,
  ) {
    this.sum = new Float64Array(longest);
    this.total = new Float64Array(longest);
    this.last = new Int32Array(longest);
  }

  /**
   * With the widths before it taken off, each place may only grow along the row: that is isotonic
   * regression, solved by merging neighbours that want to pass each other.
   */
  row(row: Int32Array, side: Side, other: Side | null): void {
    const { sum, total, last, width, left } = this;
    let blocks = 0;
    let offset = 0;
    for (let index = 0; index < row.length; index++) {
      const vertex = row[index];
      let weighed = 0.01;
      let wanted = 0.01 * left[vertex];
      for (let k = side.start[vertex]; k < side.start[vertex + 1]; k++) {
        weighed += side.weight[k];
        wanted += side.weight[k] * (left[side.members[k]] + side.shift[k]);
      }
      if (other !== null) {
        for (let k = other.start[vertex]; k < other.start[vertex + 1]; k++) {
          weighed += other.weight[k];
          wanted += other.weight[k] * (left[other.members[k]] + other.shift[k]);
        }
      }
      sum[blocks] = wanted - weighed * offset;
      total[blocks] = weighed;
      last[blocks] = index;
      while (blocks > 0 && sum[blocks - 1] * total[blocks] > sum[blocks] * total[blocks - 1]) {
        sum[blocks - 1] += sum[blocks];
        total[blocks - 1] += total[blocks];
        last[blocks - 1] = index;
        blocks--;
      }
      blocks++;
      offset += width[vertex] + ITEM_GAP;
    }
    offset = 0;
    for (let block = 0, index = 0; block < blocks; block++) {
      const place = sum[block] / total[block];
      for (; index <= last[block]; index++) {
        left[row[index]] = place + offset;
        offset += width[row[index]] + ITEM_GAP;
      }
    }
  }
}

/**
 * Make lines exactly straight where there is room: vertices that prefer each other, one row after
 * the other, move to a common place.
 */
function straighten(
  rows: readonly Int32Array[],
  left: Float64Array,
  { width, into, out }: Extents,
  above: Side,
  below: Side,
): void {
  const vertices = left.length;
  const before = new Int32Array(vertices).fill(-1);
  const after = new Int32Array(vertices).fill(-1);
  for (const row of rows) {
    for (let index = 1; index < row.length; index++) {
      before[row[index]] = row[index - 1];
      after[row[index - 1]] = row[index];
    }
  }
  const prefer = (vertex: number, side: Side, further: Side): number => {
    let best = -1;
    let most = -Infinity;
    for (let k = side.start[vertex]; k < side.start[vertex + 1]; k++) {
      const other = side.members[k];
      const continues = further.start[other + 1] > further.start[other] ? 1 : 0;
      const distance = Math.abs(left[other] + side.shift[k] - left[vertex]);
      const score = 1e6 * (side.weight[k] + continues) - distance;
      if (score > most) {
        most = score;
        best = other;
      }
    }
    return best;
  };
  const next = new Int32Array(vertices).fill(-1);
  const isLower = new Uint8Array(vertices);
  for (const row of rows) {
    for (const vertex of row) {
      const lower = prefer(vertex, below, below);
      if (lower >= 0 && prefer(lower, above, above) === vertex) {
        next[vertex] = lower;
        isLower[lower] = 1;
      }
    }
  }
  for (const row of rows) {
    for (const head of row) {
      if (isLower[head] || next[head] < 0) continue;
      // Take as long a piece of the chain as has a place in common, then go on with the next piece.
      let first = head;
      while (first >= 0) {
        let [least, most, sum, length, shift] = [-Infinity, Infinity, 0, 0, 0];
        let end = first;
        for (let vertex = first; vertex >= 0; vertex = next[vertex]) {
          const own = vertex === first ? 0 : shift + out[end] - into[vertex];
          const low =
            before[vertex] < 0
              ? -Infinity
              : left[before[vertex]] + width[before[vertex]] + ITEM_GAP;
          const high =
            after[vertex] < 0 ? Infinity : left[after[vertex]] - ITEM_GAP - width[vertex];
          if (Math.max(least, low - own) > Math.min(most, high - own) && vertex !== first) break;
          least = Math.max(least, low - own);
          most = Math.min(most, high - own);
          sum += left[vertex] - own;
          length++;
          shift = own;
          end = vertex;
        }
        const place = Math.min(Math.max(sum / length, least), most);
        for (let vertex = first, own = 0, above_ = -1; ; vertex = next[vertex]) {
          if (above_ >= 0) own += out[above_] - into[vertex];
          left[vertex] = place + own;
          above_ = vertex;
          if (vertex === end) break;
        }
        first = next[end];
      }
    }
  }
}
