import { findBackLinks } from "./cycles.js";
import { orderRows } from "./crossings.js";
import { assignRanks } from "./ranks.js";

/** What a layout is made for: things in creation order, links between them by their indices. */
export interface Topology {
  readonly count: number;
  readonly source: Int32Array;
  readonly target: Int32Array;
  /** 1 for what is reached from outside, or leads outside: those are joined to a port. */
  readonly entered: Uint8Array;
  readonly left: Uint8Array;
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
  readonly rows: readonly Int32Array[];
  readonly rowOf: Int32Array;
  /** The links of the topology, then those from the upper and to the lower port. */
  readonly source: Int32Array;
  readonly target: Int32Array;
  readonly back: Uint8Array;
  /** Runs in a lane beside the rows. */
  readonly inLane: Uint8Array;
  /** The bends of link l are the vertices from bendStart[l] to bendStart[l + 1] - 1, downwards. */
  readonly bendStart: Int32Array;
  /** For each thing the link that joins it to a port, -1 if none does. */
  readonly entry: Int32Array;
  readonly exit: Int32Array;
}

/** Longer links run in a lane at the side: their bends would drown the rows in between. */
const LONGEST_SPAN = 8;

/** Assign rows to things and order them so that few links cross; always the same for the same. */
export function buildSkeleton({ count, source, target, entered, left }: Topology): Skeleton {
  const upper = count;
  const lower = count + 1;
  const from = [...source];
  const to = [...target];
  const entry = new Int32Array(count).fill(-1);
  const exit = new Int32Array(count).fill(-1);
  for (let thing = 0; thing < count; thing++) {
    if (entered[thing]) entry[thing] = from.push(upper) - 1;
    if (entered[thing]) to.push(thing);
  }
  for (let thing = 0; thing < count; thing++) {
    if (left[thing]) exit[thing] = from.push(thing) - 1;
    if (left[thing]) to.push(lower);
  }
  const hasUpper = entered.includes(1);
  const hasLower = left.includes(1);
  const back = findBackLinks(count, source, target);
  const rank = assignRanks(count, source, target, back);
  const shift = hasUpper ? 1 : 0;
  let rowCount = shift;
  for (let thing = 0; thing < count; thing++)
    rowCount = Math.max(rowCount, (rank[thing] += shift) + 1);

  const rowOf = [...rank, hasUpper ? 0 : -1, hasLower ? rowCount++ : -1];
  const rows: number[][] = Array.from({ length: rowCount }, () => []);
  for (let vertex = 0; vertex < count + 2; vertex++)
    if (rowOf[vertex] >= 0) rows[rowOf[vertex]].push(vertex);

  const links = from.length;
  const allBack = new Uint8Array(links);
  allBack.set(back);
  const inLane = new Uint8Array(links);
  const bendStart = new Int32Array(links + 1);
  for (let link = 0; link < links; link++) {
    bendStart[link] = rowOf.length;
    const [top, bottom] = [rowOf[from[link]], rowOf[to[link]]];
    if (allBack[link] || bottom - top > LONGEST_SPAN) {
      inLane[link] = 1;
      continue;
    }
    for (let row = top + 1; row < bottom; row++) rows[row].push(rowOf.push(row) - 1);
  }
  bendStart[links] = rowOf.length;

  const skeleton = {
    count,
    rowOf: Int32Array.from(rowOf),
    source: Int32Array.from(from),
    target: Int32Array.from(to),
    back: allBack,
    inLane,
    bendStart,
    entry,
    exit,
  };
  return { ...skeleton, rows: orderRows(rows, segmentsOf(skeleton)) };
}

/** Pieces of links from one row to the next, by their upper and lower vertices. */
export interface Segments {
  readonly vertices: number;
  readonly upper: Int32Array;
  readonly lower: Int32Array;
}

/** The pieces of all links that do not run in lanes, or of those that `wanted` says. */
export function segmentsOf(
  skeleton: Omit<Skeleton, "rows">,
  wanted: (link: number) => boolean = () => true,
): Segments {
  const { source, target, inLane, bendStart, rowOf } = skeleton;
  const upper: number[] = [];
  const lower: number[] = [];
  for (let link = 0; link < source.length; link++) {
    if (inLane[link] || !wanted(link)) continue;
    let above = source[link];
    for (let bend = bendStart[link]; bend < bendStart[link + 1]; bend++) {
      upper.push(above);
      lower.push(bend);
      above = bend;
    }
    upper.push(above);
    lower.push(target[link]);
  }
  return { vertices: rowOf.length, upper: Int32Array.from(upper), lower: Int32Array.from(lower) };
}
