/** An item that covers more cells than this is looked at in every search. */
const MOST_CELLS = 48;
/** Items that a cell should hold on average. */
const FILL = 6;

/** Rectangles by their edges. */
export interface Edges {
  readonly left: Float32Array;
  readonly top: Float32Array;
  readonly right: Float32Array;
  readonly bottom: Float32Array;
}

/** Which rectangles touch which cell of a grid: plain data, made where there is time for it. */
export interface GridTable extends Edges {
  /** Side of a cell. */
  readonly cell: number;
  readonly columns: number;
  readonly rows: number;
  /** Items of cell c: items[start[c]] to items[start[c + 1] - 1]. */
  readonly start: Uint32Array;
  readonly items: Uint32Array;
  /** Items that are in no cell because they would be in too many. */
  readonly large: Uint32Array;
}

export interface Cells {
  readonly first: number;
  readonly last: number;
  readonly high: number;
  readonly low: number;
}

type Raster = Pick<GridTable, "cell" | "columns" | "rows">;

/** Sort rectangles into the cells of a grid over an area; `find` of paint/grid.ts looks them up. */
export function makeGridTable(edges: Edges, width: number, height: number): GridTable {
  const { left, top, right, bottom } = edges;
  const count = left.length;
  const area = Math.max(1, width) * Math.max(1, height);
  const cell = Math.max(32, Math.sqrt((area * FILL) / Math.max(1, count)));
  const columns = Math.max(1, Math.ceil(width / cell));
  const rows = Math.max(1, Math.ceil(height / cell));
  const raster = { cell, columns, rows };
  const large: number[] = [];
  const isLarge = new Uint8Array(count);
  const start = new Uint32Array(columns * rows + 1);
  for (let item = 0; item < count; item++) {
    const cells = cellsOf(raster, left[item], top[item], right[item], bottom[item]);
    if ((cells.last - cells.first + 1) * (cells.low - cells.high + 1) > MOST_CELLS) {
      isLarge[item] = 1;
      large.push(item);
      continue;
    }
    for (let row = cells.high; row <= cells.low; row++) {
      for (let column = cells.first; column <= cells.last; column++) {
        start[row * columns + column + 1]++;
      }
    }
  }
  for (let index = 1; index < start.length; index++) start[index] += start[index - 1];
  const items = new Uint32Array(start[start.length - 1]);
  const next = start.slice();
  for (let item = 0; item < count; item++) {
    if (isLarge[item]) continue;
    const cells = cellsOf(raster, left[item], top[item], right[item], bottom[item]);
    for (let row = cells.high; row <= cells.low; row++) {
      for (let column = cells.first; column <= cells.last; column++) {
        items[next[row * columns + column]++] = item;
      }
    }
  }
  return { ...edges, ...raster, start, items, large: Uint32Array.from(large) };
}

/** The cells that a rectangle touches; what is outside the area counts as at its border. */
export function cellsOf(
  { cell, columns, rows }: Raster,
  left: number,
  top: number,
  right: number,
  bottom: number,
): Cells {
  return {
    first: within(left / cell, columns),
    last: within(right / cell, columns),
    high: within(top / cell, rows),
    low: within(bottom / cell, rows),
  };
}

function within(value: number, cells: number): number {
  return Math.max(0, Math.min(cells - 1, Math.floor(value)));
}
