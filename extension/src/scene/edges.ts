import type { Hierarchy } from "./hierarchy.js";
import type { ChildSize, Interior } from "./interior.js";
import type { Loudness } from "./loudness.js";
import type { Placement } from "./scene.js";
import { CONTROL, EdgeFlag, Status, type Scene } from "./types.js";

type SceneEdges = Pick<
  Scene,
  | "edgeSource"
  | "edgeTarget"
  | "edgeFlag"
  | "edgeStatus"
  | "edgeTensors"
  | "edgeExample"
  | "edgeLabels"
  | "pointStart"
  | "points"
>;

/** Quiet lines go straight across the picture, once they have left their box. */
const STUB = 12;

/** Draw all edges of the graph that are seen, those between the same two boxes as one. */
export function traceEdges(
  hierarchy: Hierarchy,
  loudness: Loudness,
  placement: Placement,
): SceneEdges {
  const tracer = new Tracer(hierarchy, loudness, placement);
  for (const scope of placement.opened) tracer.traceScope(scope);
  return tracer.finish();
}

class Tracer {
  private readonly source: number[] = [];
  private readonly target: number[] = [];
  private readonly flag: number[] = [];
  private readonly status: number[] = [];
  private readonly tensors: number[] = [];
  private readonly example: number[] = [];
  private readonly start: number[] = [];
  private readonly points: number[] = [];
  private readonly bundles = new Map<number, number>();
  private readonly path: number[] = [];

  constructor(
    private readonly hierarchy: Hierarchy,
    private readonly loudness: Loudness,
    private readonly placement: Placement,
  ) {}

  traceScope(scope: number): void {
    const { links, count } = this.hierarchy;
    const { edgeSource, edgeTarget } = this.hierarchy.graph;
    const { visible } = this.placement;
    for (let link = links.start[scope + 1]; link < links.start[scope + 2]; link++) {
      // Of one link, edges between the same two boxes are one line.
      this.bundles.clear();
      for (let k = links.edgeStart[link]; k < links.edgeStart[link + 1]; k++) {
        const edge = links.edges[k];
        const from = visible[edgeSource[edge]];
        const to = visible[edgeTarget[edge]];
        const key = from * count + to;
        const known = this.bundles.get(key);
        if (known === undefined) this.bundles.set(key, this.begin(edge, from, to));
        else this.join(known, edge);
      }
      for (const bundle of this.bundles.values()) this.route(bundle, scope, link);
    }
  }

  private begin(edge: number, from: number, to: number): number {
    const { graph } = this.hierarchy;
    const isControl = graph.edgeOutput[edge] === CONTROL;
    const quiet = this.loudness.quietEdge[edge] ? EdgeFlag.quiet : 0;
    this.source.push(from);
    this.target.push(to);
    const back = graph.nesting?.edgeBack[edge] ? EdgeFlag.back : 0;
    this.flag.push((isControl ? EdgeFlag.control : 0) | quiet | back);
    this.status.push(graph.edgeStatus?.[edge] ?? Status.same);
    this.tensors.push(isControl ? 0 : 1);
    return this.example.push(edge) - 1;
  }

  private join(bundle: number, edge: number): void {
    const { graph } = this.hierarchy;
    if (this.status[bundle] !== (graph.edgeStatus?.[edge] ?? Status.same)) {
      this.status[bundle] = Status.changed;
    }
    if (!this.loudness.quietEdge[edge]) this.flag[bundle] &= ~EdgeFlag.quiet;
    if (!graph.nesting?.edgeBack[edge]) this.flag[bundle] &= ~EdgeFlag.back;
    if (graph.edgeOutput[edge] === CONTROL) return;
    if (this.flag[bundle] & EdgeFlag.control) {
      this.flag[bundle] &= ~EdgeFlag.control;
      this.example[bundle] = edge;
    }
    this.tensors[bundle]++;
  }

  /** Bundles are routed in the order in which they were begun, so that points stand in order. */
  private route(bundle: number, scope: number, link: number): void {
    this.start[bundle] = this.points.length / 2;
    if (this.flag[bundle] & EdgeFlag.quiet) {
      this.quietLine(this.source[bundle], this.target[bundle]);
      return;
    }
    const { links, parent, place } = this.hierarchy;
    const { interiors } = this.placement;
    for (let item = this.source[bundle]; item !== links.source[link]; item = parent[item]) {
      const inside = interiors[parent[item] + 1] as Interior;
      this.follow(parent[item], inside.plan.exit[place[item]]);
    }
    const around = interiors[scope + 1] as Interior;
    const route = around.plan.routeOf[link - links.start[scope + 1]];
    this.follow(scope, route);
    const path = this.path;
    for (let item = this.target[bundle]; item !== links.target[link]; item = parent[item]) {
      path.push(item);
    }
    for (let item = path.pop(); item !== undefined; item = path.pop()) {
      const inside = interiors[parent[item] + 1] as Interior;
      this.follow(parent[item], inside.plan.entry[place[item]]);
    }
    if (around.plan.skeleton.back[route]) this.flag[bundle] |= EdgeFlag.back;
  }

  /** Add the points of a link of a scope's layout. */
  private follow(scope: number, route: number): void {
    const { originX, originY, interiors } = this.placement;
    const { pointStart, points } = (interiors[scope + 1] as Interior).flow;
    const [x, y] = [originX[scope + 1], originY[scope + 1]];
    for (let point = pointStart[route]; point < pointStart[route + 1]; point++) {
      this.addPoint(points[2 * point] + x, points[2 * point + 1] + y);
    }
  }

  private quietLine(from: number, to: number): void {
    const { x, y, size } = this.placement;
    const source = size[from] as ChildSize;
    const startX = x[from] + source.out;
    const startY = y[from] + source.height;
    const endX = x[to] + (size[to] as ChildSize).into;
    this.points.push(startX, startY, startX, startY + STUB);
    this.points.push(endX, y[to] - STUB, endX, y[to]);
  }

  /** Add a point to the line of the bundle begun last, without points that change nothing. */
  private addPoint(x: number, y: number): void {
    const { points, start } = this;
    const last = points.length - 2;
    const first = 2 * start[start.length - 1];
    if (last >= first) {
      const [lastX, lastY] = [points[last], points[last + 1]];
      if (lastX === x && lastY === y) return;
      if (last - 2 >= first && isBetween(points[last - 2], lastX, x, points[last - 1], lastY, y)) {
        points[last] = x;
        points[last + 1] = y;
        return;
      }
    }
    points.push(x, y);
  }

  finish(): SceneEdges {
    const { boxOf } = this.placement;
    const { graph } = this.hierarchy;
    const box = (item: number): number => boxOf[item];
    return {
      edgeSource: Uint32Array.from(this.source, box),
      edgeTarget: Uint32Array.from(this.target, box),
      edgeFlag: Uint8Array.from(this.flag),
      edgeStatus: Uint8Array.from(this.status),
      edgeTensors: Uint32Array.from(this.tensors),
      edgeExample: Uint32Array.from(this.example),
      edgeLabels: this.example.map((edge) => graph.shapes[graph.edgeShape[edge]]),
      pointStart: Uint32Array.from([...this.start, this.points.length / 2]),
      points: Float32Array.from(this.points),
    };
  }
}

/** Whether the middle one of three points lies straight between the others. */
function isBetween(
  x0: number,
  x1: number,
  x2: number,
  y0: number,
  y1: number,
  y2: number,
): boolean {
  if (x0 === x1 && x1 === x2) return y1 >= y0 === y2 >= y1;
  if (y0 === y1 && y1 === y2) return x1 >= x0 === x2 >= x1;
  return false;
}
