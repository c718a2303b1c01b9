import { BoxFlag, EdgeFlag, Kind, type Scene } from "../scene/types.js";
import type { Rectangle } from "./camera.js";
import { Grid } from "./grid.js";

/** How near to an edge, in pixels of the screen, a pointer finds it. */
const REACH = 6;

/** A scene, and finding things in it. */
export class Geometry {
  readonly boxGrid: Grid;
  readonly edgeGrid: Grid;

  constructor(readonly scene: Scene) {
    this.boxGrid = new Grid(scene.finding.boxes);
    this.edgeGrid = new Grid(scene.finding.edges);
  }

  /** Depth of each box, 0 at the top. */
  get depth(): Uint16Array {
    return this.scene.finding.depth;
  }

  /** The box of an item; -1 if this scene does not show it. */
  boxOf(item: number): number {
    return this.scene.finding.boxOf[item] ?? -1;
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

  /** The edges that begin or end at a box, in ascending order. */
  edgesOf(box: number): Uint32Array {
    const { edgesStart, edgesAt } = this.scene.finding;
    return edgesAt.subarray(edgesStart[box], edgesStart[box + 1]);
  }

  /** The edge from one box to another, -1 where there is none. */
  edgeBetween(source: number, target: number): number {
    if (source < 0 || target < 0) return -1;
    const { edgeSource, edgeTarget } = this.scene;
    const isIt = (edge: number): boolean =>
      edgeSource[edge] === source && edgeTarget[edge] === target;
    return this.edgesOf(source).find(isIt) ?? -1;
  }
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
