import { formatCount } from "../overlay/format.js";
import { zoomAt, type Size } from "../paint/camera.js";
import { canvasWidths } from "../paint/text.js";
import type { Theme } from "../scene/palette.js";
import { keepLetters } from "../page/letters.js";
import type { Subscription } from "../protocol/client.js";
import { messageOf } from "../protocol/errors.js";
import { decodeGraph } from "../protocol/decode.js";
import type { GraphSummary } from "../protocol/messages.js";
import type { Engine } from "../scene/types.js";
import { Banner } from "./banner.js";
import { Breadcrumbs } from "./breadcrumbs.js";
import { Details } from "./details.js";
import { Differences } from "./differences.js";
import { element, mark } from "./dom.js";
import { Export } from "./export.js";
import { connectGestures } from "./gestures.js";
import { Help } from "./help.js";
import { connectKeys } from "./keys.js";
import { graphKeys } from "./graph-keys.js";
import { Legend } from "./legend.js";
import type { OpenCell } from "./line.js";
import { Link, type GraphClient } from "./link.js";
import { LivePanel } from "./live-panel.js";
import { Minimap } from "./minimap.js";
import { Navigator } from "./navigator.js";
import { Overlay } from "./overlay.js";
import { Pointer } from "./pointer.js";
import { readKept, writeKept, type ViewStorage } from "./restore.js";
import { Search } from "./search.js";
import { Stage } from "./stage.js";
import { Status } from "./status.js";
import { StopReport } from "./stop-report.js";
import { ThemeWatch } from "./theme-watch.js";
import { Toolbar } from "./toolbar.js";
import { Tracing } from "./tracing.js";
import { Tree } from "./tree.js";
import { viewSnapshot } from "./view-snapshot.js";

export interface GraphViewOptions {
  readonly client: GraphClient;
  /** The view disposes of it. */
  readonly engine: Engine;
  /** Without it the colours are the page's. */
  readonly theme?: "light" | "dark";
  /** Show a line of the notebook. */
  readonly onOpenCell?: OpenCell;
  /** Where to keep what is open, for the next time. */
  readonly storage?: ViewStorage;
  /** "focused" leaves the wheel to the page until the picture has the focus, as in a cell. */
  readonly wheel?: "always" | "focused";
}

export interface ShowOptions {
  /** The graph to compare with. */
  readonly against?: string | null;
}

/** Below these, in pixels, the legend shows only what colours mean. */
const SMALL_WIDTH = 760;
const SMALL_HEIGHT = 560;
/** Below this, in pixels, the toolbar and the panels make do with less. */
const NARROW_WIDTH = 560;
const FIGURES_MILLISECONDS = 500;
const KEEP_MILLISECONDS = 500;

/**
 * The graph view: fills its host, which must have a size, and is the host's property `workbench`.
 *
 *     const view = new GraphView(host, { client, engine });
 *     await view.show("default");
 *     await view.show("wide", { against: "default" });
 *     view.dispose();
 *
 * Nothing here throws for what the kernel does or fails to do: the status line says it.
 */
