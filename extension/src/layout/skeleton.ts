import { orderRows } from "./crossings.js";
import { findBackLinks } from "./cycles.js";
import { filled, type Numbers } from "./lists.js";
import { assignRanks } from "./ranks.js";
import { makeSegments, type Segments } from "./segments.js";

/** What a layout is made for: things in creation order, links between them by their indices. */
export interface Topology {
  readonly count: number;
  readonly source: Numbers;
  readonly target: Numbers;
  /** Not 0 for links that run upwards whatever is around them. */
  readonly back?: Numbers;
  /** Not 0 for what is reached from outside, or leads outside: those are joined to a port. */
  readonly entered: Numbers;
  readonly left: Numbers;
}

/**
 * All of a layout that does not depend on sizes, so that opening a scope moves boxes but never
 * changes their order.
 *
 * Vertices are the things, then the port above them (at `count`) and the port below (`count` + 1),
 * which may be in no row, then the bends of links that cross rows.
 */
export interface Skeleton {
  readonly count: number;
  readonly rows: readonly Numbers[];
  readonly rowOf: Numbers;
  /** Where each thing stands in a row of taller ones: 0 at its top, 1 at its bottom. */
  readonly stance: Numbers;
  /** The links of the topology, then those from the upper and to the lower port. */
  readonly source: Numbers;
  readonly target: Numbers;
  /** 1 for links that close a cycle. */
  readonly back: Numbers;
  /** 1 for what runs in a lane beside the rows. */
  readonly inLane: Numbers;
  /** The bends of link l are the vertices from bendStart[l] to bendStart[l + 1] - 1, downwards. */
  readonly bendStart: Numbers;
  /** The pieces of all links that do not run in lanes. */
  readonly segments: Segments;
  /** For each thing the link that joins it to a port, -1 if none does. */
  readonly entry: Numbers;
  readonly exit: Numbers;
}

/** Longer links run in a lane at the side: their bends would drown the rows in between. */
const LONGEST_SPAN = 8;

/** So many links from one vertex past other rows become branches of one line in a lane. */
const MANY_BRANCHES = 4;

/** Assign rows to things and order them so that few links cross; always the same for the same. */
export function buildSkeleton(topology: Topology): Skeleton {
  const { count, entered, left } = topology;
  const source = topology.source.slice();
  const target = topology.target.slice();
  const back = findBackLinks(count, source, target, topology.back);
  const rowOf = assignRanks(count, source, target, back, entered);
  const entry = filled(count, -1);
  const exit = filled(count, -1);
  let hasUpper = false;
  let hasLower = false;
  const join = (from: number, to: number): number => {
    target.push(to);
    back.push(0);
    return source.push(from) - 1;
  };
  for (let thing = 0; thing < count; thing++) {
    if (!entered[thing]) continue;
    hasUpper = true;
    entry[thing] = join(count, thing);
  }
  for (let thing = 0; thing < count; thing++) {
    if (!left[thing]) continue;
    hasLower = true;
    exit[thing] = join(thing, count + 1);
  }
  let rowCount = hasUpper ? 1 : 0;
  for (let thing = 0; thing < count; thing++) {
    if (hasUpper) rowOf[thing]++;
    if (rowOf[thing] >= rowCount) rowCount = rowOf[thing] + 1;
  }
  rowOf.push(hasUpper ? 0 : -1, hasLower ? rowCount++ : -1);
  const rows: Numbers[] = [];
  for (let row = 0; row < rowCount; row++) rows.push([]);
  for (let vertex = 0; vertex < count + 2; vertex++) {
    if (rowOf[vertex] >= 0) rows[rowOf[vertex]].push(vertex);
  }

  const branches = filled(count + 1, 0);
  for (let link = 0; link < source.length; link++) {
    if (rowOf[target[link]] - rowOf[source[link]] > 1) branches[source[link]]++;
  }
  const inLane: Numbers = [];
  const bendStart: Numbers = [];
  const upper: Numbers = [];
  const lower: Numbers = [];
  for (let link = 0; link < source.length; link++) {
    bendStart.push(rowOf.length);
    const [top, bottom] = [rowOf[source[link]], rowOf[target[link]]];
    const isBranch = bottom - top > 1 && branches[source[link]] >= MANY_BRANCHES;
    const isLong = back[link] === 1 || bottom - top > LONGEST_SPAN || isBranch;
    inLane.push(isLong ? 1 : 0);
    if (isLong) continue;
    let above = source[link];
    for (let row = top + 1; row < bottom; row++) {
      const bend = rowOf.push(row) - 1;
      rows[row].push(bend);
      upper.push(above);
      lower.push(bend);
      above = bend;
    }
    upper.push(above);
    lower.push(target[link]);
  }
  bendStart.push(rowOf.length);
  // What needs nothing stands near its use, what nothing needs stands near what it uses.
  const stance = filled(count, 0.5);
  const degrees = [filled(count + 2, 0), filled(count + 2, 0)];
  for (let link = 0; link < source.length; link++) {
    degrees[0][target[link]]++;
    degrees[1][source[link]]++;
  }
  for (let thing = 0; thing < count; thing++) {
    if (degrees[0][thing] === 0) stance[thing] = 1;
    else if (degrees[1][thing] === 0) stance[thing] = 0;
  }
  const segments = makeSegments(rowOf.length, upper, lower);
  const ordered = orderRows(rows, rowOf.length, segments);
  const links = { source, target, back, inLane, bendStart };
  return { count, rows: ordered, rowOf, stance, ...links, segments, entry, exit };
}

/** The segments of those links that `isDirect` marks. */
export function directSegments(skeleton: Skeleton, isDirect: Numbers): Segments {
  const { source, target, bendStart, rowOf } = skeleton;
  const upper: Numbers = [];
  const lower: Numbers = [];
  for (let link = 0; link < source.length; link++) {
    if (!isDirect[link]) continue;
    let above = source[link];
    for (let bend = bendStart[link]; bend < bendStart[link + 1]; bend++) {
      upper.push(above);
      lower.push(bend);
      above = bend;
    }
    upper.push(above);
    lower.push(target[link]);
  }
  return makeSegments(rowOf.length, upper, lower);
}
