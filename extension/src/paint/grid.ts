/** An item that covers more cells than this is looked at in every search. */
const MOST_CELLS = 48;
/** Items that a cell should hold on average. */
const FILL = 6;

/**
 * Finds the rectangles that touch a rectangle, of tens of thousands, in microseconds.
 *
 * Rectangles are given by their edges, in four arrays that must not change.
 */
export class Grid {
  readonly #cell: number;
  readonly #columns: number;
  readonly #rows: number;
  /** Items of cell c: items[start[c]] to items[start[c + 1] - 1]. */
  readonly #start: Uint32Array;
  readonly #items: Uint32Array;
  readonly #large: Uint32Array;
  /** The search in which an item was last found, so that it is found once. */
  readonly #found: Uint32Array;
  #search = 0;

  constructor(
    private readonly left: Float32Array,
    private readonly top: Float32Array,
    private readonly right: Float32Array,
    private readonly bottom: Float32Array,
    width: number,
    height: number,
  ) {
    const count = left.length;
    const area = Math.max(1, width) * Math.max(1, height);
    this.#cell = Math.max(32, Math.sqrt((area * FILL) / Math.max(1, count)));
    this.#columns = Math.max(1, Math.ceil(width / this.#cell));
    this.#rows = Math.max(1, Math.ceil(height / this.#cell));
    this.#found = new Uint32Array(count);
    const large: number[] = [];
    const start = new Uint32Array(this.#columns * this.#rows + 1);
    const isLarge = new Uint8Array(count);
    for (let item = 0; item < count; item++) {
      const cells = this.#cellsOf(left[item], top[item], right[item], bottom[item]);
      if ((cells.last - cells.first + 1) * (cells.low - cells.high + 1) > MOST_CELLS) {
        isLarge[item] = 1;
        large.push(item);
        continue;
      }
      for (let row = cells.high; row <= cells.low; row++) {
        for (let column = cells.first; column <= cells.last; column++) {
          start[row * this.#columns + column + 1]++;
        }
      }
    }
    for (let cell = 1; cell < start.length; cell++) start[cell] += start[cell - 1];
    const items = new Uint32Array(start[start.length - 1]);
    const next = start.slice();
    for (let item = 0; item < count; item++) {
      if (isLarge[item]) continue;
      const cells = this.#cellsOf(left[item], top[item], right[item], bottom[item]);
      for (let row = cells.high; row <= cells.low; row++) {
        for (let column = cells.first; column <= cells.last; column++) {
          items[next[row * this.#columns + column]++] = item;
        }
      }
    }
    this.#start = start;
    this.#items = items;
    this.#large = Uint32Array.from(large);
  }

  /** The items that touch the rectangle with these edges, in ascending order. */
  find(left: number, top: number, right: number, bottom: number): Uint32Array {
    const search = ++this.#search;
    const hits: number[] = [];
    const look = (item: number): void => {
      if (this.#found[item] === search) return;
      this.#found[item] = search;
      if (
        this.left[item] <= right &&
        this.right[item] >= left &&
        this.top[item] <= bottom &&
        this.bottom[item] >= top
      ) {
        hits.push(item);
      }
    };
    for (const item of this.#large) look(item);
    const cells = this.#cellsOf(left, top, right, bottom);
    for (let row = cells.high; row <= cells.low; row++) {
      for (let column = cells.first; column <= cells.last; column++) {
        const cell = row * this.#columns + column;
        for (let place = this.#start[cell]; place < this.#start[cell + 1]; place++) {
          look(this.#items[place]);
        }
      }
    }
    return Uint32Array.from(hits).sort();
  }

  #cellsOf(left: number, top: number, right: number, bottom: number) {
    const within = (value: number, cells: number): number =>
      Math.max(0, Math.min(cells - 1, Math.floor(value / this.#cell)));
    return {
      first: within(left, this.#columns),
      last: within(right, this.#columns),
      high: within(top, this.#rows),
      low: within(bottom, this.#rows),
    };
  }
}
