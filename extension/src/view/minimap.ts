import { seenRectangle, type Rectangle, type Size } from "../paint/camera.js";
import { BoxFlag } from "../scene/types.js";
import { element, setShown } from "./dom.js";
import type { Navigator } from "./navigator.js";

/** In a large view and in a small one. */
const LARGE: Size = { width: 160, height: 120 };
const SMALL: Size = { width: 108, height: 81 };
/** Boxes painted before the page gets to do something else. */
const SLICE = 4000;

/** The whole picture, small, with a frame around what is seen; click and drag move there. */
export class Minimap {
  readonly element = element("div", "minimap", { "aria-hidden": "true" });
  readonly #canvas = element("canvas", null);
  /** The boxes, painted once for each scene. */
  readonly #boxes = document.createElement("canvas");
  #size = LARGE;
  #scale = 1;
  #left = 0;
  #top = 0;
  #painted = 0;
  #frame: number | null = null;

  constructor(
    private readonly navigator: Navigator,
    signal: AbortSignal,
  ) {
    this.element.append(this.#canvas);
    navigator.sceneChanged.connect(() => this.restart());
    const go = (event: PointerEvent): void => {
      if (event.type === "pointerdown") this.#canvas.setPointerCapture(event.pointerId);
      if (this.#canvas.hasPointerCapture(event.pointerId)) this.#go(event);
    };
    this.#canvas.addEventListener("pointerdown", go, { signal });
    this.#canvas.addEventListener("pointermove", go, { signal });
    // The picture keeps the focus, and with it the keys.
    this.element.addEventListener("mousedown", (event) => event.preventDefault(), { signal });
    signal.addEventListener("abort", () => {
      if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    });
  }

  setSmall(small: boolean): void {
    this.#size = small ? SMALL : LARGE;
    this.restart();
  }

  /** Paint all of it anew: another scene or other colours. */
  restart(): void {
    const { geometry, stage } = this.navigator;
    if (geometry === null) return;
    const { width, height } = geometry.scene;
    const { width: across, height: down } = this.#size;
    this.#scale = Math.min((across - 8) / Math.max(1, width), (down - 8) / Math.max(1, height));
    this.#left = (across - width * this.#scale) / 2;
    this.#top = (down - height * this.#scale) / 2;
    const ratio = stage.ratio;
    for (const canvas of [this.#canvas, this.#boxes]) {
      canvas.width = across * ratio;
      canvas.height = down * ratio;
    }
    this.#canvas.style.width = `${across}px`;
    this.#canvas.style.height = `${down}px`;
    this.#painted = 0;
    this.update();
  }

  /** Show where the camera is. */
  update(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#paint();
    });
  }

  #paint(): void {
    const { geometry, stage } = this.navigator;
    if (geometry === null || stage.content === null) return;
    this.#paintBoxes();
    const context = this.#canvas.getContext("2d") as CanvasRenderingContext2D;
    const ratio = stage.ratio;
    const { theme } = stage.content;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = theme.background;
    context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.drawImage(this.#boxes, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const seen = this.#place(seenRectangle(stage.camera, stage.size));
    const { scene } = geometry;
    const all =
      seen.width >= scene.width * this.#scale * 0.98 &&
      seen.height >= scene.height * this.#scale * 0.98;
    setShown(this.element, !all);
    context.fillStyle = context.strokeStyle = theme.accent;
    context.globalAlpha = 0.15;
    context.fillRect(seen.x, seen.y, Math.max(3, seen.width), Math.max(3, seen.height));
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.strokeRect(seen.x, seen.y, Math.max(3, seen.width), Math.max(3, seen.height));
  }

  #paintBoxes(): void {
    const { geometry, stage } = this.navigator;
    if (geometry === null || stage.content === null) return;
    const { scene, depth } = geometry;
    if (this.#painted >= scene.item.length) return;
    const context = this.#boxes.getContext("2d") as CanvasRenderingContext2D;
    context.setTransform(stage.ratio, 0, 0, stage.ratio, 0, 0);
    const end = Math.min(scene.item.length, this.#painted + SLICE);
    for (; this.#painted < end; this.#painted++) {
      const box = this.#painted;
      const colours = stage.content.theme.roles[scene.role[box]];
      const open = (scene.flag[box] & BoxFlag.open) !== 0;
      context.fillStyle = open ? colours.inside[depth[box] % 2] : colours.solid;
      const { x, y, width, height } = this.#place(geometry.rectangle(box));
      context.fillRect(x, y, Math.max(0.8, width), Math.max(0.8, height));
    }
    if (end < scene.item.length) this.update();
  }

  #place({ x, y, width, height }: Rectangle): Rectangle {
    return {
      x: this.#left + x * this.#scale,
      y: this.#top + y * this.#scale,
      width: width * this.#scale,
      height: height * this.#scale,
    };
  }

  #go(event: PointerEvent): void {
    const { stage } = this.navigator;
    const { left, top } = this.#canvas.getBoundingClientRect();
    const x = (event.clientX - left - this.#left) / this.#scale;
    const y = (event.clientY - top - this.#top) / this.#scale;
    const { zoom } = stage.camera;
    stage.moveTo(
      { x: stage.size.width / 2 - x * zoom, y: stage.size.height / 2 - y * zoom, zoom },
      false,
    );
  }
}
