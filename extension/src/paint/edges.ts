import { EdgeFlag, Status, type Scene } from "../scene/types.js";
import {
  edgesIn,
  opacityOf,
  type Content,
  type Context,
  type Frame,
  type Painting,
} from "./frame.js";

/** Zoom (CSS pixels for a pixel of the scene) from which lines are curved, dashed, have heads. */
const CURVE_ZOOM = 0.28;
const DASH_ZOOM = 0.3;
const HEAD_ZOOM = 0.4;
/** Lengths of strokes and gaps, in CSS pixels. */
const GONE_DASH = [6, 3];
const CONTROL_DASH = [3, 3];
const BACK_DASH = [7, 4];
const BATCH = 100;
const CORNER = 8;

/** All edges but the quiet ones. */
export function* paintEdges(context: Context, content: Content, frame: Frame): Painting {
  const { scene } = content.geometry;
  const zoom = frame.scale / frame.ratio;
  const looks = new Map<number, number[]>();
  for (const edge of edgesIn(content, frame)) {
    if (scene.edgeFlag[edge] & EdgeFlag.quiet) continue;
    const dimmed = opacityOf(content.emphasis?.edges, edge) === 1 ? 0 : 1;
    const look =
      dimmed * 4096 +
      scene.edgeStatus[edge] * 64 +
      (scene.edgeFlag[edge] & 3) * 8 +
      weight(scene, edge);
    const alike = looks.get(look);
    if (alike) alike.push(edge);
    else looks.set(look, [edge]);
  }
  for (const edges of looks.values()) {
    const [first] = edges;
    setStyle(context, content, frame, first);
    for (let start = 0; start < edges.length; start += BATCH) {
      const batch = edges.slice(start, start + BATCH);
      context.beginPath();
      for (const edge of batch) addEdge(context, scene, edge, frame, zoom >= CURVE_ZOOM);
      context.stroke();
      if (zoom >= HEAD_ZOOM) {
        context.beginPath();
        for (const edge of batch) addHead(context, scene, edge, frame);
        context.fill();
      }
      yield batch.reduce((sum, edge) => sum + pointsOf(scene, edge), 0);
    }
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
}

/** One edge that stands out from the static picture: selected, pointed at, or of the selection. */
export function paintEdge(
  context: Context,
  scene: Scene,
  edge: number,
  frame: Frame,
  colour: string,
  width: number,
): void {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = width * frame.ratio;
  const dash = dashOf(scene.edgeFlag[edge]);
  context.setLineDash(dash.map((length) => length * frame.ratio));
  context.beginPath();
  addEdge(context, scene, edge, frame, true);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  addHead(context, scene, edge, frame, 1.4);
  context.fill();
}

function setStyle(
  context: Context,
  { geometry, theme, emphasis }: Content,
  frame: Frame,
  edge: number,
) {
  const { scene } = geometry;
  const zoom = frame.scale / frame.ratio;
  const flags = scene.edgeFlag[edge];
  const status = scene.edgeStatus[edge];
  const control = (flags & EdgeFlag.control) !== 0;
  const traced = emphasis !== null && emphasis.edges[edge] === 1;
  const colour =
    status !== Status.same
      ? theme.statuses[status]
      : traced
        ? theme.accent
        : flags & EdgeFlag.back
          ? theme.backEdge
          : control || zoom < 0.12
            ? theme.faintEdge
            : theme.edge;
  context.strokeStyle = context.fillStyle = colour;
  context.globalAlpha = opacityOf(emphasis?.edges, edge);
  context.lineWidth =
    (traced ? 2 : 1 + 0.5 * weight(scene, edge) * Math.min(1, zoom)) * frame.ratio;
  const broken = status === Status.removed ? GONE_DASH : dashOf(flags);
  context.setLineDash(zoom >= DASH_ZOOM ? broken.map((length) => length * frame.ratio) : []);
}

/** What only orders is dotted, what leads back is dashed. */
function dashOf(flags: number): readonly number[] {
  return flags & EdgeFlag.control ? CONTROL_DASH : flags & EdgeFlag.back ? BACK_DASH : [];
}

/** A line costs what its bends cost, and lines around a large picture have many. */
function pointsOf({ pointStart }: Scene, edge: number): number {
  return pointStart[edge + 1] - pointStart[edge];
}

/** 0 to 4 for one tensor to hundreds. */
function weight(scene: Scene, edge: number): number {
  return Math.min(4, Math.floor(Math.log2(Math.max(1, scene.edgeTensors[edge])) / 2));
}

function addEdge(
  context: Context,
  scene: Scene,
  edge: number,
  frame: Frame,
  curved: boolean,
): void {
  const { points, pointStart } = scene;
  const { scale, left, top } = frame;
  const first = pointStart[edge];
  const last = pointStart[edge + 1] - 1;
  let x = points[2 * first] * scale - left;
  let y = points[2 * first + 1] * scale - top;
  context.moveTo(x, y);
  for (let point = first + 1; point <= last; point++) {
    const nextX = points[2 * point] * scale - left;
    const nextY = points[2 * point + 1] * scale - top;
    const acrossOnly = Math.abs(nextY - y) < 0.5;
    const downOnly = Math.abs(nextX - x) < 0.5;
    if (!curved) {
      context.lineTo(nextX, nextY);
    } else if (!acrossOnly && !downOnly) {
      const middle = (y + nextY) / 2;
      context.bezierCurveTo(x, middle, nextX, middle, nextX, nextY);
    } else if (point < last) {
      const afterX = points[2 * point + 2] * scale - left;
      const afterY = points[2 * point + 3] * scale - top;
      const turns = acrossOnly
        ? Math.abs(afterX - nextX) < 0.5
        : downOnly && Math.abs(afterY - nextY) < 0.5;
      if (turns) {
        const before = Math.abs(nextX - x) + Math.abs(nextY - y);
        const after = Math.abs(afterX - nextX) + Math.abs(afterY - nextY);
        const radius = Math.min(CORNER * scale, before / 2, after / 2);
        context.arcTo(nextX, nextY, afterX, afterY, radius);
      } else {
        context.lineTo(nextX, nextY);
      }
    } else {
      context.lineTo(nextX, nextY);
    }
    x = nextX;
    y = nextY;
  }
}

/** The arrow's head at the end of an edge, in the direction in which it arrives. */
function addHead(context: Context, scene: Scene, edge: number, frame: Frame, size = 1): void {
  const { points } = scene;
  const last = scene.pointStart[edge + 1] - 1;
  if (last <= scene.pointStart[edge]) return;
  const x = points[2 * last] * frame.scale - frame.left;
  const y = points[2 * last + 1] * frame.scale - frame.top;
  const acrossX = points[2 * last] - points[2 * last - 2];
  const downY = points[2 * last + 1] - points[2 * last - 1];
  const length = size * 5 * frame.scale;
  const half = size * 3 * frame.scale;
  if (Math.abs(downY) < 0.5) {
    const back = acrossX >= 0 ? -length : length;
    context.moveTo(x, y);
    context.lineTo(x + back, y - half);
    context.lineTo(x + back, y + half);
  } else {
    const back = downY >= 0 ? -length : length;
    context.moveTo(x, y);
    context.lineTo(x - half, y + back);
    context.lineTo(x + half, y + back);
  }
  context.closePath();
}
