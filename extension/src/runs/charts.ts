import type { Client, Subscription } from "../protocol/client.js";
import { messageOf } from "../protocol/errors.js";
import { Newest } from "../protocol/newest.js";
import { BokehChart } from "./bokeh-chart.js";
import { loadBokeh } from "./bokeh-page.js";
import { type ChartRun, type Figure, figuresOf } from "./chart-model.js";
import { element, setHidden, setText } from "./dom.js";
import { type ChartState, describe, LineChart } from "./line-chart.js";
import { readPalette } from "./theme.js";

/** Milliseconds between two fillings of Bokeh's sources. */
const PERIOD = 200;

export interface ChartsOptions {
  /** A step was clicked; without it clicks do nothing. */
  readonly onStep?: (step: number) => void;
}

/**
 * The curves of one or more runs: a figure for each tracked name. Canvases show them from the first
 * frame on; when the kernel has sent Bokeh, its charts take their place.
 */
export class Charts implements Subscription {
  readonly element: HTMLElement;
  readonly #canvases: HTMLElement;
  readonly #bokehHost: HTMLElement;
  readonly #legend: HTMLElement;
  readonly #note: HTMLElement;
  readonly #lineCharts = new Map<string, LineChart>();
  readonly #frame: Newest<null>;
  readonly #resized: ResizeObserver;
  #client: Client | null = null;
  #kernel = "";
  #runs: readonly ChartRun[] = [];
  #figures: readonly Figure[] = [];
  #smoothing = 0;
  #log = false;
  #chosen: number | null = null;
  #bokeh: BokehChart | null = null;
  /** What the embedded chart, or the one being made, is a chart of. */
  #key = "";
  /** The colours that the embedded chart has. */
  #looks = "";
  #lastFill = 0;
  #fillTimer: ReturnType<typeof setTimeout> | null = null;
  #disposed = false;

  constructor(private readonly options: ChartsOptions = {}) {
    this.#canvases = element("div", { class: "run-figures" });
    this.#bokehHost = element("div", { class: "run-bokeh", attributes: { role: "group" } });
    this.#legend = element("div", { class: "run-legend" });
    this.#note = element("p", { class: "run-note" });
    this.#bokehHost.hidden = this.#legend.hidden = this.#note.hidden = true;
    this.element = element(
      "div",
      { class: "run-charts", attributes: { role: "group", "aria-label": "Curves" } },
      this.#tools(),
      this.#legend,
      this.#canvases,
      this.#bokehHost,
      this.#note,
    );
    this.#frame = new Newest(() => this.#draw());
    this.#resized = new ResizeObserver(() => this.#frame.put(null));
    this.#resized.observe(this.#canvases);
  }

  /** The kernel to get Bokeh from; null when it is gone: what is drawn stays. */
  connect(client: Client | null, kernel: string): void {
    this.#client = client;
    this.#kernel = kernel;
    this.#frame.put(null);
  }

  /** Draw these runs, in the next frame. Call again whenever one has grown. */
  show(runs: readonly ChartRun[]): void {
    this.#runs = runs;
    this.#frame.put(null);
  }

  choose(step: number | null): void {
    this.#chosen = step;
    this.#frame.put(null);
  }

  /** Colours have changed: paint everything again. */
  repaint(): void {
    this.#lastFill = 0;
    this.#frame.put(null);
  }

