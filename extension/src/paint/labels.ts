import { addSign, MARK_SIZE, MARKS, SIGN_ROOM } from "../scene/mark.js";
import { HEADER } from "../scene/measure.js";
import { STATUS_GLYPHS } from "../scene/palette.js";
import { Kind, Status } from "../scene/types.js";
import { TEXT_ZOOM } from "./camera.js";
import {
  boxesIn,
  opacityOf,
  type Content,
  type Context,
  type Frame,
  type Painting,
} from "./frame.js";
import { LABEL_SIZE } from "./text.js";

/** The room of a group's glyph at zoom 1. */
const GLYPH = 17;
const PADDING = 9;
/** Names of open scopes stay readable this long, in CSS pixels, when all else is too small. */
const SIGN_SIZE = 11;
/** A label that is a little too long is written a little smaller before it is cut. */
const SQUEEZE = 0.86;

/** The labels of boxes, where they can be read; far away, only large scopes carry their names. */
export function* paintLabels(context: Context, content: Content, frame: Frame): Painting {
  const { geometry } = content;
  const readable = frame.scale / frame.ratio >= TEXT_ZOOM;
  context.textBaseline = "middle";
  let painted = 0;
  for (const box of boxesIn(content, frame)) {
    const open = geometry.isOpen(box);
    if (!readable && !open) continue;
    context.globalAlpha = Math.max(0.35, opacityOf(content.emphasis?.boxes, box));
    if (readable) paintLabel(context, content, frame, box, open);
    else paintSign(context, content, frame, box);
    if (++painted % 40 === 0) yield 120;
  }
  context.globalAlpha = 1;
  yield 1;
}

function paintLabel(context: Context, content: Content, frame: Frame, box: number, open: boolean) {
  const { geometry, theme, widths } = content;
  const { scene } = geometry;
  const { scale } = frame;
  const left = scene.x[box] * scale - frame.left;
  const top = scene.y[box] * scale - frame.top;
  const width = scene.boxWidth[box];
  const height = open ? HEADER : scene.boxHeight[box];
  const middle = Math.round(top + (height / 2) * scale);
  const group = geometry.isGroup(box);
  const begin = group ? 5 + GLYPH : PADDING + 1;
  let end = width - 5;
  const size = LABEL_SIZE * scale;
  const status = scene.status[box];

  if (status !== Status.same) {
    if (open) end -= 20;
    paintStatus(
      context,
      content,
      frame,
      status,
      left + (open ? width - 12 : width - 2) * scale,
      open ? middle : top,
    );
  }
  context.textAlign = "left";
  if (group) {
    paintGlyph(context, content, frame, box, open, left, middle);
    const mark = MARKS[scene.mark[box]];
    if (mark !== undefined)
      end -= paintMark(context, content, frame, box, left + end * scale, middle);
    const count =
      scene.kind[box] === Kind.series ? `×${scene.repeats[box]}` : compact(scene.operations[box]);
    const room = widths.width(count) * 0.85;
    if (mark === undefined && begin + widths.width(scene.labels[box]) + room + 8 <= end) {
      context.font = `${size * 0.85}px ${theme.font}`;
      context.fillStyle = theme.text;
      context.globalAlpha *= 0.62;
      context.textAlign = "right";
      context.fillText(count, left + end * scale, middle);
      context.textAlign = "left";
      context.globalAlpha /= 0.62;
      end -= room + 6;
    }
  }
  const room = end - begin;
  const squeeze = Math.max(SQUEEZE, Math.min(1, room / widths.width(scene.labels[box])));
  const label = widths.fit(scene.labels[box], room / squeeze);
  context.font = `${open ? "600 " : ""}${size * squeeze}px ${theme.font}`;
  context.fillStyle = theme.text;
  context.fillText(label, left + begin * scale, middle);
  const type = scene.types[box];
  const after = begin + widths.width(label) + 8;
  if (!group && type !== "" && !scene.labels[box].startsWith(type)) {
    const room = widths.width(type) * 0.85;
    if (after + room <= end) {
      context.font = `${size * 0.85}px ${theme.font}`;
      context.fillStyle = theme.faintText;
      context.textAlign = "right";
      context.fillText(type, left + end * scale, middle);
      context.textAlign = "left";
    }
  }
}

/**
 * What tells a loop or condition from a scope, left of `right`: a sign and a word. Answers with the
 * room that it takes, at zoom 1.
 */
