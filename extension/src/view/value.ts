import { formatNumber } from "../overlay/format.js";
import { ramp } from "../overlay/colours.js";
import type { TapSample } from "../protocol/messages.js";

/** What a drawing of a value needs. */
export interface Value {
  readonly sample: TapSample;
  readonly values: Float32Array;
  readonly edges: Float32Array;
  readonly steps: Float64Array;
  readonly history: Float32Array;
}

export interface Ink {
  readonly text: string;
  readonly faint: string;
  readonly accent: string;
  readonly error: string;
  readonly font: string;
}

type Context = CanvasRenderingContext2D;
/** Red, green, blue and opacity, 0 to 255. */
type Pixel = readonly [number, number, number, number];

/** Draw the current value of a tensor into a rectangle from the origin, as fits its kind. */
export function drawValue(
  context: Context,
  value: Value,
  width: number,
  height: number,
  ink: Ink,
): void {
  context.clearRect(0, 0, width, height);
  const { sample, values } = value;
  switch (sample.kind) {
    case "number":
      drawNumber(context, values[0] ?? NaN, width, height, ink);
      break;
    case "vector":
      drawBars(context, values, width, height, ink);
      break;
    case "histogram":
      drawHistogram(context, value, width, height, ink);
      break;
    case "matrix":
    case "image":
      drawImages(context, value, width, height);
      break;
    case "text":
      break; // shown as text of the page, so that it can be selected
  }
}

function drawNumber(
  context: Context,
  number: number,
  width: number,
  height: number,
  ink: Ink,
): void {
  const text = formatNumber(number);
  const size = Math.min(height * 0.6, (1.6 * width) / Math.max(4, text.length));
  context.font = `300 ${size}px ${ink.font}`;
  context.fillStyle = Number.isFinite(number) ? ink.text : ink.error;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, width / 2, height / 2);
}

/** Bars up and down from zero; what is not finite is a mark in the colour of errors. */
function drawBars(
  context: Context,
  values: Float32Array,
  width: number,
  height: number,
  ink: Ink,
): void {
  const { low, high } = spread(values, true);
  const place = (value: number): number =>
    height - 4 - ((value - low) / (high - low)) * (height - 8);
  const step = width / Math.max(1, values.length);
  const gap = step > 3 ? 1 : 0;
  values.forEach((value, index) => {
    const finite = Number.isFinite(value);
    const top = finite ? Math.min(place(0), place(value)) : 0;
    const length = finite ? Math.abs(place(value) - place(0)) : height;
    context.fillStyle = finite ? ink.accent : ink.error;
    context.fillRect(index * step, top, Math.max(0.5, step - gap), Math.max(1, length));
  });
  context.fillStyle = ink.faint;
  context.fillRect(0, Math.round(place(0)), width, 1);
}

function drawHistogram(
  context: Context,
  { values, edges }: Value,
  width: number,
  height: number,
  ink: Ink,
): void {
  const room = height - 16;
  const most = values.reduce((known, count) => Math.max(known, count), 0) || 1;
  const step = width / Math.max(1, values.length);
  context.fillStyle = ink.accent;
  values.forEach((count, index) => {
    const length = (count / most) * room;
    context.fillRect(index * step, room - length, Math.max(0.5, step - 1), length);
  });
  context.fillStyle = ink.faint;
  context.fillRect(0, room, width, 1);
  context.font = `10px ${ink.font}`;
  context.textBaseline = "bottom";
  context.textAlign = "left";
  context.fillText(formatNumber(edges[0] ?? NaN), 0, height);
  context.textAlign = "right";
  context.fillText(formatNumber(edges[edges.length - 1] ?? NaN), width, height);
}