  /** What is drawn, for tests. */
  snapshot(): object {
    return {
      drawnBy: this.#bokeh ? "bokeh" : "canvas",
      smoothing: this.#smoothing,
      log: this.#log,
      chosen: this.#chosen,
      note: this.#note.hidden ? null : this.#note.textContent,
      figures: this.#figures.map(({ name, lines, markers }) => ({
        name,
        markers: markers.map(({ step, text }) => ({ step, text })),
        lines: lines.map(({ run, label, color, steps, raw, values }) => ({
          run,
          label,
          color,
          points: steps.length,
          first: steps[0] ?? null,
          last: steps.at(-1) ?? null,
          lastRaw: raw.at(-1) ?? null,
          lastDrawn: values.at(-1) ?? null,
        })),
      })),
    };
  }

  dispose(): void {
    this.#disposed = true;
    this.#frame.dispose();
    this.#resized.disconnect();
    if (this.#fillTimer !== null) clearTimeout(this.#fillTimer);
    this.#bokeh?.dispose();
    this.#bokeh = null;
  }

  #tools(): HTMLElement {
    const weight = element("output", { text: "0" });
    const slider = element("input", {
      attributes: { type: "range", min: "0", max: "0.99", step: "0.01", value: "0" },
      on: {
        input: () => {
          this.#smoothing = Number(slider.value);
          setText(weight, slider.value);
          this.#lastFill = 0;
          this.#frame.put(null);
        },
      },
    });
    const log = element("input", {
      attributes: { type: "checkbox" },
      on: {
        change: () => {
          this.#log = log.checked;
          this.#frame.put(null);
        },
      },
    });
    return element(
      "div",
      { class: "run-chart-tools" },
      element("label", { class: "run-smoothing" }, "Smoothing", slider, weight),
      element("label", { class: "run-check" }, log, "Log scale"),
    );
  }

  #draw(): void {
    if (this.#disposed) return;
    this.#figures = figuresOf(this.#runs, this.#smoothing);
    this.#drawLegend();
    this.#requestBokeh();
    if (this.#bokeh && !this.#bokehHost.hidden) this.#fillSoon();
    else this.#drawCanvases();
  }

  get #state(): ChartState {
    return { log: this.#log, chosen: this.#chosen, smoothed: this.#smoothing > 0 };
  }

  #drawCanvases(): void {
    const palette = readPalette(this.element);
    const wanted = new Set(this.#figures.map(({ name }) => name));
    for (const [name, chart] of this.#lineCharts) {
      if (wanted.has(name)) continue;
      chart.canvas.remove();
      this.#lineCharts.delete(name);
    }
    for (const figure of this.#figures) {
      let chart = this.#lineCharts.get(figure.name);
      if (!chart) {
        chart = new LineChart((step) => this.options.onStep?.(step));
        this.#lineCharts.set(figure.name, chart);
        this.#canvases.append(chart.canvas);
      }
      chart.draw(figure, this.#state, palette);
    }
  }

  #drawLegend(): void {
    setHidden(this.#legend, this.#runs.length < 2);
    const entries = this.#runs.map(({ label, color, run }) => ({ label, color, run }));
    const text = JSON.stringify(entries);
    if (this.#legend.dataset["entries"] === text) return;
    this.#legend.dataset["entries"] = text;
    this.#legend.replaceChildren(
      ...entries.map(({ label, color }) => {
        const line = element("span", { class: "run-legend-line" });
        line.style.background = color;
        return element("span", { class: "run-legend-entry" }, line, label);
      }),
    );
  }

  /** Fill Bokeh's sources, at most so often: what comes between waits for the next time. */
  #fillSoon(): void {
    if (this.#fillTimer !== null) return;
    const wait = this.#lastFill + PERIOD - performance.now();
    const fill = () => {
      this.#fillTimer = null;
      this.#lastFill = performance.now();
      this.#fill();
    };
    if (wait <= 0) fill();
    else this.#fillTimer = setTimeout(fill, wait);
  }

  #fill(): void {
    if (!this.#bokeh) return;
    const palette = readPalette(this.element);
    const lines = this.#figures.flatMap((figure) => figure.lines);
    const looks = JSON.stringify([palette, lines.map(({ run, color }) => [run, color])]);
    if (looks !== this.#looks) this.#bokeh.restyle(palette, this.#figures);
    this.#looks = looks;
    this.#bokeh.draw(this.#figures, this.#state);
    this.#bokehHost.setAttribute("aria-label", this.#figures.map(describe).join(". "));
  }

  /** Ask for a chart of these runs, names and scale, unless it is there or on its way. */
  #requestBokeh(): void {
    const client = this.#client;
    if (!client || client.closed || this.#kernel === "") return;
    // Bokeh draws no axes where there are no values; the canvases say that there are none.
    const hasValues = this.#figures.some(({ lines }) =>
      lines.some(({ values }) => values.some(Number.isFinite)),
    );
    if (!hasValues) return;
    const runs = this.#runs.map(({ run }) => run);
    const names = this.#figures.map(({ name }) => name);
    const key = JSON.stringify([this.#kernel, runs, names, this.#log]);
    if (key === this.#key) return;
    this.#key = key;
    void this.#embed(client, key);
  }

  async #embed(client: Client, key: string): Promise<void> {
    const isWanted = () => !this.#disposed && key === this.#key;
    try {
      const bokeh = await loadBokeh(client, this.#kernel);
      if (!isWanted()) return;
      const target = element("div", { class: "run-bokeh-chart" });
      // Laid out unseen, so that it can take the canvases' place in one frame.
      target.classList.add("run-unseen");
      this.#bokehHost.hidden = false;
      this.#bokehHost.append(target);
      const chart = await BokehChart.embed(bokeh, this.#figures, this.#log, target, (step) =>
        this.options.onStep?.(step),
      );
      if (!isWanted()) {
        chart.dispose();
        target.remove();
        return;
      }
      this.#bokeh?.dispose();
      this.#bokeh = chart;
      this.#looks = "";
      this.#fill();
      for (const old of [...this.#bokehHost.children]) if (old !== target) old.remove();
      target.classList.remove("run-unseen");
      setHidden(this.#canvases, true);
      setHidden(this.#note, true);
    } catch (error) {
      if (!isWanted()) return;
      setText(this.#note, `These curves are drawn without Bokeh. ${messageOf(error)}`);
      this.#showCanvases();
    }
  }

  #showCanvases(): void {
    this.#bokeh?.dispose();
    this.#bokeh = null;
    this.#bokehHost.replaceChildren();
    this.#bokehHost.hidden = true;
    setHidden(this.#canvases, false);
    setHidden(this.#note, false);
    this.#frame.put(null);
  }
}
