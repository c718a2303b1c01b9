import { Dots } from "../paint/dots.js";
import { paintColours } from "../paint/live.js";
import { picturePainter } from "../paint/picture.js";
import type { Frame } from "../paint/frame.js";
import type { Navigator } from "./navigator.js";
import type { Status } from "./status.js";

/** What browsers allow for a canvas, with some room. */
const MOST_SIDE = 8192;
const MOST_PIXELS = 32e6;
/** Units of painting between two breaths of the page. */
const SLICE = 1500;
const MARGIN = 16;

/** Saves the whole picture as a file, with the live colours of this moment in a PNG. */
export class Export {
  constructor(
    private readonly navigator: Navigator,
    private readonly status: Status,
  ) {}

  async saveSvg(): Promise<void> {
    try {
      save(new Blob([await this.svg()], { type: "image/svg+xml" }), this.#name("svg"));
    } catch (error) {
      this.status.fail(error);
    }
  }

  async savePng(): Promise<void> {
    try {
      save(await this.png(), this.#name("png"));
    } catch (error) {
      this.status.fail(error);
    }
  }

  svg(): Promise<string> {
    const { engine, open, dark } = this.navigator;
    return engine.svg(open, dark ? "dark" : "light");
  }

  /** The picture at zoom 2, or as large as a canvas can be. */
  async png(): Promise<Blob> {
    const { stage, geometry } = this.navigator;
    const content = stage.content;
    if (content === null || geometry === null) throw new Error("There is no picture to save yet.");
    const width = geometry.scene.width + 2 * MARGIN;
    const height = geometry.scene.height + 2 * MARGIN;
    const scale = Math.min(
      2,
      MOST_SIDE / Math.max(width, height),
      Math.sqrt(MOST_PIXELS / (width * height)),
    );
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.floor(width * scale));
    canvas.height = Math.max(1, Math.floor(height * scale));
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const frame: Frame = {
      left: -MARGIN * scale,
      top: -MARGIN * scale,
      width: canvas.width,
      height: canvas.height,
      scale,
      ratio: 1,
    };
    const painter = picturePainter({ ...content, emphasis: null });
    context.fillStyle = painter.background;
    context.fillRect(0, 0, canvas.width, canvas.height);
    await run(painter.base(context, frame));
    if (stage.colours !== null) paintColours(context, content, frame, stage.colours, new Dots());
    await run(painter.text(context, frame));
    return new Promise((resolve, reject) => {
      canvas.toBlob((blob) => {
        if (blob) resolve(blob);
        else reject(new Error("The browser could not make a PNG of this picture: try the SVG."));
      }, "image/png");
    });
  }

  #name(extension: string): string {
    const name = this.navigator.graph?.name ?? "graph";
    return `${name.replace(/[^\w.-]+/g, "_")}.${extension}`;
  }
}

/** Run a painting to its end, letting the page do other things in between. */
async function run(painting: Generator<number, void, void>): Promise<void> {
  let spent = 0;
  for (const units of painting) {
    spent += units;
    if (spent < SLICE) continue;
    spent = 0;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  // The download has begun, or never will.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
