import type { Geometry } from "./geometry.js";
import type { TextWidths } from "./text.js";
import type { Theme } from "../scene/palette.js";

/** Where a painter paints: device pixel = point of the scene * scale - (left, top). */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  /** Device pixels for a CSS pixel. */
  readonly ratio: number;
}

/** What a painter paints. */
export interface Content {
  readonly geometry: Geometry;
  readonly theme: Theme;
  readonly widths: TextWidths;
  /** In a trace: what stands out, the rest dims. */
  readonly emphasis: Emphasis | null;
}

/** 1 for each box and edge that stands out. */
export interface Emphasis {
  readonly boxes: Uint8Array;
  readonly edges: Uint8Array;
}

/**
 * A painting in steps: each yields about how much it has drawn since the last, an operation's box
 * being 1. Whoever runs it can stop for a frame between two steps.
 */
export type Painting = Generator<number, void, void>;

export type Context = CanvasRenderingContext2D;

/** How strongly something is seen. */
export function opacityOf(emphasised: Uint8Array | undefined, index: number): number {
  return emphasised === undefined || emphasised[index] === 1 ? 1 : 0.16;
}

/** The boxes that touch a frame, in the scene's order; a margin holds shadows and borders. */
export function boxesIn({ geometry }: Content, frame: Frame): Uint32Array {
  return geometry.boxGrid.find(...edgesOf(frame, 8));
}

export function edgesIn({ geometry }: Content, frame: Frame): Uint32Array {
  return geometry.edgeGrid.find(...edgesOf(frame, 6));
}

function edgesOf(
  { left, top, width, height, scale, ratio }: Frame,
  margin: number,
): [number, number, number, number] {
  const room = margin * Math.max(ratio, scale);
  return [
    (left - room) / scale,
    (top - room) / scale,
    (left + width + room) / scale,
    (top + height + room) / scale,
  ];
}
