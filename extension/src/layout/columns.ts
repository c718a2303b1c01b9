/** What deciding on columns needs to know of each row. */
export interface RowSizes {
  readonly height: Float64Array;
  readonly width: Float64Array;
  /** Links that lead from this row or one above it to one below it. */
  readonly crossing: Float64Array;
}

export const ROW_GAP = 30;
/** Between columns there is room for lines that lead from the foot of one to the head of the next. */
export const GUTTER = 44;

/** A picture is not wrapped before it is so much taller than wished. */
const TOO_TALL = 1.5;

/** How much a line that each cut cuts, on average, counts against a picture of the wished form. */
const CUT_COST = 0.05;

const MOST_COLUMNS = 300;

/**
 * The first row of each column, so that the columns side by side come near to `aspect` (width over
 * height): a long network is cut where few lines cross, like a text into lines.
 */
export function chooseColumns(rows: RowSizes, aspect: number): number[] {
  const count = rows.height.length;
  let total = 0;
  for (let row = 0; row < count; row++) total += rows.height[row] + ROW_GAP;
  let widest = 0;
  for (const width of rows.width) widest = Math.max(widest, width);
  if (count < 4 || total <= (TOO_TALL * widest) / aspect || total < 600) return [0];
  let best = [0];
  let least = Infinity;
  const guess = Math.sqrt((total * aspect) / (widest + GUTTER));
  const most = Math.min(MOST_COLUMNS, count, Math.ceil(2 * guess) + 2);
  for (let columns = Math.max(1, Math.floor(guess / 3)); columns <= most; columns++) {
    const starts = cutRows(rows, total / columns, columns);
    const cost = costOf(rows, starts, aspect);
    if (cost < least) {
      least = cost;
      best = starts;
    }
  }
  return best;
}

/** Cut the rows into columns of about the same height, each cut where few lines cross nearby. */
function cutRows({ height, crossing }: RowSizes, ideal: number, columns: number): number[] {
  const starts = [0];
  let top = 0;
  let row = 0;
  for (let column = 1; column < columns; column++) {
    const wanted = column * ideal;
    let best = -1;
    let least = Infinity;
    for (let at = top, next = row; next < height.length; next++) {
      // Between `next` - 1 and `next`, at height `at`.
      if (next > starts[starts.length - 1] && next > 0) {
        const cost = crossing[next - 1] + (10 * Math.abs(at - wanted)) / ideal;
        if (cost < least) {
          least = cost;
          best = next;
        }
        if (at > wanted + 0.4 * ideal) break;
      }
      at += height[next] + ROW_GAP;
    }
    if (best < 0) break;
    for (; row < best; row++) top += height[row] + ROW_GAP;
    starts.push(best);
  }
  return starts;
}

function costOf({ height, width, crossing }: RowSizes, starts: readonly number[], aspect: number) {
  let across = 0;
  let tallest = 0;
  let cut = 0;
  starts.forEach((start, column) => {
    const end = starts[column + 1] ?? height.length;
    let widest = 0;
    let tall = 0;
    for (let row = start; row < end; row++) {
      widest = Math.max(widest, width[row]);
      tall += height[row] + ROW_GAP;
    }
    across += widest + (column > 0 ? GUTTER : 0);
    tallest = Math.max(tallest, tall);
    if (start > 0) cut += crossing[start - 1];
  });
  return Math.abs(Math.log(across / tallest / aspect)) + (CUT_COST * cut) / starts.length;
}
