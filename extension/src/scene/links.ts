import { ROOT } from "./prefixes.js";
import type { Graph } from "./types.js";

/**
 * The edges of a graph between the children of each scope.
 *
 * A *link* stands for all edges that part in the same scope, from below the same child to below the
 * same other child. The links of a scope stand together, in the order of their first edge.
 */
export interface Links {
  /** The links of scope s are those from start[s + 1] to start[s + 2]; ROOT is -1. */
  readonly start: Int32Array;
  readonly source: Int32Array;
  readonly target: Int32Array;
  /** The edges of link l are edges[edgeStart[l]] to edges[edgeStart[l + 1] - 1]. */
  readonly edgeStart: Int32Array;
  readonly edges: Int32Array;
  /** 1 for links all of whose edges lead to the next pass of a loop. */
  readonly back: Uint8Array;
}

/** Depth of every item; scopes may come in any order. */
export function findDepths(parent: ArrayLike<number>): Int32Array {
  const depth = new Int32Array(parent.length).fill(-1);
  const path: number[] = [];
  for (let item = 0; item < parent.length; item++) {
    let above = item;
    while (above !== ROOT && depth[above] < 0) {
      path.push(above);
      above = parent[above];
    }
    let next = above === ROOT ? 0 : depth[above] + 1;
    for (let below = path.pop(); below !== undefined; below = path.pop()) depth[below] = next++;
  }
  return depth;
}

/**
 * Sort every edge into the scope in which its ends part. Edges from an operation to itself, or to
 * something in it, are left out.
 */
export function liftEdges(graph: Graph, parent: ArrayLike<number>): Links {
  const depth = findDepths(parent);
  const edges = graph.edgeSource.length;
  const from = new Int32Array(edges);
  const to = new Int32Array(edges);
  for (let edge = 0; edge < edges; edge++) {
    let source = graph.edgeSource[edge];
    let target = graph.edgeTarget[edge];
    from[edge] = -1;
    if (source === target) continue;
    while (depth[source] > depth[target]) source = parent[source];
    while (depth[target] > depth[source]) target = parent[target];
    if (source === target) continue;
    while (parent[source] !== parent[target]) {
      source = parent[source];
      target = parent[target];
    }
    from[edge] = source;
    to[edge] = target;
  }
  return bundle(from, to, parent, graph.nesting?.edgeBack ?? null);
}

/** Give edges with the same ends one link. Edges from -1 are left out. */
function bundle(
  from: Int32Array,
  to: Int32Array,
  parent: ArrayLike<number>,
  edgeBack: Uint8Array | null,
): Links {
  // By source first: two edges are of one link if their sources and targets agree, and with the
  // edges of one source together a note at the target is enough to see that.
  const bySource = groupBy(from, parent.length);
  const noted = new Int32Array(parent.length).fill(-1);
  const linkOf = new Int32Array(from.length).fill(-1);
  const firstEdge: number[] = [];
  for (let source = 0; source < parent.length; source++) {
    const known = firstEdge.length;
    for (let k = bySource.start[source]; k < bySource.start[source + 1]; k++) {
      const edge = bySource.members[k];
      const target = to[edge];
      if (noted[target] < known) noted[target] = firstEdge.push(edge) - 1;
      linkOf[edge] = noted[target];
    }
  }
  // Then the links by scope, in the order of their first edges.
  const links = firstEdge.length;
  const linkStart = new Int32Array(parent.length + 2);
  for (const edge of firstEdge) linkStart[parent[from[edge]] + 2]++;
  for (let scope = 0; scope <= parent.length; scope++) linkStart[scope + 1] += linkStart[scope];
  const next = linkStart.slice();
  const place = new Int32Array(links).fill(-1);
  const source = new Int32Array(links);
  const target = new Int32Array(links);
  const edgeStart = new Int32Array(links + 1);
  for (let edge = 0; edge < from.length; edge++) {
    const link = linkOf[edge];
    if (link < 0) continue;
    if (place[link] < 0) {
      const position = next[parent[from[edge]] + 1]++;
      place[link] = position;
      source[position] = from[edge];
      target[position] = to[edge];
    }
    edgeStart[place[link] + 1]++;
  }
  for (let link = 0; link < links; link++) edgeStart[link + 1] += edgeStart[link];
  const fill = edgeStart.slice();
  const edges = new Int32Array(edgeStart[links]);
  for (let edge = 0; edge < from.length; edge++) {
    if (linkOf[edge] >= 0) edges[fill[place[linkOf[edge]]]++] = edge;
  }
  const back = new Uint8Array(links);
  if (edgeBack !== null) {
    for (let link = 0; link < links; link++) {
      const own = edges.subarray(edgeStart[link], edgeStart[link + 1]);
      back[link] = Number(own.every((edge) => edgeBack[edge] === 1));
    }
  }
  return { start: linkStart, source, target, edgeStart, edges, back };
}

export interface Groups {
  /** The members of group g are members[start[g]] to members[start[g + 1] - 1], in their order. */
  readonly start: Int32Array;
  readonly members: Int32Array;
}

/** The positions in `keys` by key, from 0 to `count` - 1; negative keys are left out. */
export function groupBy(keys: ArrayLike<number>, count: number): Groups {
  const start = new Int32Array(count + 1);
  for (let index = 0; index < keys.length; index++) if (keys[index] >= 0) start[keys[index] + 1]++;
  for (let key = 0; key < count; key++) start[key + 1] += start[key];
  const next = start.slice();
  const members = new Int32Array(start[count]);
  for (let index = 0; index < keys.length; index++) {
    if (keys[index] >= 0) members[next[keys[index]]++] = index;
  }
  return { start, members };
}
