import type { Camera } from "../paint/camera.js";
import { emphasisOf } from "../paint/emphasis.js";
import type { Content, Emphasis } from "../paint/frame.js";
import { Geometry } from "../paint/geometry.js";
import { Motion } from "../paint/motion.js";
import type { TextWidths } from "../paint/text.js";
import type { Theme } from "../scene/palette.js";
import type { Engine, Graph, Scene, Trace } from "../scene/types.js";
import { differencesOf } from "./difference-order.js";
import { Past } from "./past.js";
import { bodiesOf, groupsInside, itemsNamed, type Kept } from "./restore.js";
import { Signal } from "./signal.js";
import { prefersLessMotion, type Stage } from "./stage.js";
import { Viewpoint } from "./viewpoint.js";

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

/** What the engine answers for a set of open items. */
interface Answer {
  readonly open: Uint32Array;
  readonly scene: Scene;
  readonly visible: Uint32Array;
}

/**
 * What is shown of a graph, what is selected, and how one gets about in it. The parts of the view
 * call it and listen to its signals.
 *
 * Its methods ask the engine and never fail: what goes wrong is told by `trouble`. Of two requests
 * for a scene the later one wins.
 */
export class Navigator {
  /** There is another scene, of the same graph or of another one. */
  readonly sceneChanged = new Signal();
  readonly selectionChanged = new Signal();
  readonly traceChanged = new Signal();
  readonly trouble = new Signal<unknown>();
  graph: Graph | null = null;
  /** The graph that this one is laid over. */
  against: string | null = null;
  /** Items of the graph: operations, scopes and series. */
  items = 0;
  geometry: Geometry | null = null;
  open: Uint32Array = new Uint32Array();
  selection: Selection | null = null;
  /** For each operation the item that stands for it in this scene. */
  visible: Uint32Array = new Uint32Array();
  trace: Trace | null = null;
  readonly viewpoint: Viewpoint;
  readonly past = new Past<Place>();
  #opened: ReadonlySet<number> = new Set();
  #emphasis: Emphasis | null = null;
  #request = 0;
  readonly #names = new Map<number, string>();

  constructor(
    readonly engine: Engine,
    readonly stage: Stage,
    private theme: Theme,
    private widths: TextWidths,
  ) {
    this.viewpoint = new Viewpoint(stage);
  }

  dispose(): void {
    this.#request++;
    for (const signal of [this.sceneChanged, this.selectionChanged, this.traceChanged])
      signal.clear();
    this.trouble.clear();
  }

