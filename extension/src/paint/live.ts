import { BoxFlag, EdgeFlag, type Scene } from "../scene/types.js";
import type { Rectangle } from "./camera.js";
import type { Dots } from "./dots.js";
import { paintEdge } from "./edges.js";
import { boxesIn, type Content, type Context, type Frame } from "./frame.js";
import { addOutline } from "../scene/outline.js";
import { LABEL_SIZE } from "./text.js";

/** Of a box that the overlay knows nothing about. */
export const NO_COLOUR = 255;

/** Live colours: for each box an index into the palette, and how full its bar is (0 to 1). */
export interface Colours {
  readonly palette: readonly string[];
  readonly index: Uint8Array;
  readonly bar: Float32Array | null;
  /** 1 for boxes with a mark on them: something is wrong there. */
  readonly alarm: Uint8Array | null;
}

/** What the pointer and the user point out; boxes and edges by index, -1 for none. */
export interface Pointed {
  readonly hoverBox: number;
  readonly hoverEdge: number;
  readonly box: number;
  readonly edge: number;
  /** The first of the two ends of a path. */
  readonly mark: number;
}

const BAR_HEIGHT = 3;
const BAR_ZOOM = 0.4;
/** Edges of one box that are drawn when it is selected; a hub has thousands. */
const MOST_EDGES = 600;
/** Height on the screen, in CSS pixels, from which colours leave room for a border. */
const BORDER_HEIGHT = 5;
const FORM_HEIGHT = 12;

/** Fill the closed boxes with their live colours, one colour after the other. */
export function paintColours(
  context: Context,
  content: Content,
  frame: Frame,
  colours: Colours,
  dots: Dots,
): void {
  const { scene } = content.geometry;
  const { palette, index, bar, alarm } = colours;
  const small: number[] = [];
  const groups: number[][] = palette.map(() => []);
  for (const box of boxesIn(content, frame)) {
    const colour = index[box];
    if (colour === NO_COLOUR || scene.flag[box] & BoxFlag.open) continue;
    if (content.emphasis && content.emphasis.boxes[box] === 0) continue;
    const isSmall = scene.boxHeight[box] * frame.scale < BORDER_HEIGHT * frame.ratio;
    (isSmall ? small : groups[colour]).push(box);
  }
  if (small.length > 0) dots.paint(context, scene, frame, small, index, palette);
  groups.forEach((boxes, colour) => {
    if (boxes.length > 0) fillBoxes(context, content, frame, boxes, palette[colour]);
  });
  if (bar && frame.scale / frame.ratio >= BAR_ZOOM) paintBars(context, content, frame, bar, groups);
  if (alarm) paintAlarms(context, content, frame, alarm, [...groups, small]);
}

/** Fill boxes with one colour, within their borders. */
function fillBoxes(
  context: Context,
  { geometry }: Content,
  frame: Frame,
  boxes: readonly number[],
  colour: string,
): void {
  const { scene } = geometry;
  const line = Math.max(1, Math.round(frame.ratio));
  context.fillStyle = colour;
  for (const box of boxes) {
    const x = Math.round(scene.x[box] * frame.scale - frame.left) + line;
    const y = Math.round(scene.y[box] * frame.scale - frame.top) + line;
    const right = Math.round((scene.x[box] + scene.boxWidth[box]) * frame.scale - frame.left);
    const bottom = Math.round((scene.y[box] + scene.boxHeight[box]) * frame.scale - frame.top);
    if (bottom - y < FORM_HEIGHT * frame.ratio) {
      context.fillRect(x, y, right - x, bottom - y);
    } else {
      context.beginPath();
      const group = geometry.isGroup(box);
      addOutline(context, scene.role[box], group, x, y, right - x, bottom - y, frame.scale);
      context.fill();
    }
  }
}

function paintBars(
  context: Context,
  { geometry: { scene }, theme }: Content,
  frame: Frame,
  bar: Float32Array,
  groups: readonly (readonly number[])[],
): void {
  const height = Math.max(2, Math.round(BAR_HEIGHT * frame.scale));
  context.fillStyle = theme.text;
  context.globalAlpha = 0.55;
  for (const boxes of groups) {
    for (const box of boxes) {
      if (!(bar[box] > 0)) continue;
      const room = scene.boxWidth[box] - 12;
      const x = (scene.x[box] + 6) * frame.scale - frame.left;
      const bottom = (scene.y[box] + scene.boxHeight[box] - 3) * frame.scale - frame.top;
      context.fillRect(x, bottom - height, Math.max(1, room * bar[box] * frame.scale), height);
    }
  }
  context.globalAlpha = 1;
}

/** A triangle at the corner: colour alone must not say it. */
function paintAlarms(
  context: Context,
  { geometry: { scene }, theme }: Content,
  frame: Frame,
  alarm: Uint8Array,
  groups: readonly (readonly number[])[],
): void {
  const size = Math.max(4 * frame.ratio, 9 * frame.scale);
  context.beginPath();
  for (const boxes of groups) {
    for (const box of boxes) {
      if (!alarm[box]) continue;
      const right = (scene.x[box] + scene.boxWidth[box]) * frame.scale - frame.left;
      const top = scene.y[box] * frame.scale - frame.top;
      context.moveTo(right - size / 2, top - size / 2);
      context.lineTo(right + size / 2, top + size / 2);
      context.lineTo(right - 1.5 * size, top + size / 2);
      context.closePath();
    }
  }
  context.fillStyle = theme.error;
  context.fill();
  context.strokeStyle = theme.background;
  context.lineWidth = frame.ratio;
  context.stroke();
}