/** One matrix as a heat map, or images beside each other, each pixel a square. */
function drawImages(context: Context, value: Value, width: number, height: number): void {
  const { sample, values } = value;
  const rows = Math.max(1, sample.rows ?? 1);
  const columns = Math.max(1, sample.columns ?? 1);
  const count = Math.max(1, sample.images ?? 1);
  const across = bestColumns(count, (width / height) * (rows / columns));
  const down = Math.ceil(count / across);
  const gap = count > 1 ? 3 : 0;
  const pixel = Math.min(
    (width - gap * (across - 1)) / (across * columns),
    (height - gap * (down - 1)) / (down * rows),
  );
  const left = (width - across * columns * pixel - gap * (across - 1)) / 2;
  const { low, high } = spread(values, false);
  const colours = sample.kind === "matrix" ? heatColours() : null;
  context.imageSmoothingEnabled = false;
  const channels = sample.color ? 3 : 1;
  for (let image = 0; image < count; image++) {
    const pixels = new ImageData(columns, rows);
    for (let at = 0; at < rows * columns; at++) {
      const colour = colourOf(values, (image * rows * columns + at) * channels);
      pixels.data.set(colour, 4 * at);
    }
    const small = document.createElement("canvas");
    small.width = columns;
    small.height = rows;
    (small.getContext("2d") as Context).putImageData(pixels, 0, 0);
    const x = left + (image % across) * (columns * pixel + gap);
    const y = Math.floor(image / across) * (rows * pixel + gap);
    context.drawImage(small, x, y, columns * pixel, rows * pixel);
  }

  function colourOf(from: Float32Array, start: number): Pixel {
    const share = (index: number): number => ((from[index] ?? NaN) - low) / (high - low);
    // What is no number must be seen at once, so it is not dark or pale but red.
    for (let index = start; index < start + channels; index++) {
      if (!Number.isFinite(from[index])) return [220, 30, 60, 255];
    }
    if (channels === 3)
      return [255 * share(start), 255 * share(start + 1), 255 * share(start + 2), 255];
    if (colours === null) return [255 * share(start), 255 * share(start), 255 * share(start), 255];
    return colours[Math.round(share(start) * (colours.length - 1))];
  }
}

/** Dark to light, the same on light and dark pages: a picture has its own black and white. */
const HEAT_STOPS = ["#2c1e5c", "#7b2d8b", "#d6456b", "#f98e52", "#fcf3b0"];
let heat: readonly Pixel[] | null = null;

function heatColours(): readonly Pixel[] {
  heat ??= ramp(HEAT_STOPS, 256).map((text): Pixel => {
    const value = parseInt(text.slice(1), 16);
    return [value >> 16, (value >> 8) & 255, value & 255, 255];
  });
  return heat;
}

/** The number of images in a row with which the whole comes nearest to the room's form. */
export function bestColumns(count: number, aspect: number): number {
  let best = 1;
  let least = Infinity;
  for (let columns = 1; columns <= count; columns++) {
    const difference = Math.abs(Math.log(columns / Math.ceil(count / columns) / aspect));
    if (difference < least) [best, least] = [columns, difference];
  }
  return best;
}

/** A line through the last samples, gaps where they are not finite, a dot at the last one. */
export function drawSparkline(
  context: Context,
  history: Float32Array,
  width: number,
  height: number,
  ink: Ink,
): void {
  context.clearRect(0, 0, width, height);
  if (history.length === 0) return;
  const { low, high } = spread(history, false);
  const x = (index: number): number => 2 + (index / Math.max(1, history.length - 1)) * (width - 6);
  const y = (value: number): number => height - 4 - ((value - low) / (high - low)) * (height - 8);
  context.strokeStyle = ink.accent;
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  let drawing = false;
  history.forEach((value, index) => {
    if (!Number.isFinite(value)) {
      drawing = false;
      context.fillStyle = ink.error;
      context.fillRect(x(index), 0, 1, height);
    } else if (drawing) {
      context.lineTo(x(index), y(value));
    } else {
      context.moveTo(x(index), y(value));
      drawing = true;
    }
  });
  context.stroke();
  const last = history[history.length - 1];
  if (!Number.isFinite(last)) return;
  context.fillStyle = ink.accent;
  context.beginPath();
  context.arc(x(history.length - 1), y(last), 2.5, 0, 2 * Math.PI);
  context.fill();
}

/** Least and greatest finite value, never the same; with zero between them if asked for. */
export function spread(values: Float32Array, withZero: boolean): { low: number; high: number } {
  let low = withZero ? 0 : Infinity;
  let high = withZero ? 0 : -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return { low: 0, high: 1 };
  if (low === high) return { low: low - 0.5, high: high + 0.5 };
  return { low, high };
}
