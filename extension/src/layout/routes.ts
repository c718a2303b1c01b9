import { GUTTER } from "./columns.js";
import { LANE_GAP, Lanes } from "./lanes.js";
import { filled, type Numbers } from "./lists.js";
import type { Skeleton } from "./skeleton.js";

/** Where rows and columns stand; `left` is moved to where the columns are in the end. */
export interface Frame {
  readonly rowTop: Numbers;
  readonly rowBottom: Numbers;
  readonly columnOf: Numbers;
  readonly columnLeft: Numbers;
  readonly columnWidth: Numbers;
  /** 1 for links that run through their bends, not through gutters. */
  readonly isDirect: Numbers;
  readonly left: Numbers;
  readonly into: Numbers;
  readonly out: Numbers;
  /** Top edges and heights of things. */
  readonly top: Numbers;
  readonly height: Numbers;
}

export interface Routed {
  readonly width: number;
  /** By how much everything was moved down for lines above the columns. */
  readonly head: number;
  readonly pointStart: Numbers;
  readonly points: Numbers;
}

/** Lines turn at one of these distances from a row, so that not all of them fall on one another. */
const TURNS = 3;
const FIRST_TURN = 7;
const TURN_GAP = 3.5;

const MOST_HEAD_LINES = 6;

/** Set the columns side by side, with gutters as wide as their lines need, and draw all lines. */
export function routeLinks(skeleton: Skeleton, frame: Frame): Routed {
  const { count, rows, rowOf, source, target, bendStart } = skeleton;
  const { rowTop, rowBottom, columnOf, columnLeft, columnWidth, isDirect, left, into, out } = frame;
  const columns = columnLeft.length;
  const links = source.length;

  const footOf = (vertex: number): number =>
    vertex < count ? frame.top[vertex] + frame.height[vertex] : rowBottom[rowOf[vertex]];
  const headOf = (vertex: number): number =>
    vertex < count ? frame.top[vertex] : rowTop[rowOf[vertex]];
  const leave = (link: number): number =>
    rowBottom[rowOf[source[link]]] + FIRST_TURN + TURN_GAP * (source[link] % TURNS);
  const arrive = (link: number): number =>
    rowTop[rowOf[target[link]]] - FIRST_TURN - TURN_GAP * (keyOf(link) % TURNS);
  // Lines to the lower port are one line, as are those from one source.
  const keyOf = (link: number): number =>
    target[link] === count + 1 ? target[link] : source[link];

  const lanes = new Lanes(columns);
  const headLines = new Map<number, number>();
  const gutters = filled(2 * links, 0);
  for (let link = 0; link < links; link++) {
    if (isDirect[link]) continue;
    const from = columnOf[rowOf[source[link]]];
    const to = columnOf[rowOf[target[link]]];
    const entering = to > from ? to - 1 : to;
    gutters[2 * link] = from;
    gutters[2 * link + 1] = entering;
    if (from === entering) {
      lanes.reserve(from, keyOf(link), leave(link), arrive(link));
    } else {
      lanes.reserve(from, keyOf(link), 0, leave(link));
      lanes.reserve(entering, keyOf(link), 0, arrive(link));
      if (!headLines.has(keyOf(link))) headLines.set(keyOf(link), headLines.size % MOST_HEAD_LINES);
    }
  }
  const head =
    headLines.size === 0 ? 0 : TURN_GAP * (Math.min(headLines.size, MOST_HEAD_LINES) + 1);

  const laneWidths = lanes.assign();
  const gutterLeft: Numbers = [];
  const shift: Numbers = [];
  let width = 0;
  for (let column = 0; column < columns; column++) {
    shift.push(width - columnLeft[column]);
    gutterLeft.push(width + columnWidth[column]);
    const lines = laneWidths[column] > 0 ? laneWidths[column] + 2 * LANE_GAP : 0;
    width = gutterLeft[column] + (column + 1 < columns ? Math.max(GUTTER, lines) : lines);
  }
  for (let row = 0; row < rows.length; row++) {
    for (const vertex of rows[row]) left[vertex] += shift[columnOf[row]];
  }

  const pointStart: Numbers = [];
  const points: Numbers = [];
  const draw = (x: number, y: number): void => {
    points.push(x, y + head);
  };
  for (let link = 0; link < links; link++) {
    pointStart.push(points.length / 2);
    const [from, to] = [source[link], target[link]];
    const startX = left[from] + out[from];
    const endX = left[to] + into[to];
    draw(startX, footOf(from));
    if (isDirect[link]) {
      // Straight down past taller things in the row, and so on to the next rows.
      draw(startX, rowBottom[rowOf[from]]);
      for (let bend = bendStart[link]; bend < bendStart[link + 1]; bend++) {
        draw(left[bend] + out[bend], rowTop[rowOf[bend]]);
        draw(left[bend] + out[bend], rowBottom[rowOf[bend]]);
      }
      draw(endX, rowTop[rowOf[to]]);
    } else {
      const key = keyOf(link);
      const [leaving, entering] = [gutters[2 * link], gutters[2 * link + 1]];
      const firstX = gutterLeft[leaving] + lanes.offset(leaving, key);
      const lastX = gutterLeft[entering] + lanes.offset(entering, key);
      draw(startX, leave(link));
      draw(firstX, leave(link));
      if (leaving !== entering) {
        const y = -head + TURN_GAP * ((headLines.get(key) as number) + 1);
        draw(firstX, y);
        draw(lastX, y);
      }
      draw(lastX, arrive(link));
      draw(endX, arrive(link));
    }
    draw(endX, headOf(to));
  }
  pointStart.push(points.length / 2);
  return { width, head, pointStart, points };
}