/** The edges of what is selected or pointed at; above the boxes, below their labels. */
export function paintPointedEdges(
  context: Context,
  content: Content,
  frame: Frame,
  { hoverBox, hoverEdge, box, edge }: Pointed,
): void {
  const { scene } = content.geometry;
  const { accent } = content.theme;
  if (hoverBox >= 0 && hoverBox !== box) paintBoxEdges(context, content, frame, hoverBox, 1.2);
  if (box >= 0) paintBoxEdges(context, content, frame, box, 1.8);
  if (hoverEdge >= 0) paintEdge(context, scene, hoverEdge, frame, accent, 2);
  if (edge >= 0) paintEdge(context, scene, edge, frame, accent, 3);
}

/** Rings around what is selected or pointed at, and the shapes of edges, above everything else. */
export function paintPointed(
  context: Context,
  content: Content,
  frame: Frame,
  { hoverBox, hoverEdge, box, edge, mark }: Pointed,
): void {
  for (const each of new Set([hoverEdge, edge])) {
    if (each >= 0) paintEdgeLabel(context, content, frame, each);
  }
  if (hoverBox >= 0) ring(context, content, frame, hoverBox, 1.5, 0.7, []);
  if (mark >= 0) ring(context, content, frame, mark, 3, 1, [5, 4]);
  if (box >= 0) ring(context, content, frame, box, 3, 1, []);
}

function paintBoxEdges(
  context: Context,
  { geometry, theme }: Content,
  frame: Frame,
  box: number,
  width: number,
): void {
  const { scene } = geometry;
  for (const edge of geometry.edgesOf(box).slice(0, MOST_EDGES)) {
    // What comes in and what goes out are told apart by width too.
    const incoming = scene.edgeTarget[edge] === box;
    const colour = incoming ? theme.accent : theme.warning;
    // What leads far aside crosses half of the picture: it is there, but it does not shout.
    const quiet = (scene.edgeFlag[edge] & EdgeFlag.quiet) !== 0;
    context.globalAlpha = quiet ? 0.55 : 1;
    paintEdge(context, scene, edge, frame, colour, quiet ? 1 : incoming ? width : 0.75 * width);
  }
  context.globalAlpha = 1;
}

function ring(
  context: Context,
  { geometry, theme }: Content,
  frame: Frame,
  box: number,
  width: number,
  alpha: number,
  dash: readonly number[],
): void {
  const { scene } = geometry;
  const gap = 2 * frame.ratio;
  const { x, y, width: wide, height } = onFrame(geometry.rectangle(box), frame);
  context.globalAlpha = alpha;
  context.strokeStyle = theme.accent;
  context.lineWidth = width * frame.ratio;
  context.setLineDash(dash.map((length) => length * frame.ratio));
  context.beginPath();
  addOutline(
    context,
    scene.role[box],
    geometry.isGroup(box),
    x - gap,
    y - gap,
    wide + 2 * gap,
    height + 2 * gap,
    frame.scale,
  );
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** The shape of the tensor, beside the middle of its edge. */
function paintEdgeLabel(
  context: Context,
  { geometry, theme, widths }: Content,
  frame: Frame,
  edge: number,
): void {
  const { scene } = geometry;
  const tensors = scene.edgeTensors[edge];
  const more = tensors > 1 ? ` and ${tensors - 1} more` : "";
  const label = scene.edgeLabels[edge] + more;
  if (label === "") return;
  const { x, y } = middleOf(scene, edge);
  const size = 11 * frame.ratio;
  const length = (widths.width(label) * size) / LABEL_SIZE;
  const left = x * frame.scale - frame.left + 6 * frame.ratio;
  const middle = y * frame.scale - frame.top;
  context.fillStyle = theme.background;
  context.strokeStyle = theme.accent;
  context.lineWidth = frame.ratio;
  context.beginPath();
  context.roundRect(left, middle - size, length + 10 * frame.ratio, 2 * size, 4 * frame.ratio);
  context.fill();
  context.stroke();
  context.fillStyle = theme.text;
  context.font = `${size}px ${theme.font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(label, left + 5 * frame.ratio, middle);
}

function middleOf({ pointStart, points }: Scene, edge: number): { x: number; y: number } {
  const point = Math.floor((pointStart[edge] + pointStart[edge + 1] - 1) / 2);
  const next = Math.min(point + 1, pointStart[edge + 1] - 1);
  return {
    x: (points[2 * point] + points[2 * next]) / 2,
    y: (points[2 * point + 1] + points[2 * next + 1]) / 2,
  };
}

function onFrame({ x, y, width, height }: Rectangle, { scale, left, top }: Frame): Rectangle {
  return { x: x * scale - left, y: y * scale - top, width: width * scale, height: height * scale };
}
