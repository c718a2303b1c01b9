import { ROOT, type Hierarchy } from "./hierarchy.js";

/** Which edges and links are part of the flow, and which items they enter or leave. */
export interface Loudness {
  /** 1 for edges that lead to or from something set aside: they are drawn only when asked for. */
  readonly quietEdge: Uint8Array;
  /** 1 for links that have an edge which is not quiet. */
  readonly loudLink: Uint8Array;
  /** 1 for items with such an edge from, or to, somewhere outside their scope. */
  readonly entered: Uint8Array;
  readonly left: Uint8Array;
}

/** Tell the edges of the flow from those to what is set aside. */
export function findLoudness(hierarchy: Hierarchy): Loudness {
  const { graph, links, parent, depth, aside, order, count } = hierarchy;
  // An edge is quiet if anything around one of its ends, inside the scope where they part, is aside.
  const asideDepth = new Int32Array(count).fill(-1);
  for (const item of order) {
    if (aside[item]) asideDepth[item] = depth[item];
    else if (parent[item] !== ROOT) asideDepth[item] = asideDepth[parent[item]];
  }
  const quietEdge = new Uint8Array(graph.edgeSource.length);
  const loudLink = new Uint8Array(links.source.length);
  const entered = new Uint8Array(count);
  const left = new Uint8Array(count);
  const enteredFrom = new Int32Array(count).fill(count);
  const leftTo = new Int32Array(count).fill(count);
  const mark = (
    item: number,
    end: number,
    at: number,
    marks: Uint8Array,
    seen: Int32Array,
  ): void => {
    // Whatever an edge that parts no deeper has marked, it has marked all the way up.
    for (let inner = item; inner !== end && seen[inner] > at; inner = parent[inner]) {
      seen[inner] = at;
      marks[inner] = 1;
    }
  };
  for (let link = 0; link < links.source.length; link++) {
    const from = links.source[link];
    const to = links.target[link];
    const at = depth[from] - 1;
    for (let k = links.edgeStart[link]; k < links.edgeStart[link + 1]; k++) {
      const edge = links.edges[k];
      const source = graph.edgeSource[edge];
      const target = graph.edgeTarget[edge];
      if (asideDepth[source] > at || asideDepth[target] > at) {
        quietEdge[edge] = 1;
        continue;
      }
      loudLink[link] = 1;
      mark(source, from, at, left, leftTo);
      mark(target, to, at, entered, enteredFrom);
    }
  }
  return { quietEdge, loudLink, entered, left };
}
