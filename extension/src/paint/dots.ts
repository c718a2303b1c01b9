import type { Scene } from "../scene/types.js";
import type { Context, Frame } from "./frame.js";
import { parse } from "../scene/palette.js";

/**
 * Paints thousands of boxes that are a few pixels large: written as pixels, they cost a third of
 * what the canvas takes for as many rectangles.
 */
export class Dots {
  #canvas: HTMLCanvasElement | null = null;
  #pixels: ImageData | null = null;
  /** The last palette, with its colours as pixels. */
  #palette: { readonly palette: readonly string[]; readonly pixels: Uint32Array } | null = null;

  /** Fill boxes, whose colours are indices into the palette. */
  paint(
    context: Context,
    scene: Scene,
    frame: Frame,
    boxes: readonly number[],
    index: Uint8Array,
    palette: readonly string[],
  ): void {
    const { scale } = frame;
    const clampX = (value: number): number => Math.max(0, Math.min(frame.width, Math.round(value)));
    const clampY = (value: number): number =>
      Math.max(0, Math.min(frame.height, Math.round(value)));
    const place = new Int32Array(4 * boxes.length);
    let [left, top, right, bottom] = [frame.width, frame.height, 0, 0];
    boxes.forEach((box, at) => {
      const x = clampX(scene.x[box] * scale - frame.left);
      const y = clampY(scene.y[box] * scale - frame.top);
      // The least box is a pixel.
      const farX = clampX(
        Math.max(x + 1, (scene.x[box] + scene.boxWidth[box]) * scale - frame.left),
      );
      const farY = clampY(
        Math.max(y + 1, (scene.y[box] + scene.boxHeight[box]) * scale - frame.top),
      );
      place[4 * at] = x;
      place[4 * at + 1] = y;
      place[4 * at + 2] = farX;
      place[4 * at + 3] = farY;
      if (x < left) left = x;
      if (y < top) top = y;
      if (farX > right) right = farX;
      if (farY > bottom) bottom = farY;
    });
    const width = right - left;
    const height = bottom - top;
    if (width <= 0 || height <= 0) return;

    const { canvas, image } = this.#room(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    pixels.fill(0);
    const colours = this.#pixelsOf(palette);
    boxes.forEach((box, at) => {
      const colour = colours[index[box]];
      const from = place[4 * at] - left;
      const to = place[4 * at + 2] - left;
      for (let y = place[4 * at + 1] - top; y < place[4 * at + 3] - top; y++) {
        pixels.fill(colour, y * image.width + from, y * image.width + to);
      }
    });
    (canvas.getContext("2d") as Context).putImageData(image, 0, 0, 0, 0, width, height);
    context.drawImage(canvas, 0, 0, width, height, left, top, width, height);
  }

  #pixelsOf(palette: readonly string[]): Uint32Array {
    if (this.#palette?.palette !== palette) {
      this.#palette = { palette, pixels: Uint32Array.from(palette, toPixel) };
    }
    return this.#palette.pixels;
  }

  #room(width: number, height: number): { canvas: HTMLCanvasElement; image: ImageData } {
    this.#canvas ??= document.createElement("canvas");
    if (this.#pixels === null || this.#pixels.width < width || this.#pixels.height < height) {
      this.#canvas.width = Math.max(width, this.#canvas.width);
      this.#canvas.height = Math.max(height, this.#canvas.height);
      this.#pixels = new ImageData(this.#canvas.width, this.#canvas.height);
    }
    return { canvas: this.#canvas, image: this.#pixels };
  }
}

/** As four bytes in memory: all that runs a browser is little-endian. */
function toPixel(colour: string): number {
  const [red, green, blue] = parse(colour);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
