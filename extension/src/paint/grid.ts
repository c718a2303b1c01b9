import { cellsOf, type GridTable } from "../scene/grid-table.js";

/** Finds the rectangles that touch a rectangle, of tens of thousands, in microseconds. */
export class Grid {
  /** The search in which an item was last found, so that it is found once. */
  readonly #found: Uint32Array;
  #search = 0;

  constructor(private readonly table: GridTable) {
    this.#found = new Uint32Array(table.left.length);
  }

  /** The items that touch the rectangle with these edges, in ascending order. */
  find(left: number, top: number, right: number, bottom: number): Uint32Array {
    const { table } = this;
    const { columns, start, items, large } = table;
    const search = ++this.#search;
    const found = this.#found;
    const hits: number[] = [];
    const look = (item: number): void => {
      if (found[item] === search) return;
      found[item] = search;
      if (
        table.left[item] <= right &&
        table.right[item] >= left &&
        table.top[item] <= bottom &&
        table.bottom[item] >= top
      ) {
        hits.push(item);
      }
    };
    for (const item of large) look(item);
    const cells = cellsOf(table, left, top, right, bottom);
    for (let row = cells.high; row <= cells.low; row++) {
      for (let column = cells.first; column <= cells.last; column++) {
        const cell = row * columns + column;
        for (let place = start[cell]; place < start[cell + 1]; place++) look(items[place]);
      }
    }
    return Uint32Array.from(hits).sort();
  }
}
