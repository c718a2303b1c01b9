import type { Link } from "./adjacency.js";
import { findBackLinks } from "./cycles.js";
import { assignRanks } from "./ranks.js";
import { arrangeRows } from "./rows.js";
import { placeAcross } from "./straighten.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Route {
  /** From the bottom of the source to the top of the target. */
  readonly points: readonly Point[];
  /** Runs upwards, because it closes a cycle. */
  readonly back: boolean;
}

/** Left and top edges of the items, the routes of the links, and the space that all of it takes. */
export interface Layout extends Size {
  readonly left: Float64Array;
  readonly top: Float64Array;
  readonly routes: readonly Route[];
}

const ITEM_GAP = 16;
const ROW_GAP = 32;
const BEND_WIDTH = 8;
const LANE_GAP = 8;
/** Beyond these, links share the outermost lane: a picture that is mostly lanes shows nothing. */
const MOST_LANES = 24;

/**
 * Place items in rows so that links run downwards, the same picture for the same graph always.
 *
 * Items come in creation order, which decides all ties. They never overlap, and only links that
 * close a cycle run upwards. Takes time in proportion to the items, the links and a logarithm.
 */
export function layoutLayered(sizes: readonly Size[], links: readonly Link[]): Layout {
  const count = sizes.length;
  if (count === 0) {
    return { left: new Float64Array(), top: new Float64Array(), routes: [], width: 0, height: 0 };
  }
  const back = findBackLinks(count, links);
  const rank = assignRanks(count, links.filter((_, index) => !back[index]));
  const arranged = arrangeRows(rank, links, back);

  const widths = new Float64Array(arranged.above.length).fill(BEND_WIDTH);
  sizes.forEach((size, item) => (widths[item] = size.width));
  const centre = placeAcross(arranged, widths, ITEM_GAP);
  const left = new Float64Array(count);
  const top = new Float64Array(count);
  const rowOf = new Int32Array(arranged.above.length);
  const rowTop: number[] = [];
  const rowBottom: number[] = [];
  let edge = ROW_GAP / 2;
  let width = 0;
  arranged.rows.forEach((row, index) => {
    const items = row.filter((vertex) => vertex < count);
    const height = items.reduce((most, item) => Math.max(most, sizes[item].height), 0);
    for (const vertex of row) rowOf[vertex] = index;
    for (const item of items) {
      left[item] = centre[item] - sizes[item].width / 2;
      top[item] = edge + (height - sizes[item].height) / 2;
      width = Math.max(width, left[item] + sizes[item].width);
    }
    for (const vertex of row) width = Math.max(width, centre[vertex]);
    rowTop.push(edge);
    rowBottom.push(edge + height);
    edge += height + ROW_GAP;
  });

  const lanes = assignLanes(links, arranged.bends, rank);
  const routes = links.map(({ source, target }, index): Route => {
    const bends = arranged.bends[index];
    const points: Point[] = [{ x: centre[source], y: top[source] + sizes[source].height }];
    if (bends === null) {
      const x = width + LANE_GAP * (lanes[index] + 1);
      const leave = rowBottom[rank[source]] + ROW_GAP / 2;
      const arrive = rowTop[rank[target]] - ROW_GAP / 2;
      points.push({ x: centre[source], y: leave }, { x, y: leave });
      points.push({ x, y: arrive }, { x: centre[target], y: arrive });
    } else {
      for (const bend of bends) {
        points.push({ x: centre[bend], y: rowTop[rowOf[bend]] });
        points.push({ x: centre[bend], y: rowBottom[rowOf[bend]] });
      }
    }
    points.push({ x: centre[target], y: top[target] });
    return { points, back: back[index] };
  });
  const lanesWidth = LANE_GAP * (Math.max(-1, ...new Set(lanes)) + 1);
  return { left, top, routes, width: width + lanesWidth, height: edge - ROW_GAP / 2 };
}

/** The lane of every link that has none of the rows' bends: the first that is free beside it. */
function assignLanes(
  links: readonly Link[],
  bends: readonly (readonly number[] | null)[],
  rank: Int32Array,
): Int32Array {
  const lanes = new Int32Array(links.length).fill(-1);
  const span = ({ source, target }: Link): [number, number] =>
    rank[source] < rank[target]
      ? [rank[source], rank[target]]
      : [rank[target], rank[source]];
  const waiting = [...links.keys()].filter((index) => bends[index] === null);
  waiting.sort((one, other) => span(links[one])[0] - span(links[other])[0]);
  const free: number[] = [];
  for (const index of waiting) {
    const [first, last] = span(links[index]);
    const found = free.findIndex((row) => row < first);
    const lane = found >= 0 ? found : Math.min(free.length, MOST_LANES - 1);
    free[lane] = Math.max(free[lane] ?? 0, last);
    lanes[index] = lane;
  }
  return lanes;
}
