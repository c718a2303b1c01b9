import {
  centreOn,
  firstView,
  fitRectangle,
  READING_ZOOM,
  TEXT_ZOOM,
  toStage,
  type Camera,
} from "../paint/camera.js";
import type { Content, Emphasis } from "../paint/frame.js";
import { Geometry } from "../paint/geometry.js";
import { Motion } from "../paint/motion.js";
import { startOf } from "../paint/picture.js";
import type { TextWidths } from "../paint/text.js";
import type { Theme } from "../paint/theme.js";
import type { Engine, Graph, Scene } from "../scene/types.js";
import { Past } from "./past.js";
import { Signal } from "./signal.js";
import { prefersLessMotion, type Stage } from "./stage.js";

/** What is selected: an item, or the edge between two. */
export type Selection =
  | { readonly kind: "item"; readonly item: number }
  | { readonly kind: "edge"; readonly source: number; readonly target: number };

/** Where one is: going back restores all of it. */
interface Place {
  readonly open: Uint32Array;
  readonly selection: Selection | null;
  readonly camera: Camera;
}

/**
 * What is shown of a graph, what is selected, and how one gets about in it. The parts of the view
 * call it and listen to its signals.
 *
 * Its methods ask the engine and never fail: what goes wrong is told by `trouble`. Of two requests
 * for a scene the later one wins.
 */
export class Navigator {
  /** There is another scene (of the same graph, unless `graph` has changed). */
  readonly sceneChanged = new Signal();
  readonly selectionChanged = new Signal();
  readonly trouble = new Signal<unknown>();
  graph: Graph | null = null;
  /** Items of the graph: operations, scopes and series. */
  items = 0;
  geometry: Geometry | null = null;
  open = new Uint32Array();
  selection: Selection | null = null;
  /** For each operation the item that stands for it in this scene. */
  visible = new Uint32Array();
  readonly past = new Past<Place>();
  #emphasis: Emphasis | null = null;
  #request = 0;

  constructor(
    readonly engine: Engine,
    readonly stage: Stage,
    private theme: Theme,
    private widths: TextWidths,
  ) {}

  dispose(): void {
    this.#request++;
    this.sceneChanged.clear();
    this.selectionChanged.clear();
    this.trouble.clear();
  }

  /** The box of the selected item in this scene, -1 if there is none. */
  get selectedBox(): number {
    return this.selection?.kind === "item" ? (this.geometry?.boxOf(this.selection.item) ?? -1) : -1;
  }

  get selectedEdge(): number {
    const { selection, geometry } = this;
    if (selection?.kind !== "edge" || geometry === null) return -1;
    return geometry.edgeBetween(geometry.boxOf(selection.source), geometry.boxOf(selection.target));
  }

