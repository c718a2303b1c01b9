import { BoxFlag, EdgeFlag, Kind, type Scene } from "../scene/types.js";
import type { Rectangle } from "./camera.js";
import { Grid } from "./grid.js";

/** How near to an edge, in pixels of the screen, a pointer finds it. */
const REACH = 6;

/** A scene with what finding things in it needs; made once for each scene. */
export class Geometry {
  readonly boxGrid: Grid;
  readonly edgeGrid: Grid;
  /** Depth of each box, 0 at the top. */
  readonly depth: Uint16Array;
  readonly #boxOfItem = new Map<number, number>();
  #edgesOfBox: Map<number, number[]> | null = null;
  #edgeBetween: Map<number, number> | null = null;

  constructor(readonly scene: Scene) {
    const { x, y, boxWidth, boxHeight, item, parent, width, height } = scene;
    const boxes = item.length;
    const right = new Float32Array(boxes);
    const bottom = new Float32Array(boxes);
    this.depth = new Uint16Array(boxes);
    for (let box = 0; box < boxes; box++) {
      right[box] = x[box] + boxWidth[box];
      bottom[box] = y[box] + boxHeight[box];
      this.depth[box] = parent[box] < 0 ? 0 : this.depth[parent[box]] + 1;
      this.#boxOfItem.set(item[box], box);
    }
    this.boxGrid = new Grid(x, y, right, bottom, width, height);
    this.edgeGrid = edgeGrid(scene);
  }

  /** The box of an item; -1 if this scene does not show it. */
  boxOf(item: number): number {
    return this.#boxOfItem.get(item) ?? -1;
  }

  rectangle(box: number): Rectangle {
    const { x, y, boxWidth, boxHeight } = this.scene;
    return { x: x[box], y: y[box], width: boxWidth[box], height: boxHeight[box] };
  }

  isOpen(box: number): boolean {
    return (this.scene.flag[box] & BoxFlag.open) !== 0;
  }

  isGroup(box: number): boolean {
    return this.scene.kind[box] !== Kind.operation;
  }

  /** The innermost box at a point of the scene, -1 where there is none. */
  boxAt(x: number, y: number): number {
    const hits = this.boxGrid.find(x, y, x, y);
    return hits.length === 0 ? -1 : hits[hits.length - 1];
  }

  /** The edge nearest to a point of the scene, -1 if none is near; quiet edges are not found. */
  edgeAt(x: number, y: number, zoom: number): number {
    const reach = REACH / zoom;
    let nearest = -1;
    let least = reach;
    for (const edge of this.edgeGrid.find(x - reach, y - reach, x + reach, y + reach)) {
      if (this.scene.edgeFlag[edge] & EdgeFlag.quiet) continue;
      const distance = distanceToEdge(this.scene, edge, x, y);
      if (distance < least) {
        least = distance;
        nearest = edge;
      }
    }
    return nearest;
  }

  /** The edges that begin or end at a box. */
  edgesOf(box: number): readonly number[] {
    if (this.#edgesOfBox === null) {
      this.#edgesOfBox = new Map();
      const { edgeSource, edgeTarget } = this.scene;
      for (let edge = 0; edge < edgeSource.length; edge++) {
        for (const end of [edgeSource[edge], edgeTarget[edge]]) {
          const edges = this.#edgesOfBox.get(end);
          if (edges) edges.push(edge);
          else this.#edgesOfBox.set(end, [edge]);
        }
      }
    }
    return this.#edgesOfBox.get(box) ?? [];
  }

  /** The edge from one box to another, -1 where there is none. */
  edgeBetween(source: number, target: number): number {
    const boxes = this.scene.item.length;
    if (this.#edgeBetween === null) {
      this.#edgeBetween = new Map();
      const { edgeSource, edgeTarget } = this.scene;
      for (let edge = 0; edge < edgeSource.length; edge++) {
        this.#edgeBetween.set(edgeSource[edge] * boxes + edgeTarget[edge], edge);
      }
    }
    return this.#edgeBetween.get(source * boxes + target) ?? -1;
  }
}

function edgeGrid(scene: Scene): Grid {
  const { pointStart, points, edgeSource, width, height } = scene;
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
  return new Grid(left, top, right, bottom, width, height);
}

function distanceToEdge(scene: Scene, edge: number, x: number, y: number): number {
  const { pointStart, points } = scene;
  let least = Infinity;
  for (let point = pointStart[edge]; point + 1 < pointStart[edge + 1]; point++) {
    const fromX = points[2 * point];
    const fromY = points[2 * point + 1];
    const alongX = points[2 * point + 2] - fromX;
    const alongY = points[2 * point + 3] - fromY;
    const length = alongX * alongX + alongY * alongY;
    const share =
      length === 0
        ? 0
        : Math.max(0, Math.min(1, ((x - fromX) * alongX + (y - fromY) * alongY) / length));
    least = Math.min(least, Math.hypot(x - fromX - share * alongX, y - fromY - share * alongY));
  }
  return least;
}
