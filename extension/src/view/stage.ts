import { between, keepInReach, type Camera, type Size } from "../paint/camera.js";
import type { Content, Context, Frame } from "../paint/frame.js";
import {
  paintColours,
  paintPointed,
  paintPointedEdges,
  type Colours,
  type Pointed,
} from "../paint/live.js";
import { paintNotes } from "../paint/notes.js";
import type { Note } from "../overlay/ways.js";
import { Dots } from "../paint/dots.js";
import type { Motion } from "../paint/motion.js";
import { picturePainter } from "../paint/picture.js";
import { Tiles } from "../paint/tiles.js";
import { Pace } from "./pace.js";
import { element } from "./dom.js";

const MOVE_MILLISECONDS = 180;
const MOTION_MILLISECONDS = 150;
/** The zoom has settled when it has not changed for this long; until then tiles are stretched. */
const SETTLE_MILLISECONDS = 90;

export const NOTHING_POINTED: Pointed = {
  hoverBox: -1,
  hoverEdge: -1,
  box: -1,
  edge: -1,
  mark: -1,
};

interface Move {
  readonly from: Camera;
  readonly to: Camera;
  readonly begun: number;
}

/**
 * The canvas: draws the picture once per animation frame and only when something has changed. It
 * knows nothing of what a click means.
 */
export class Stage {
  readonly element = element("div", "stage");
  readonly canvas = element("canvas", "canvas", { tabindex: 0 });
  readonly #pace = new Pace();
  /** Called after the camera has moved or the stage has another size; after the latter. */
  onView: () => void = () => undefined;
  onResize: () => void = () => undefined;
  #camera: Camera = { x: 0, y: 0, zoom: 1 };
  #size: Size = { width: 0, height: 0 };
  #ratio = 1;
  #content: Content | null = null;
  #colours: Colours | null = null;
  #notes: readonly Note[] = [];
  #pointed = NOTHING_POINTED;
  #motion: { readonly motion: Motion; readonly begun: number } | null = null;
  #move: Move | null = null;
  #zoomed = 0;
  #frame: number | null = null;
  readonly #tiles = new Tiles();
  readonly #dots = new Dots();
  readonly #context: Context;
  readonly #observer: ResizeObserver;

  constructor() {
    this.element.append(this.canvas);
    this.#context = this.canvas.getContext("2d", { alpha: false }) as Context;
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(this.element);
  }

  get camera(): Camera {
    return this.#camera;
  }

  /** Where the camera is or is on its way to. */
  get target(): Camera {
    return this.#move?.to ?? this.#camera;
  }

  get size(): Size {
    return this.#size;
  }

  get ratio(): number {
    return this.#ratio;
  }

  get content(): Content | null {
    return this.#content;
  }

  /** True while nothing moves and all that is seen is painted. */
  get isSettled(): boolean {
    return (
      this.#move === null &&
      this.#motion === null &&
      this.#tiles.zoom === this.#camera.zoom &&
      this.#tiles.isComplete(this.#camera, this.#size)
    );
  }

  /** Show other content; with a motion the boxes go to their new places. */
  show(content: Content, camera: Camera, motion: Motion | null, keep = false): void {
    this.#content = content;
    this.#move = null;
    this.#camera = camera;
    this.#motion = motion === null ? null : { motion, begun: performance.now() };
    this.#tiles.setPainter(picturePainter(content), content.geometry.scene, keep);
    this.#zoomed = 0;
    this.#pace.urgent();
    this.invalidate();
    this.onView();
  }

  set colours(colours: Colours | null) {
    this.#colours = colours;
    this.invalidate();
  }

  get colours(): Colours | null {
    return this.#colours;
  }

  /** What is written at boxes while a run is live. */
  set notes(notes: readonly Note[]) {
    this.#notes = notes;
    this.invalidate();
  }

  get notes(): readonly Note[] {
    return this.#notes;
  }

  set pointed(pointed: Pointed) {
    this.#pointed = pointed;
    this.invalidate();
  }

