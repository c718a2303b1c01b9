import type { Note } from "../overlay/ways.js";
import { TEXT_ZOOM } from "./camera.js";
import type { Content, Context, Frame } from "./frame.js";
import { LABEL_SIZE } from "./text.js";

/** The size of a note beside that of labels, and its height, at zoom 1. */
const SIZE = 0.8;
const HEIGHT = 14;
const PADDING = 5;

/** Write what is known of boxes on labels that sit on their upper edges, at the right. */
export function paintNotes(
  context: Context,
  { geometry: { scene }, theme, widths }: Content,
  { left, top, width, height, scale, ratio }: Frame,
  notes: readonly Note[],
): void {
  if (scale / ratio < TEXT_ZOOM) return;
  context.font = `600 ${SIZE * LABEL_SIZE * scale}px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const { box, text } of notes) {
    const wide = (widths.width(text) * SIZE * 1.08 + 2 * PADDING) * scale;
    const right = (scene.x[box] + scene.boxWidth[box] - 6) * scale - left;
    const middle = scene.y[box] * scale - top;
    const tall = HEIGHT * scale;
    if (right < 0 || right - wide > width || middle + tall < 0 || middle - tall > height) continue;
    context.beginPath();
    context.roundRect(right - wide, middle - tall / 2, wide, tall, tall / 2);
    context.fillStyle = theme.roles[scene.role[box]].line;
    context.fill();
    context.fillStyle = theme.background;
    context.fillText(text, right - wide / 2, middle + 0.5 * ratio);
  }
}
