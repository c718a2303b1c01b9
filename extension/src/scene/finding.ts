import { makeGridTable, type GridTable } from "./grid-table.js";
import type { Picture } from "./types.js";

/** What finding things in a picture needs. It is made beside the picture, not in the page's time. */
export interface Finding {
  /** Depth of each box, 0 at the top. */
  readonly depth: Uint16Array;
  /** By item: the box that shows it, -1 for none. */
  readonly boxOf: Int32Array;
  readonly boxes: GridTable;
  readonly edges: GridTable;
  /** The edges at box b: edgesAt[edgesStart[b]] to edgesAt[edgesStart[b + 1] - 1]. */
  readonly edgesStart: Uint32Array;
  readonly edgesAt: Uint32Array;
}

/** Index a picture of a graph with so many items. */
export function makeFinding(picture: Picture, items: number): Finding {
  const { x, y, boxWidth, boxHeight, item, parent, width, height } = picture;
  const boxes = item.length;
  const right = new Float32Array(boxes);
  const bottom = new Float32Array(boxes);
  const depth = new Uint16Array(boxes);
  const boxOf = new Int32Array(items).fill(-1);
  for (let box = 0; box < boxes; box++) {
    right[box] = x[box] + boxWidth[box];
    bottom[box] = y[box] + boxHeight[box];
    depth[box] = parent[box] < 0 ? 0 : depth[parent[box]] + 1;
    boxOf[item[box]] = box;
  }
  return {
    depth,
    boxOf,
    boxes: makeGridTable({ left: x, top: y, right, bottom }, width, height),
    edges: makeGridTable(edgeBounds(picture), width, height),
    ...edgesByBox(picture),
  };
}

function edgeBounds({ pointStart, points, edgeSource }: Picture) {
  const edges = edgeSource.length;
  const left = new Float32Array(edges).fill(Infinity);
  const top = new Float32Array(edges).fill(Infinity);
  const right = new Float32Array(edges).fill(-Infinity);
  const bottom = new Float32Array(edges).fill(-Infinity);
  for (let edge = 0; edge < edges; edge++) {
    for (let point = pointStart[edge]; point < pointStart[edge + 1]; point++) {
      const x = points[2 * point];
      const y = points[2 * point + 1];
      if (x < left[edge]) left[edge] = x;
      if (x > right[edge]) right[edge] = x;
      if (y < top[edge]) top[edge] = y;
      if (y > bottom[edge]) bottom[edge] = y;
    }
  }
  return { left, top, right, bottom };
}

function edgesByBox({ item, edgeSource, edgeTarget }: Picture) {
  const edgesStart = new Uint32Array(item.length + 1);
  for (const ends of [edgeSource, edgeTarget]) for (const box of ends) edgesStart[box + 1]++;
  for (let box = 0; box < item.length; box++) edgesStart[box + 1] += edgesStart[box];
  const edgesAt = new Uint32Array(2 * edgeSource.length);
  const next = edgesStart.slice();
  for (let edge = 0; edge < edgeSource.length; edge++) {
    edgesAt[next[edgeSource[edge]]++] = edge;
    edgesAt[next[edgeTarget[edge]]++] = edge;
  }
  return { edgesStart, edgesAt };
}