  /** Begin with another graph. */
  async load(graph: Graph): Promise<void> {
    await this.#attempt(async (isCurrent) => {
      const { width, height } = this.stage.size;
      const { open, items } = await this.engine.load(graph, {
        aspect: width / Math.max(1, height),
      });
      const scene = await this.engine.scene(open);
      const visible = await this.engine.visible(open);
      if (!isCurrent()) return;
      this.graph = graph;
      this.items = items;
      this.selection = null;
      this.#emphasis = null;
      this.past.clear();
      this.#take(open, visible, scene, (geometry) => {
        const start = startOf(scene);
        return firstView(scene, start < 0 ? null : geometry.rectangle(start), this.stage.size);
      });
      this.past.visit(this.#place());
    });
  }

  /** Open what is closed and close what is open. */
  async toggle(item: number): Promise<void> {
    await (this.open.includes(item) ? this.close(item) : this.openItem(item));
  }

  async openItem(item: number): Promise<void> {
    await this.#goTo(Uint32Array.from([...this.open, item]), item);
  }

  async close(item: number): Promise<void> {
    await this.#goTo(
      this.open.filter((other) => other !== item),
      item,
    );
  }

  /** Select without moving. */
  select(selection: Selection | null): void {
    this.past.amend(this.#place());
    this.selection = selection;
    this.past.visit(this.#place());
    this.#tellSelection();
  }

  /** Open what is around an item, select it, and show it at a size that can be read. */
  async reveal(item: number): Promise<void> {
    await this.#attempt(async (isCurrent) => {
      const needed = await this.engine.reveal(item);
      const open = Uint32Array.from(new Set([...this.open, ...needed]));
      const scene = open.length === this.open.length ? null : await this.engine.scene(open);
      const visible = scene && (await this.engine.visible(open));
      if (!isCurrent()) return;
      this.past.amend(this.#place());
      this.selection = { kind: "item", item };
      if (scene && visible) this.#take(open, visible, scene, () => this.stage.camera);
      const box = this.geometry?.boxOf(item) ?? -1;
      if (box >= 0 && this.geometry) {
        const zoom = Math.max(READING_ZOOM, this.stage.camera.zoom);
        const target = centreOn(this.geometry.rectangle(box), this.stage.size, Math.min(1.5, zoom));
        this.stage.moveTo(target, true);
      }
      this.past.visit(this.#place());
      this.#tellSelection();
    });
  }

  /** Show all of the picture. */
  fit(): void {
    if (this.geometry === null) return;
    const { width, height } = this.geometry.scene;
    this.stage.moveTo(fitRectangle({ x: 0, y: 0, width, height }, this.stage.size), true);
  }

  /** Bring a box onto the stage if it is not there, or too small to be read. */
  bringIntoSight(box: number): void {
    const { geometry, stage } = this;
    if (geometry === null || box < 0) return;
    const { camera, size } = stage;
    const rectangle = geometry.rectangle(box);
    const { x, y, width, height } = toStage(camera, rectangle);
    const inside = x >= 0 && y >= 0 && x + width <= size.width && y + height <= size.height;
    if (inside && camera.zoom >= TEXT_ZOOM) return;
    stage.moveTo(centreOn(rectangle, size, Math.max(camera.zoom, READING_ZOOM)), true);
  }

  async back(): Promise<void> {
    this.past.amend(this.#place());
    await this.#return(this.past.back());
  }

  async forward(): Promise<void> {
    this.past.amend(this.#place());
    await this.#return(this.past.forward());
  }

  /** Let some boxes and edges stand out; the rest dims. */
  emphasise(emphasis: Emphasis | null): void {
    this.#emphasis = emphasis;
    const content = this.#content();
    if (content) this.stage.show(content, this.stage.camera, null, true);
  }

  setTheme(theme: Theme, widths: TextWidths): void {
    this.theme = theme;
    this.widths = widths;
    const content = this.#content();
    if (content) this.stage.show(content, this.stage.camera, null, true);
  }

  async #return(place: Place | null): Promise<void> {
    if (place === null) return;
    await this.#attempt(async (isCurrent) => {
      const scene = await this.engine.scene(place.open);
      const visible = await this.engine.visible(place.open);
      if (!isCurrent()) return;
      this.selection = place.selection;
      this.#take(place.open, visible, scene, () => place.camera);
      this.#tellSelection();
    });
  }

  async #goTo(open: Uint32Array, anchor: number): Promise<void> {
    await this.#attempt(async (isCurrent) => {
      const scene = await this.engine.scene(open);
      const visible = await this.engine.visible(open);
      if (!isCurrent()) return;
      this.past.amend(this.#place());
      this.#take(open, visible, scene, (geometry) => this.#anchored(geometry, anchor));
      this.past.visit(this.#place());
      this.#tellSelection();
    });
  }

  /** The camera with which an item's corner, and so its button, stays where it is on the stage. */
  #anchored(after: Geometry, item: number): Camera {
    const { camera } = this.stage;
    const before = this.geometry;
    const old = before?.boxOf(item) ?? -1;
    const box = after.boxOf(item);
    if (before === null || old < 0 || box < 0) return camera;
    const { x, y } = toStage(camera, before.rectangle(old));
    const corner = after.rectangle(box);
    return { x: x - corner.x * camera.zoom, y: y - corner.y * camera.zoom, zoom: camera.zoom };
  }

  #take(
    open: Uint32Array,
    visible: Uint32Array,
    scene: Scene,
    cameraOf: (geometry: Geometry) => Camera,
  ): void {
    const before = this.geometry;
    const cameraBefore = this.stage.camera;
    const geometry = new Geometry(scene);
    const camera = cameraOf(geometry);
    this.open = new Uint32Array(open);
    this.visible = visible as Uint32Array<ArrayBuffer>;
    this.geometry = geometry;
    this.#emphasis = null;
    const animate = before !== null && this.past.canGoBack !== null && !prefersLessMotion();
    const motion = animate ? new Motion(before, geometry, cameraBefore, camera) : null;
    this.stage.show(this.#content() as Content, camera, motion);
    this.sceneChanged.emit();
  }

  #content(): Content | null {
    if (this.geometry === null) return null;
    return {
      geometry: this.geometry,
      theme: this.theme,
      widths: this.widths,
      emphasis: this.#emphasis,
    };
  }

  #place(): Place {
    return { open: this.open, selection: this.selection, camera: this.stage.target };
  }

  #tellSelection(): void {
    this.stage.pointed = {
      ...this.stage.pointed,
      box: this.selectedBox,
      edge: this.selectedEdge,
      hoverBox: -1,
      hoverEdge: -1,
    };
    this.selectionChanged.emit();
  }

  async #attempt(action: (isCurrent: () => boolean) => Promise<void>): Promise<void> {
    const request = ++this.#request;
    try {
      await action(() => request === this.#request);
    } catch (error) {
      if (request === this.#request) this.trouble.emit(error);
    }
  }
}
