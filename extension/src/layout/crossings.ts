import { filled, type Groups, type Numbers } from "./lists.js";
import type { Segments } from "./segments.js";

const SWEEPS = 6;

/** Levels with more segments are ordered without counting what it brings. */
const MOST_COUNTED = 20_000;

/** Order each row by the mean place of its neighbours, downwards and upwards in turn. */
export function orderRows(rows: Numbers[], vertices: number, segments: Segments): Numbers[] {
  if (rows.every((row) => row.length < 2)) return rows;
  const sorter = new Sorter(rows, vertices, segments);
  // Bends begin between the ends of their links instead of behind all things of their row.
  for (let row = 1; row < rows.length; row++) sorter.sortByUpper(row);
  const counted = segments.upper.length <= MOST_COUNTED;
  let least = counted ? sorter.countAll() : 1;
  let best = rows;
  for (let sweep = 0; sweep < SWEEPS && least > 0; sweep++) {
    if (sweep === 0) best = copy(rows);
    if (sweep % 2 === 0) for (let row = rows.length - 2; row >= 0; row--) sorter.sortByLower(row);
    else for (let row = 1; row < rows.length; row++) sorter.sortByUpper(row);
    const crossings = counted ? sorter.countAll() : 1;
    if (crossings < least || !counted) {
      least = crossings;
      best = copy(rows);
    }
  }
  return best;
}

function copy(rows: readonly Numbers[]): Numbers[] {
  return rows.map((row) => row.slice());
}

class Sorter {
  private readonly place: Numbers;
  private readonly wanted: Numbers;
  private readonly tree: Numbers;
  private readonly byWish = (left: number, right: number): number =>
    this.wanted[left] - this.wanted[right];

  constructor(
    private readonly rows: readonly Numbers[],
    vertices: number,
    private readonly segments: Segments,
  ) {
    this.place = filled(vertices, 0);
    this.wanted = filled(vertices, 0);
    let widest = 0;
    for (const row of rows) {
      widest = Math.max(widest, row.length);
      this.settle(row);
    }
    this.tree = filled(widest + 1, 0);
  }

  sortByUpper(row: number): void {
    this.sort(this.rows[row], this.segments.above, this.segments.upper);
  }

  sortByLower(row: number): void {
    this.sort(this.rows[row], this.segments.below, this.segments.lower);
  }

  private sort(row: Numbers, { start, members }: Groups, ends: Numbers): void {
    if (row.length < 2) return;
    const { place, wanted } = this;
    for (const vertex of row) {
      const [from, to] = [start[vertex], start[vertex + 1]];
      let sum = 0;
      for (let k = from; k < to; k++) sum += place[ends[members[k]]];
      wanted[vertex] = to > from ? sum / (to - from) : place[vertex];
    }
    row.sort(this.byWish); // stable, so ties keep their order
    this.settle(row);
  }

  private settle(row: Numbers): void {
    for (let index = 0; index < row.length; index++) this.place[row[index]] = index;
  }

  countAll(): number {
    let crossings = 0;
    for (let row = 1; row < this.rows.length; row++) {
      const width = this.rows[row - 1].length;
      if (width > 1) crossings += this.countRow(this.rows[row], width);
    }
    return crossings;
  }

  /** Crossings between a row and the one above it, of `width` vertices: inversions in a sum tree. */
  private countRow(row: Numbers, width: number): number {
    const { tree, place } = this;
    const { above, upper } = this.segments;
    tree.fill(0, 0, width + 1);
    let crossings = 0;
    let before = 0;
    for (const vertex of row) {
      // What ends further left here and further right above crosses; ends in common do not.
      const [from, to] = [above.start[vertex], above.start[vertex + 1]];
      for (let k = from; k < to; k++) {
        let upTo = 0;
        const at = place[upper[above.members[k]]] + 1;
        for (let node = at; node > 0; node -= node & -node) upTo += tree[node];
        crossings += before - upTo;
      }
      for (let k = from; k < to; k++) {
        const at = place[upper[above.members[k]]] + 1;
        for (let node = at; node <= width; node += node & -node) tree[node]++;
        before++;
      }
    }
    return crossings;
  }
}
