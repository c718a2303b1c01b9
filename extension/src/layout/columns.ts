import type { Numbers } from "./lists.js";

/** What deciding on columns needs to know of each row. */
export interface RowSizes {
  readonly height: Numbers;
  readonly width: Numbers;
  /** What it costs to end a column behind each row. */
  readonly crossing: Numbers;
}

export const ROW_GAP = 30;
/** Between columns there is room for lines that lead from the foot of one to the head of the next. */
export const GUTTER = 44;

/** A picture is not wrapped before it is so much taller than wished. */
const TOO_TALL = 1.5;

/** How much a line that each cut cuts, on average, counts against a picture of the wished form. */
const CUT_COST = 0.05;

/** How much a column of one or two rows counts: a single box beside a tall one is no column. */
const SHORT_COST = 0.3;
const SHORT_COLUMN = 3;

const MOST_COLUMNS = 300;

/** Rows lower than this together need no columns. */
const LOW = 700;
const FEWEST_ROWS = 4;

/** Whether rows below each other would be much taller than `aspect` (width over height) asks for. */
export function isTooTall(height: Numbers, width: Numbers, aspect: number): boolean {
  const total = totalOf(height);
  const isLong = height.length >= FEWEST_ROWS && total >= LOW;
  return isLong && total > (TOO_TALL * widestOf(width)) / aspect;
}

/**
 * The first row of each column, so that the columns side by side come near to `aspect`: a long
 * network is cut where few lines cross, like a text into lines.
 */
export function chooseColumns(rows: RowSizes, aspect: number): Numbers {
  const total = totalOf(rows.height);
  const guess = Math.sqrt((total * aspect) / (widestOf(rows.width) + GUTTER));
  const most = Math.min(MOST_COLUMNS, rows.height.length, Math.ceil(2 * guess) + 2);
  let best = [0];
  let least = Infinity;
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

function totalOf(height: Numbers): number {
  let total = 0;
  for (const tall of height) total += tall + ROW_GAP;
  return total;
}

function widestOf(width: Numbers): number {
  let widest = 1;
  for (const wide of width) widest = Math.max(widest, wide);
  return widest;
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
  let short = 0;
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
    if (end - start < SHORT_COLUMN) short++;
    if (start > 0) cut += crossing[start - 1];
  });
  return (
    Math.abs(Math.log(across / tallest / aspect)) +
    (CUT_COST * cut) / starts.length +
    SHORT_COST * short
  );
}
