import { chooseColumns, GUTTER, ROW_GAP } from "./columns.js";
import { ITEM_GAP, placeAcross, type Extents } from "./place.js";
import { routeLinks, topOf, type Frame } from "./routes.js";
import { segmentsOf, type Skeleton } from "./skeleton.js";

/** Sizes of things, and how far from their left edges lines come in (at the top) and go out. */
export interface Sizes extends Extents {
  readonly height: Float64Array;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly left: Float64Array;
  readonly top: Float64Array;
  /** Where the ports above and below stand. */
  readonly into: number;
  readonly out: number;
  /** Link l of the skeleton runs through points[pointStart[l]] to points[pointStart[l + 1] - 1]. */
  readonly pointStart: Int32Array;
  readonly points: Float32Array;
}

const BEND_WIDTH = 6;
/** What a branch of a line counts where columns are cut; the line counts 1. */
const BRANCH_COST = 0.2;
/** Between a port and the nearest row. */
const PORT_GAP = 18;
/** Above the first and below the last row of a column, for lines that turn there. */
const MARGIN = 18;

/**
 * Place things in rows so that links run downwards, and rows in columns side by side if one would
 * be much too tall for `aspect`.
 *
 * Things never overlap, and only links that close a cycle or lead to another column run upwards.
 * Takes time in proportion to things and links but for logarithms.
 */
export function layoutLayered(skeleton: Skeleton, sizes: Sizes, aspect: number): Layout {
  const { count, rows, rowOf, source, target, inLane, bendStart } = skeleton;
  const vertices = rowOf.length;
  const width = new Float64Array(vertices).fill(BEND_WIDTH);
  const into = new Float64Array(vertices).fill(BEND_WIDTH / 2);
  const out = new Float64Array(vertices).fill(BEND_WIDTH / 2);
  width.set(sizes.width);
  into.set(sizes.into);
  out.set(sizes.out);

  const starts = chooseColumns(rowSizes(skeleton, sizes), aspect);
  const columnOf = new Int32Array(rows.length);
  starts.forEach((start, column) => columnOf.fill(column, start));
  const isDirect = new Uint8Array(source.length);
  const isGone = new Uint8Array(vertices);
  for (let link = 0; link < source.length; link++) {
    const same = columnOf[rowOf[source[link]]] === columnOf[rowOf[target[link]]];
    if (!inLane[link] && same) isDirect[link] = 1;
    else isGone.fill(1, bendStart[link], bendStart[link + 1]);
  }
  const placed = rows.map((row) => row.filter((vertex) => !isGone[vertex]));
  const segments = segmentsOf(skeleton, (link) => isDirect[link] === 1);
  const left = placeAcross(placed, segments, { width, into, out }, count + 2);

  // Down each column. Lines turn above and below rows, and beside the first and last of a column.
  const rowTop = new Float64Array(rows.length);
  const rowBottom = new Float64Array(rows.length);
  const columnLeft = new Float64Array(starts.length).fill(rows.length > 0 ? Infinity : 0);
  const columnWidth = new Float64Array(starts.length);
  const margin = isDirect.includes(0) ? MARGIN : 0;
  let height = 0;
  starts.forEach((start, column) => {
    const end = starts[column + 1] ?? rows.length;
    let edge = margin;
    let right = -Infinity;
    for (let row = start; row < end; row++) {
      let tall = 0;
      for (const vertex of placed[row]) {
        if (vertex < count) tall = Math.max(tall, sizes.height[vertex]);
        columnLeft[column] = Math.min(columnLeft[column], left[vertex]);
        right = Math.max(right, left[vertex] + width[vertex]);
      }
      rowTop[row] = edge;
      rowBottom[row] = edge + tall;
      const isPort = placed[row][0] === count || placed[row + 1]?.[0] === count + 1;
      edge += tall + (row + 1 === end ? 0 : isPort ? PORT_GAP : ROW_GAP);
    }
    columnWidth[column] = Math.max(0, right - columnLeft[column]);
    height = Math.max(height, edge + margin);
  });

  const frame: Frame = {
    rowTop,
    rowBottom,
    columnOf,
    columnLeft,
    columnWidth,
    isDirect,
    left,
    out,
    into,
    boxHeight: sizes.height,
    gutter: starts.length > 1 ? GUTTER : 0,
  };
  const routed = routeLinks(skeleton, frame);
  const top = new Float64Array(count);
  for (let thing = 0; thing < count; thing++) {
    const row = rowOf[thing];
    top[thing] = topOf(frame, row, sizes.height[thing]) + routed.head;
  }
  const portAt = (port: number): number =>
    rowOf[port] < 0 ? routed.width / 2 : left[port] + BEND_WIDTH / 2;
  return {
    width: routed.width,
    height: height + routed.head,
    left: left.slice(0, count),
    top,
    into: portAt(count),
    out: portAt(count + 1),
    pointStart: routed.pointStart,
    points: routed.points,
  };
}

function rowSizes({ count, rows, rowOf, source, target, back }: Skeleton, sizes: Sizes) {
  const height = new Float64Array(rows.length);
  const width = new Float64Array(rows.length);
  rows.forEach((row, index) => {
    for (const vertex of row) {
      width[index] += ITEM_GAP + (vertex < count ? sizes.width[vertex] : BEND_WIDTH);
      if (vertex < count) height[index] = Math.max(height[index], sizes.height[vertex]);
    }
  });
  // Links of one source are one line, with branches; so are those to the lower port.
  const last = new Int32Array(count + 2).fill(-1);
  let firstExit = rows.length;
  for (let link = 0; link < source.length; link++) {
    if (back[link]) continue;
    const row = rowOf[target[link]];
    if (target[link] === count + 1) firstExit = Math.min(firstExit, rowOf[source[link]]);
    else last[source[link]] = Math.max(last[source[link]], row);
  }
  const crossing = new Float64Array(rows.length + 1);
  for (let link = 0; link < source.length; link++) {
    if (back[link]) continue;
    crossing[rowOf[source[link]]] += BRANCH_COST;
    crossing[rowOf[target[link]]] -= BRANCH_COST;
  }
  for (let vertex = 0; vertex <= count; vertex++) {
    if (rowOf[vertex] < 0 || last[vertex] < 0) continue;
    crossing[rowOf[vertex]]++;
    crossing[last[vertex]]--;
  }
  if (firstExit < rows.length) crossing[firstExit]++;
  for (let row = 1; row < rows.length; row++) crossing[row] += crossing[row - 1];
  // A port stays with the row that it leads to.
  if (rowOf[count] === 0) crossing[0] = Infinity;
  if (rowOf[count + 1] > 0) crossing[rowOf[count + 1] - 1] = Infinity;
  return { height, width, crossing };
}