  get pointed(): Pointed {
    return this.#pointed;
  }

  /** Move the camera, at once or smoothly. */
  moveTo(camera: Camera, smoothly: boolean): void {
    const to = this.#inReach(camera);
    if (smoothly && !prefersLessMotion()) {
      this.#move = { from: this.#camera, to, begun: performance.now() };
    } else {
      this.#move = null;
      this.#setCamera(to);
    }
    this.invalidate();
  }

  invalidate(): void {
    this.#frame ??= requestAnimationFrame((now) => this.#draw(now));
  }

  dispose(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#observer.disconnect();
    this.#tiles.dispose();
    this.#content = this.#motion = null;
    this.invalidate = () => undefined;
  }

  /** What a painter needs to paint over the whole stage. */
  frame(): Frame {
    return {
      left: -Math.round(this.#camera.x * this.#ratio),
      top: -Math.round(this.#camera.y * this.#ratio),
      width: this.canvas.width,
      height: this.canvas.height,
      scale: this.#camera.zoom * this.#ratio,
      ratio: this.#ratio,
    };
  }

  #inReach(camera: Camera): Camera {
    const content = this.#content;
    return content ? keepInReach(camera, content.geometry.scene, this.#size) : camera;
  }

  #setCamera(camera: Camera): void {
    const now = performance.now();
    if (camera.zoom !== this.#camera.zoom) this.#zoomed = now;
    this.#pace.moving(now);
    this.#camera = camera;
    this.onView();
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.element;
    const ratio = window.devicePixelRatio || 1;
    if (width === this.#size.width && height === this.#size.height && ratio === this.#ratio) return;
    this.#size = { width, height };
    this.#ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.onResize();
    // A canvas of another size is empty: drawn at once, it does not flicker.
    this.#paint(performance.now());
    this.invalidate();
    this.onView();
  }

  #draw(now: number): void {
    this.#frame = null;
    if (this.#move !== null) {
      const { from, to, begun } = this.#move;
      const share = Math.min(1, Math.max(0, (now - begun) / MOVE_MILLISECONDS));
      if (share === 1) this.#move = null;
      this.#setCamera(share === 1 ? to : between(from, to, 1 - (1 - share) ** 3));
    }
    this.#settleZoom(now);
    const complete = this.#tiles.work(this.#camera, this.#size, this.#pace.budget(now));
    this.#paint(now);
    const busy =
      this.#move !== null ||
      this.#motion !== null ||
      !complete ||
      this.#tiles.zoom !== this.#camera.zoom;
    if (busy) this.invalidate();
  }

  #settleZoom(now: number): void {
    const { zoom } = this.#camera;
    const drawn = this.#tiles.zoom;
    const stretch = drawn === null ? 0 : zoom / drawn;
    const settled = this.#move === null && now - this.#zoomed > SETTLE_MILLISECONDS;
    if (settled || stretch < 0.5 || stretch > 2) this.#tiles.setZoom(zoom, this.#ratio);
  }

  #paint(now: number): void {
    const content = this.#content;
    const context = this.#context;
    context.fillStyle = content?.theme.background ?? "white";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (content === null || this.canvas.width === 0) return;
    const frame = this.frame();
    const moving = this.#motion;
    if (moving !== null) {
      const share = Math.min(1, (now - moving.begun) / MOTION_MILLISECONDS);
      moving.motion.paint(context, content.theme, this.#size, this.#ratio, Math.max(0, share));
      if (share < 1) return;
      if (this.#tiles.isComplete(this.#camera, this.#size)) this.#motion = null;
    }
    this.#tiles.drawBase(context, this.#camera, this.#size);
    if (this.#colours !== null) paintColours(context, content, frame, this.#colours, this.#dots);
    paintPointedEdges(context, content, frame, this.#pointed);
    this.#tiles.drawText(context, this.#camera, this.#size);
    paintNotes(context, content, frame, this.#notes);
    paintPointed(context, content, frame, this.#pointed);
  }
}

export function prefersLessMotion(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
