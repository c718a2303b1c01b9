import { chooseColumns, isTooTall, ROW_GAP } from "./columns.js";
import { countCut } from "./cuts.js";
import { filled, type Numbers } from "./lists.js";
import { ITEM_GAP, placeAcross, type Extents } from "./place.js";
import { routeLinks, type Frame } from "./routes.js";
import { directSegments, type Skeleton } from "./skeleton.js";

/** Sizes of things, and how far from their left edges lines come in (at the top) and go out. */
export interface Sizes extends Extents {
  readonly height: Numbers;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly left: Numbers;
  readonly top: Numbers;
  /** Where the ports above and below stand. */
  readonly into: number;
  readonly out: number;
  /** Link l of the skeleton runs through points[pointStart[l]] to points[pointStart[l + 1] - 1]. */
  readonly pointStart: Numbers;
  /** x and y in turn. */
  readonly points: Numbers;
}

const BEND_WIDTH = 6;
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
  const extents = extendToBends(skeleton, sizes);
  const { width, into, out } = extents;
  const starts = columnStarts(skeleton, sizes, aspect);
  const columns = starts.length;
  const columnOf = filled(rows.length, 0);
  for (let column = 1; column < columns; column++) columnOf.fill(column, starts[column]);

  // Links from one column to another have no bends; they run through the gutters.
  const isDirect: Numbers = [];
  const isGone = columns > 1 ? filled(rowOf.length, 0) : null;
  for (let link = 0; link < source.length; link++) {
    const same = columnOf[rowOf[source[link]]] === columnOf[rowOf[target[link]]];
    isDirect.push(!inLane[link] && same ? 1 : 0);
    if (!same) isGone?.fill(1, bendStart[link], bendStart[link + 1]);
  }
  const placed = isGone ? rows.map((row) => row.filter((vertex) => !isGone[vertex])) : rows;
  const segments = columns > 1 ? directSegments(skeleton, isDirect) : skeleton.segments;
  const left = placeAcross(placed, segments, extents, count + 2);

  // Down each column. Lines turn above and below rows, and beside the first and last of a column.
  const rowTop = filled(rows.length, 0);
  const rowBottom = filled(rows.length, 0);
  const columnLeft = filled(columns, 0);
  const columnWidth = filled(columns, 0);
  const margin = isDirect.includes(0) ? MARGIN : 0;
  let height = 0;
  for (let column = 0; column < columns; column++) {
    const end = column + 1 < columns ? starts[column + 1] : rows.length;
    let edge = margin;
    let [nearest, farthest] = [Infinity, -Infinity];
    for (let row = starts[column]; row < end; row++) {
      let tall = 0;
      for (const vertex of placed[row]) {
        if (vertex < count && sizes.height[vertex] > tall) tall = sizes.height[vertex];
        nearest = Math.min(nearest, left[vertex]);
        farthest = Math.max(farthest, left[vertex] + width[vertex]);
      }
      rowTop[row] = edge;
      rowBottom[row] = edge + tall;
      const isPort = row === rowOf[count] || row + 1 === rowOf[count + 1];
      edge += tall + (row + 1 === end ? 0 : isPort ? PORT_GAP : ROW_GAP);
    }
    if (nearest < Infinity) columnLeft[column] = nearest;
    if (nearest < Infinity) columnWidth[column] = farthest - nearest;
    height = Math.max(height, edge + margin);
  }

  const top: Numbers = [];
  for (let thing = 0; thing < count; thing++) {
    const row = rowOf[thing];
    const room = rowBottom[row] - rowTop[row] - sizes.height[thing];
    top.push(rowTop[row] + room * skeleton.stance[thing]);
  }
  const across = { columnOf, columnLeft, columnWidth, left, out, into };
  const frame: Frame = { rowTop, rowBottom, top, height: sizes.height, ...across, isDirect };
  const routed = routeLinks(skeleton, frame);
  for (let thing = 0; thing < count; thing++) top[thing] += routed.head;
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

/** The extents of all vertices: things as given, ports and bends as narrow as a line. */
function extendToBends({ rowOf }: Skeleton, sizes: Sizes): Extents {
  const width = sizes.width.slice();
  const into = sizes.into.slice();
  const out = sizes.out.slice();
  while (width.length < rowOf.length) {
    width.push(BEND_WIDTH);
    into.push(BEND_WIDTH / 2);
    out.push(BEND_WIDTH / 2);
  }
  return { width, into, out };
}

/** The first row of each column. */
function columnStarts(skeleton: Skeleton, sizes: Sizes, aspect: number): Numbers {
  const { count, rows } = skeleton;
  const height: Numbers = [];
  const width: Numbers = [];
  for (const row of rows) {
    let [tall, wide] = [0, 0];
    for (const vertex of row) {
      wide += ITEM_GAP + (vertex < count ? sizes.width[vertex] : BEND_WIDTH);
      if (vertex < count && sizes.height[vertex] > tall) tall = sizes.height[vertex];
    }
    height.push(tall);
    width.push(wide);
  }
  if (!isTooTall(height, width, aspect)) return [0];
  return chooseColumns({ height, width, crossing: countCut(skeleton) }, aspect);
}
