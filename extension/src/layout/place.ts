import { filled, type Groups, type Numbers } from "./lists.js";
import type { Segments } from "./segments.js";
import { straighten } from "./straighten.js";

/** Widths of vertices and how far from their left edges lines come in (above) and go out (below). */
export interface Extents {
  readonly width: Numbers;
  readonly into: Numbers;
  readonly out: Numbers;
}

export const ITEM_GAP = 18;
const PASSES = 6;

/** Bends pull at each other more than things do: a long line should be straight. */
const BEND_WEIGHT = 4;

/** How much a segment pulls at its ends. Vertices from `firstBend` on are bends. */
export function pull(upper: number, lower: number, firstBend: number): number {
  return (upper >= firstBend ? BEND_WEIGHT / 2 : 1) * (lower >= firstBend ? BEND_WEIGHT / 2 : 1);
}

/**
 * Left edges of all vertices in some rows: as near to straight lines as the order in each row and
 * the gaps allow.
 */
export function placeAcross(
  rows: readonly Numbers[],
  segments: Segments,
  extents: Extents,
  firstBend: number,
): Numbers {
  const { width } = extents;
  const left = filled(width.length, 0);
  let widest = 0;
  let longest = 1;
  for (const row of rows) {
    let edge = 0;
    for (const vertex of row) {
      left[vertex] = edge;
      edge += width[vertex] + ITEM_GAP;
    }
    widest = Math.max(widest, edge);
    longest = Math.max(longest, row.length);
  }
  // All rows begin about a common middle, so that the first pass has little to drag.
  for (const row of rows) {
    const last = row[row.length - 1];
    const shift = (widest - ITEM_GAP - (left[last] + width[last])) / 2;
    for (const vertex of row) left[vertex] += shift;
  }
  const settler = new Settler(longest, segments, extents, firstBend, left);
  for (let pass = 0; pass < PASSES; pass++) {
    const both = pass >= 2;
    if (pass % 2 === 0) for (const row of rows) settler.settle(row, true, both);
    else for (let k = rows.length - 1; k >= 0; k--) settler.settle(rows[k], both, true);
  }
  straighten(rows, segments, extents, firstBend, left);
  return left;
}

/** Moves the vertices of a row to where the sum of squared distances from their wishes is least. */
class Settler {
  // For runs of vertices that stand side by side: their wishes, weights and last places in the row.
  private readonly sum: Numbers;
  private readonly total: Numbers;
  private readonly last: Numbers;
  private weighed = 0;
  private wanted = 0;

  constructor(
    longest: number,
    private readonly segments: Segments,
    private readonly extents: Extents,
    private readonly firstBend: number,
    private readonly left: Numbers,
  ) {
    this.sum = filled(longest, 0.5);
    this.total = filled(longest, 0.5);
    this.last = filled(longest, 0);
  }

  /**
   * With the widths before it taken off, each place may only grow along the row: that is isotonic
   * regression, solved by merging neighbours that want to pass each other.
   */
  settle(row: Numbers, byUpper: boolean, byLower: boolean): void {
    const { sum, total, last, left } = this;
    const { width } = this.extents;
    let runs = 0;
    let offset = 0;
    for (let index = 0; index < row.length; index++) {
      const vertex = row[index];
      this.weighed = 0.01;
      this.wanted = 0.01 * left[vertex];
      if (byUpper) this.wishAbove(vertex, this.segments.above);
      if (byLower) this.wishBelow(vertex, this.segments.below);
      sum[runs] = this.wanted - this.weighed * offset;
      total[runs] = this.weighed;
      last[runs] = index;
      while (runs > 0 && sum[runs - 1] * total[runs] > sum[runs] * total[runs - 1]) {
        sum[runs - 1] += sum[runs];
        total[runs - 1] += total[runs];
        last[runs - 1] = index;
        runs--;
      }
      runs++;
      offset += width[vertex] + ITEM_GAP;
    }
    offset = 0;
    for (let run = 0, index = 0; run < runs; run++) {
      const place = sum[run] / total[run];
      for (; index <= last[run]; index++) {
        left[row[index]] = place + offset;
        offset += width[row[index]] + ITEM_GAP;
      }
    }
  }

  private wishAbove(vertex: number, { start, members }: Groups): void {
    const { upper } = this.segments;
    const { into, out } = this.extents;
    for (let k = start[vertex]; k < start[vertex + 1]; k++) {
      const other = upper[members[k]];
      const weight = pull(other, vertex, this.firstBend);
      this.weighed += weight;
      this.wanted += weight * (this.left[other] + out[other] - into[vertex]);
    }
  }

  private wishBelow(vertex: number, { start, members }: Groups): void {
    const { lower } = this.segments;
    const { into, out } = this.extents;
    for (let k = start[vertex]; k < start[vertex + 1]; k++) {
      const other = lower[members[k]];
      const weight = pull(vertex, other, this.firstBend);
      this.weighed += weight;
      this.wanted += weight * (this.left[other] + into[other] - out[vertex]);
    }
  }
}