  get dark(): boolean {
    return this.theme.dark;
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

  /** Begin with another graph, or with another version of this one; `kept` is what was shown of it. */
  async load(graph: Graph, kept: Kept | null, against: string | null = null): Promise<void> {
    await this.#attempt(async (isCurrent) => {
      const { width, height } = this.stage.size;
      const aspect = width > 0 && height > 0 ? width / height : 1.5;
      const first = await this.engine.load(graph, { aspect });
      const open = kept === null ? first.open : await itemsNamed(this.engine, kept.open);
      const answer = await this.#ask(open);
      if (!isCurrent()) return;
      this.graph = graph;
      this.against = against;
      this.items = first.items;
      this.#names.clear();
      this.geometry = this.trace = null;
      const selected = kept?.selection ? graph.names.indexOf(kept.selection) : -1;
      this.selection = selected < 0 ? null : { kind: "item", item: selected };
      if (this.selection === null) this.viewpoint.right = this.viewpoint.bottom = 0;
      this.past.clear();
      this.#take(
        answer,
        (geometry) => kept?.camera ?? this.#firstView(geometry, graph, answer.visible),
      );
      this.past.visit(this.#place());
      this.#tellSelection();
      this.traceChanged.emit();
    });
  }

  /** The stage has another size. */
  resized(): void {
    this.viewpoint.resized(this.geometry);
  }

  /** What to keep of this view. */
  keep(): Kept {
    const { selection } = this;
    const item = selection?.kind === "item" ? selection.item : -1;
    const { x, y, zoom } = this.stage.target;
    return {
      open: [...this.open].flatMap((opened) => this.#names.get(opened) ?? []),
      selection: this.graph?.names[item] ?? null,
      camera: { x, y, zoom },
    };
  }

  /** The full name of an item that is or was in sight. */
  nameOf(item: number): string {
    return this.graph?.names[item] ?? this.#names.get(item) ?? "";
  }

  isOpen(item: number): boolean {
    return this.#opened.has(item);
  }

  /** Open what is closed and close what is open; with a loop or condition what it does is opened. */
  async toggle(item: number): Promise<void> {
    if (this.isOpen(item)) {
      await this.setOpen(
        this.open.filter((other) => other !== item),
        item,
      );
      return;
    }
    const box = this.geometry?.boxOf(item) ?? -1;
    const isMarked = box >= 0 && this.geometry?.scene.mark[box] !== 0;
    try {
      const more = isMarked ? await bodiesOf(this.engine, item) : [];
      await this.setOpen(Uint32Array.from(new Set([...this.open, item, ...more])), item);
    } catch (error) {
      this.trouble.emit(error);
    }
  }

  /** Open an item and everything in it. */
  async openAll(item: number): Promise<void> {
    try {
      const inside = await groupsInside(this.engine, item);
      const open = new Set([...this.open, ...(item < 0 ? [] : [item]), ...inside]);
      await this.setOpen(Uint32Array.from(open), item);
    } catch (error) {
      this.trouble.emit(error);
    }
  }

  /** Open exactly these items; `anchor` keeps its place on the stage. */
  async setOpen(open: Uint32Array, anchor: number): Promise<void> {
    await this.#attempt(async (isCurrent) => {
      const answer = await this.#ask(open);
      if (!isCurrent()) return;
      this.past.amend(this.#place());
      this.#take(answer, (geometry) => this.#anchored(geometry, anchor));
      this.past.visit(this.#place());
      this.#tellSelection();
    });
  }

  /** Select without moving. */
  select(selection: Selection | null): void {
    this.past.amend(this.#place());
    this.selection = selection;
    if (selection !== null) this.past.visit(this.#place());
    this.#tellSelection();
  }

  /** Open what is around an item, select it, and show it at a size that can be read. */
  async reveal(item: number): Promise<void> {
    await this.#attempt(async (isCurrent) => {
      const needed = await this.engine.reveal(item);
      const missing = [...needed].filter((outer) => !this.isOpen(outer));
      const answer =
        missing.length === 0 ? null : await this.#ask(Uint32Array.from([...this.open, ...missing]));
      if (!isCurrent()) return;
      this.past.amend(this.#place());
      this.selection = { kind: "item", item };
      this.#tellSelection();
      if (answer !== null) this.#take(answer, (geometry) => this.#reading(geometry, item));
      else if (this.geometry) this.stage.moveTo(this.#reading(this.geometry, item), true);
      this.past.visit(this.#place());
      this.#tellSelection();
    });
  }

  /** Show all of the picture. */
  fit(): void {
    if (this.geometry === null) return;
    this.stage.moveTo(this.viewpoint.all(this.geometry), true);
  }

  /** Bring a box onto the stage if it is not there, or too small to be read. */
  bringIntoSight(box: number): void {
    if (this.geometry === null || box < 0) return;
    const camera = this.viewpoint.insight(this.geometry, box);
    if (camera !== null) this.stage.moveTo(camera, true);
  }

  async back(): Promise<void> {
    this.past.amend(this.#place());
    await this.#return(this.past.back());
  }

  async forward(): Promise<void> {
    this.past.amend(this.#place());
    await this.#return(this.past.forward());
  }

  /** Let what was traced stand out; the rest dims. */
  setTrace(trace: Trace | null): void {
    this.trace = trace;
    this.#emphasis = this.#findEmphasis();
    this.#repaint();
    this.traceChanged.emit();
  }

  setTheme(theme: Theme, widths: TextWidths): void {
    this.theme = theme;
    this.widths = widths;
    this.#repaint();
  }

  /** Run something with the engine that is given up when another request comes. */
  async #attempt(action: (isCurrent: () => boolean) => Promise<void>): Promise<void> {
    const request = ++this.#request;
    try {
      await action(() => request === this.#request);
    } catch (error) {
      if (request === this.#request) this.trouble.emit(error);
    }
  }

  async #ask(open: Uint32Array): Promise<Answer> {
    const [scene, visible] = await Promise.all([
      this.engine.scene(open),
      this.engine.visible(open),
    ]);
    return { open, scene, visible };
  }

  async #return(place: Place | null): Promise<void> {
    if (place === null) return;
    await this.#attempt(async (isCurrent) => {
      const same = place.open === this.open;
      const answer = same ? null : await this.#ask(place.open);
      if (!isCurrent()) return;
      this.selection = place.selection;
      if (answer !== null) this.#take(answer, () => place.camera);
      else this.stage.moveTo(place.camera, true);
      this.#tellSelection();
    });
  }

  #take({ open, scene, visible }: Answer, cameraOf: (geometry: Geometry) => Camera): void {
    const before = this.geometry;
    const cameraBefore = this.stage.camera;
    const geometry = new Geometry(scene);
    const camera = cameraOf(geometry);
    this.open = open;
    this.#opened = new Set(open);
    this.visible = visible;
    this.geometry = geometry;
    for (let box = 0; box < scene.item.length; box++) {
      if (geometry.isGroup(box)) this.#names.set(scene.item[box], scene.names[box]);
    }
    this.#emphasis = this.#findEmphasis();
    const animated = before !== null && !prefersLessMotion();
    const motion = animated ? new Motion(before, geometry, cameraBefore, camera) : null;
    this.stage.show(this.#content() as Content, camera, motion);
    this.sceneChanged.emit();
  }

  #anchored(after: Geometry, item: number): Camera {
    const before = this.geometry;
    if (before === null) return this.stage.camera;
    return this.viewpoint.anchored(before, before.boxOf(item), after, after.boxOf(item));
  }

  /** Of two graphs, the first difference is what one wants to see. */
  #firstView(geometry: Geometry, graph: Graph, visible: Uint32Array): Camera {
    const [difference] = differencesOf(graph);
    const focus = difference === undefined ? -1 : geometry.boxOf(visible[difference]);
    return this.viewpoint.first(geometry, focus);
  }

  #reading(geometry: Geometry, item: number): Camera {
    return this.viewpoint.reading(geometry, geometry.boxOf(item));
  }

  #findEmphasis(): Emphasis | null {
    if (this.trace === null || this.graph === null || this.geometry === null) return null;
    return emphasisOf(this.trace, this.graph, this.visible, this.geometry);
  }

  #repaint(): void {
    const content = this.#content();
    if (content) this.stage.show(content, this.stage.camera, null, true);
  }

  #content(): Content | null {
    if (this.geometry === null) return null;
    const { geometry, theme, widths } = this;
    return { geometry, theme, widths, emphasis: this.#emphasis };
  }

  #place(): Place {
    return { open: this.open, selection: this.selection, camera: this.stage.target };
  }

  #tellSelection(): void {
    const { selectedBox: box, selectedEdge: edge } = this;
    this.stage.pointed = { ...this.stage.pointed, box, edge, hoverBox: -1, hoverEdge: -1 };
    this.selectionChanged.emit();
  }
}