function paintMark(
  context: Context,
  { geometry: { scene }, theme, widths }: Content,
  { scale, ratio }: Frame,
  box: number,
  right: number,
  middle: number,
): number {
  const kind = scene.mark[box];
  const word = MARKS[kind];
  const size = MARK_SIZE * LABEL_SIZE;
  const room = widths.width(word) * MARK_SIZE;
  context.font = `${size * scale}px ${theme.font}`;
  context.fillStyle = theme.faintText;
  context.textAlign = "right";
  context.fillText(word, right - 3 * scale, middle);
  context.textAlign = "left";
  context.beginPath();
  addSign(context, kind, right - (room + 3 + SIGN_ROOM / 2) * scale, middle, scale);
  context.strokeStyle = theme.roles[scene.role[box]].line;
  context.lineWidth = Math.max(1, 1.3 * ratio);
  context.stroke();
  return room + SIGN_ROOM + 8;
}

/** What became of a box in a diff, on a disc at its corner: + - or ~. */
function paintStatus(
  context: Context,
  { theme }: Content,
  { scale }: Frame,
  status: number,
  x: number,
  y: number,
): void {
  context.beginPath();
  context.arc(x, y, 7 * scale, 0, 2 * Math.PI);
  context.fillStyle = theme.statuses[status];
  context.fill();
  context.font = `bold ${LABEL_SIZE * scale}px ${theme.font}`;
  context.fillStyle = theme.background;
  context.textAlign = "center";
  context.fillText(STATUS_GLYPHS[status], x, y + 0.5 * scale);
}

/** The button that opens or closes a group: a circle with + or -. */
function paintGlyph(
  context: Context,
  { geometry, theme }: Content,
  { scale, ratio }: Frame,
  box: number,
  open: boolean,
  left: number,
  middle: number,
): void {
  const x = left + (5 + GLYPH / 2 - 1.5) * scale;
  const y = middle;
  const arm = 3 * scale;
  const colour = theme.roles[geometry.scene.role[box]].line;
  context.beginPath();
  context.arc(x, y, 6 * scale, 0, 2 * Math.PI);
  context.fillStyle = theme.background;
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = ratio;
  context.stroke();
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  if (!open) {
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
  }
  context.lineWidth = 1.3 * ratio;
  context.stroke();
}

/** The name of a scope over its contents, as towns are named on a map. */
function paintSign(context: Context, content: Content, frame: Frame, box: number): void {
  const { theme } = content;
  const { ratio } = frame;
  const sign = signOf(content, frame, box);
  if (sign === null) return;
  const { parent } = content.geometry.scene;
  const outer = parent[box] < 0 ? null : signOf(content, frame, parent[box]);
  // Scopes that begin in the same corner: the outer one's name is the one to read from afar.
  if (outer !== null && sign.y - outer.y < outer.height && sign.x - outer.x < outer.width) return;
  const alpha = context.globalAlpha;
  context.globalAlpha = 0.82 * alpha;
  context.fillStyle = theme.background;
  context.beginPath();
  context.roundRect(sign.x, sign.y, sign.width, sign.height, 3 * ratio);
  context.fill();
  context.globalAlpha = alpha;
  context.font = `600 ${SIGN_SIZE * ratio}px ${theme.font}`;
  context.fillStyle = theme.text;
  context.textAlign = "left";
  context.fillText(sign.label, sign.x + 3 * ratio, sign.y + sign.height / 2);
}

/** Where the sign of an open scope stands, in device pixels; null if the scope is too small. */
function signOf({ geometry: { scene }, widths }: Content, frame: Frame, box: number) {
  const { scale, ratio } = frame;
  const width = scene.boxWidth[box] * scale;
  const size = SIGN_SIZE * ratio;
  if (scene.boxHeight[box] * scale < 2.2 * size || width < 4 * size) return null;
  const label = widths.fit(scene.labels[box], ((width - 12 * ratio) / size) * LABEL_SIZE);
  if (label === "") return null;
  return {
    label,
    x: scene.x[box] * scale - frame.left + 4 * ratio,
    y: scene.y[box] * scale - frame.top + 4 * ratio,
    width: (widths.width(label) * size) / LABEL_SIZE + 6 * ratio,
    height: size + 4 * ratio,
  };
}

/** Where the glyph of a group is, in the scene, for the pointer. */
export function glyphRectangle(x: number, y: number, height: number, open: boolean) {
  const tall = open ? HEADER : height;
  return { x: x + 2, y: y + tall / 2 - 11, width: GLYPH + 6, height: 22 };
}

/** 1234 as 1.2k. */
export function compact(count: number): string {
  if (count < 1000) return String(count);
  if (count < 9950) return `${(count / 1000).toFixed(1)}k`;
  return count < 999_500 ? `${Math.round(count / 1000)}k` : `${(count / 1e6).toFixed(1)}M`;
}