export class GraphView {
  readonly stage = new Stage();
  readonly navigator: Navigator;
  readonly overlay: Overlay;
  readonly search: Search;
  readonly tracing: Tracing;
  readonly differences: Differences;
  readonly exports: Export;
  readonly help: Help;
  readonly #status = new Status();
  readonly #banner: Banner;
  readonly #link: Link;
  readonly #live: LivePanel;
  readonly #details: Details;
  readonly #report: StopReport;
  readonly #legend: Legend;
  readonly #minimap: Minimap;
  readonly #toolbar: Toolbar;
  readonly #tree: Tree;
  readonly #themes: ThemeWatch;
  readonly #letters: Subscription;
  readonly #abort = new AbortController();
  readonly #storage: ViewStorage | null;
  readonly #timer: ReturnType<typeof setInterval>;
  #keeping: ReturnType<typeof setTimeout> | null = null;
  #theme: Theme;
  #shown: { readonly name: string; readonly against: string | null } | null = null;
  #kernel: string | null = null;
  #request = 0;
  #disposed = false;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: GraphViewOptions,
  ) {
    const { signal } = this.#abort;
    this.#storage = options.storage ?? null;
    host.classList.add("workbench-graph");
    // JupyterLab must not take n for "next cell" while somebody steps through differences.
    this.#letters = keepLetters(host);
    this.#themes = new ThemeWatch(host, options.theme ?? null, () => this.#followTheme());
    this.#theme = this.#themes.read();
    this.#link = new Link(options.client);
    this.#banner = new Banner(() => void this.#reload());
    this.navigator = new Navigator(options.engine, this.stage, this.#theme, this.#widths());
    const { navigator, stage } = this;
    const status = this.#status;
    this.overlay = new Overlay(navigator, this.#link, status);
    this.search = new Search(navigator, status);
    this.tracing = new Tracing(navigator, status);
    this.differences = new Differences(navigator, status);
    this.exports = new Export(navigator, status);
    this.#live = new LivePanel(this.#link, status, this.overlay, () => this.#ink());
    this.#details = new Details(navigator, this.#link, status, {
      openCell: options.onOpenCell ?? null,
      live: this.#live.element,
      wayOf: (operation) => this.overlay.wayOf(operation),
      onTensor: (tensor) => this.#live.setTensor(tensor),
    });
    this.overlay.changed.connect(() => this.#details.updateWay());
    this.#report = new StopReport(navigator, this.overlay, options.onOpenCell ?? null);
    this.#legend = new Legend(navigator, this.overlay, () => stage.ratio);
    this.#minimap = new Minimap(navigator, signal);
    this.#tree = new Tree(navigator);
    const keys = graphKeys(this);
    this.help = new Help(keys, stage.canvas);
    this.#toolbar = new Toolbar({
      navigator,
      overlay: this.overlay,
      breadcrumbs: new Breadcrumbs(navigator),
      search: this.search,
      tracing: this.tracing,
      exports: this.exports,
      help: this.help,
      zoomBy: (factor) => this.zoomBy(factor),
    });
    const pointer = new Pointer(navigator);
    connectGestures(stage, pointer, options.wheel !== "focused", signal);
    connectKeys(host, keys, signal);
    this.#lay();
    this.#listen();
    this.#followTheme();
    this.#timer = setInterval(() => this.#showFigures(), FIGURES_MILLISECONDS);
    Object.assign(host, { workbench: this });
  }

  /** Show a graph by its name, or the differences of two. */
  async show(name: string, { against = null }: ShowOptions = {}): Promise<void> {
    const same = this.#shown?.name === name && this.#shown.against === against;
    if (!same) this.#keep();
    this.#shown = { name, against };
    await this.#fetch(same ? this.navigator.keep() : readKept(this.#storage, this.#key()));
  }

  /** The kernel can be reached again, over another channel; it may be another kernel by now. */
  async reconnect(client: GraphClient): Promise<void> {
    this.#link.connect(client);
    await this.#reload();
  }

  zoomBy(factor: number): void {
    const { target, size } = this.stage;
    this.stage.moveTo(zoomAt(target, { x: size.width / 2, y: size.height / 2 }, factor), true);
  }

  /** What the view shows, as plain JSON: what tests in a browser read. */
  snapshot() {
    const { navigator, overlay, search, tracing, differences, help } = this;
    return viewSnapshot({
      ...{ navigator, overlay, search, tracing, differences, help },
      live: this.#live,
      legend: this.#legend,
      details: this.#details,
      report: this.#report,
      banner: this.#banner,
      status: this.#status,
      against: this.#shown?.against ?? null,
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#keep();
    this.#disposed = true;
    this.#request++;
    clearInterval(this.#timer);
    if (this.#keeping !== null) clearTimeout(this.#keeping);
    this.#abort.abort();
    this.#live.dispose();
    this.overlay.dispose();
    this.search.dispose();
    this.#status.dispose();
    this.#link.dispose();
    this.#themes.dispose();
    this.#letters.dispose();
    this.navigator.dispose();
    this.stage.dispose();
    this.options.engine.dispose();
    this.host.replaceChildren();
    this.host.classList.remove("workbench-graph");
    Reflect.deleteProperty(this.host, "workbench");
  }

  #lay(): void {
    const body = element("div", "body");
    body.append(
      this.stage.element,
      this.#tree.element,
      this.#legend.element,
      this.#minimap.element,
      this.differences.element,
      this.#details.element,
      this.#report.element,
      this.help.element,
      this.#banner.element,
    );
    this.host.append(this.#toolbar.element, body, this.#status.element);
  }

  #listen(): void {
    const { navigator, stage } = this;
    const keepSoon = (): void => {
      this.#keeping ??= setTimeout(() => {
        this.#keeping = null;
        this.#keep();
      }, KEEP_MILLISECONDS);
    };
    stage.onResize = () => {
      const isNarrow = stage.size.width < NARROW_WIDTH;
      mark(this.host, "narrow", isNarrow);
      mark(this.host, "small", isSmall(stage.size));
      this.differences.setNarrow(isNarrow);
      this.#minimap.setSmall(isSmall(stage.size));
      navigator.resized();
    };
    stage.onView = () => {
      this.#minimap.update();
      this.#toolbar.update();
      keepSoon();
    };
    navigator.trouble.connect((error) => this.#status.fail(error));
    navigator.sceneChanged.connect(keepSoon);
    navigator.selectionChanged.connect(() => {
      mark(this.host, "has-details", navigator.selection !== null);
      keepSoon();
    });
    this.#link.lost.connect(() => {
      this.#banner.show(
        "The connection to the kernel is lost. The picture is the last that came.",
        true,
      );
      this.#live.restart();
    });
    this.#link.on("graph.changed", (summary) => this.#graphChanged(summary));
  }

  async #fetch(kept: ReturnType<typeof readKept>): Promise<boolean> {
    const shown = this.#shown;
    const request = ++this.#request;
    if (shown === null) return false;
    try {
      await this.#meetKernel();
      const params = { graph: shown.name, against: shown.against };
      const { result, buffers } = await this.#link.request("graph.get", params);
      const graph = decodeGraph(result, buffers);
      if (request !== this.#request) return true;
      this.differences.restart(graph);
      await this.navigator.load(graph, kept, shown.against);
      if (request !== this.#request) return true;
    } catch (error) {
      if (request === this.#request) this.#status.fail(error);
      return false;
    }
    this.#banner.hide();
    this.#status.clear();
    mark(this.host, "gone", false);
    this.#legend.refresh(this.#theme);
    this.overlay.reset();
    void this.#tree.restart();
    void this.overlay.begin();
    this.#showFigures();
    return true;
  }

  /** Remember which kernel this is, so that another one is noticed. */
  async #meetKernel(): Promise<boolean> {
    const { result } = await this.#link.request("hello", {});
    const isOther = this.#kernel !== null && this.#kernel !== result.kernel;
    this.#kernel = result.kernel;
    return isOther;
  }

  /** Ask again for what is shown; if it is no more, its picture stays, grey. */
  async #reload(): Promise<void> {
    if (this.#shown === null) return;
    let restarted: boolean;
    try {
      restarted = await this.#meetKernel();
    } catch (error) {
      this.#banner.show(messageOf(error), true);
      return;
    }
    this.#live.restart();
    if (await this.#fetch(this.navigator.keep())) {
      if (restarted) this.#status.say("The kernel was restarted; this is its graph now.");
      return;
    }
    mark(this.host, "gone", true);
    this.#banner.show(
      restarted
        ? `The kernel was restarted and has no graph "${this.#shown.name}" now. The picture is the last that came.`
        : this.#status.message,
      true,
    );
  }

  #graphChanged({ graph, version }: GraphSummary): void {
    if (graph !== this.#shown?.name && graph !== this.#shown?.against) return;
    if (graph === this.navigator.graph?.name && version === this.navigator.graph.version) return;
    void this.#fetch(this.navigator.geometry === null ? null : this.navigator.keep());
  }

  #showFigures(): void {
    const { navigator, overlay } = this;
    const { graph } = navigator;
    const run = overlay.current;
    const measured = overlay.channel !== null && overlay.channel !== "device" && run !== null;
    this.#status.show([
      graph === null ? "" : `${formatCount(graph.names.length)} operations`,
      run === null ? "" : `${run.name} ${run.state}, step ${run.step}`,
      measured ? `${overlay.framesASecond} frames a second` : "",
      run === null ? "" : `observing costs ${(100 * run.observer_cost).toFixed(1)} %`,
    ]);
  }

  #followTheme(): void {
    this.#theme = this.#themes.read();
    mark(this.host, "dark", this.#theme.dark);
    this.navigator.setTheme(this.#theme, this.#widths());
    this.overlay.repaint();
    this.#legend.refresh(this.#theme);
    this.#minimap.restart();
    this.#live.redraw();
  }

  #widths() {
    const context = document.createElement("canvas").getContext("2d");
    return canvasWidths(context as CanvasRenderingContext2D, this.#theme.font);
  }

  #ink() {
    const { text, faintText: faint, accent, error, font } = this.#theme;
    return { text, faint, accent, error, font };
  }

  #key(): string {
    const { name = "", against = null } = this.#shown ?? {};
    return `workbench-graph:${name}${against === null ? "" : `:${against}`}`;
  }

  #keep(): void {
    if (this.#shown === null || this.navigator.geometry === null || this.#disposed) return;
    writeKept(this.#storage, this.#key(), this.navigator.keep());
  }
}

function isSmall({ width, height }: Size): boolean {
  return width < SMALL_WIDTH || height < SMALL_HEIGHT;
}
