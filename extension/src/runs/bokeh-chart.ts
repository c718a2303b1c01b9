import type { ChartDescription } from "../protocol/messages.js";
import type {
  Bokeh,
  BokehDocument,
  BokehFigure,
  BokehModel,
  BokehRenderer,
  BokehSource,
  BokehViews,
} from "./bokeh-page.js";
import { fieldsOf } from "./bokeh-columns.js";
import { restyle } from "./bokeh-style.js";
import type { ChartLine, Figure } from "./chart-model.js";
import type { ChartState } from "./line-chart.js";
import type { Palette } from "./theme.js";

/** A curve: its source, what is drawn faintly under it when it is smoothed, and what they hold. */
interface Curve {
  readonly source: BokehSource;
  readonly raw: BokehSource;
  readonly renderers: readonly BokehRenderer[];
  generation: string;
  length: number;
}

/** The charts that the kernel described, drawn by Bokeh and kept filled. */
export class BokehChart {
  readonly #document: BokehDocument | null;
  readonly #curves = new Map<string, Curve>();
  readonly #markers: BokehSource;
  readonly #chosen: BokehSource;
  readonly #chosenLines: BokehModel[] = [];
  #markersDrawn = "[]";
  #chosenDrawn: number | null = null;

  private constructor(
    private readonly bokeh: Bokeh,
    private readonly views: BokehViews,
    { sources }: ChartDescription,
    chosen: (step: number) => void,
  ) {
    this.#document = views.roots[0]?.model.document ?? null;
    const models = [...(this.#document?.all_models ?? [])];
    const figures = models.filter(({ type }) => type === "Figure" || type === "Plot");
    // The kernel's tooltips are about its curves, and not about what is added below.
    for (const figure of figures as BokehFigure[]) {
      const own = [...figure.renderers];
      for (const tool of figure.toolbar.tools) {
        if (tool.type === "HoverTool") tool.setv({ renderers: own });
      }
    }
    for (const [run, names] of Object.entries(sources)) {
      for (const [name, id] of Object.entries(names)) {
        const curve = this.#findCurve(id, figures as BokehFigure[]);
        if (curve) this.#curves.set(keyOf(run, name), curve);
      }
    }
    this.#markers = this.#source({ step: [], text: [], color: [] });
    this.#chosen = this.#source({ step: [] });
    for (const figure of figures as BokehFigure[]) {
      this.#addMarkers(figure);
      figure.on_event("tap", ({ x }) => chosen(Math.round(x)));
    }
  }

  /** Embed what `run.chart` described into an element. Clicks in it choose a step. */
  static async embed(
    bokeh: Bokeh,
    description: ChartDescription,
    target: HTMLElement,
    chosen: (step: number) => void,
  ): Promise<BokehChart> {
    const views = await bokeh.embed.embed_item(description.item, target);
    return new BokehChart(bokeh, views, description, chosen);
  }

  /** Bring the sources up to date: what is new is streamed, what has changed is replaced. */
  draw(figures: readonly Figure[], state: ChartState): void {
    for (const { name, lines } of figures) {
      for (const line of lines) this.#fill(name, line, state.smoothed);
    }
    const markers = figures[0]?.markers ?? [];
    const drawn = JSON.stringify(markers);
    if (drawn !== this.#markersDrawn) {
      this.#markersDrawn = drawn;
      this.#markers.data = {
        step: markers.map(({ step }) => step),
        text: markers.map(({ text }) => text),
        color: markers.map(({ color }) => color),
      };
    }
    if (state.chosen === this.#chosenDrawn) return;
    this.#chosenDrawn = state.chosen;
    this.#chosen.data = { step: state.chosen === null ? [] : [state.chosen] };
  }

  /** Take the colours of the page's theme and of the runs. */
  restyle(palette: Palette, figures: readonly Figure[]): void {
    for (const { name, lines } of figures) {
      for (const { run, color } of lines) {
        for (const { glyph } of this.#curves.get(keyOf(run, name))?.renderers ?? []) {
          glyph.setv({ line_color: { value: color } });
        }
      }
    }
    for (const line of this.#chosenLines) line.setv({ line_color: { value: palette.accent } });
    restyle(this.bokeh, this.#document?.all_models ?? [], palette);
  }

  dispose(): void {
    this.views.clear();
    const { documents } = this.bokeh;
    const at = this.#document ? documents.indexOf(this.#document) : -1;
    if (at >= 0) documents.splice(at, 1);
    this.#document?.clear();
  }

  #fill(name: string, line: ChartLine, smoothed: boolean): void {
    const curve = this.#curves.get(keyOf(line.run, name));
    if (!curve) return;
    const { steps, raw, generation } = line;
    const grown = curve.generation === generation && steps.length >= curve.length;
    if (grown && steps.length === curve.length) return;
    const from = grown ? curve.length : 0;
    const columns = fieldsOf(curve.source, line, from);
    const recorded = smoothed ? { step: steps.slice(from), value: raw.slice(from) } : null;
    if (grown) {
      curve.source.stream(columns);
      if (recorded) curve.raw.stream(recorded);
    } else {
      curve.source.data = columns;
      curve.raw.data = recorded ?? { step: [], value: [] };
    }
    curve.generation = generation;
    curve.length = steps.length;
  }

  #findCurve(id: string, figures: readonly BokehFigure[]): Curve | null {
    const source = this.#document?.get_model_by_id(id) as BokehSource | null | undefined;
    if (!source) return null;
    const raw = this.#source({ step: [], value: [] });
    const renderers: BokehRenderer[] = [];
    for (const figure of figures) {
      const own = figure.renderers.filter(({ data_source }) => data_source?.id === id);
      if (own.length === 0) continue;
      const glyph = this.#make("Line", {
        x: { field: "step" },
        y: { field: "value" },
        line_alpha: 0.28,
      });
      renderers.push(...own, figure.add_glyph(glyph, raw, { level: "underlay" }));
    }
    return { source, raw, renderers, generation: "", length: 0 };
  }

  #addMarkers(figure: BokehFigure): void {
    const x = { field: "step" };
    const color = { field: "color" };
    const dashed = this.#make("VSpan", { x, line_color: color, line_dash: [2, 3] });
    const marks = figure.add_glyph(dashed, this.#markers, { level: "underlay" });
    const hover = {
      renderers: [marks],
      tooltips: "step @step: @text",
      point_policy: "follow_mouse",
    };
    figure.add_tools(this.#make("HoverTool", hover));
    const line = this.#make("VSpan", { x, line_width: { value: 1.5 } });
    this.#chosenLines.push(line);
    figure.add_glyph(line, this.#chosen);
  }

  #source(data: Record<string, readonly unknown[]>): BokehSource {
    return this.#make("ColumnDataSource", { data }) as BokehSource;
  }

  #make(type: string, values: object): BokehModel {
    const Model = this.bokeh.Models.get(type);
    if (!Model) throw new Error(`Bokeh ${this.bokeh.version} has no ${type}.`);
    return new Model(values);
  }
}

function keyOf(run: string, name: string): string {
  return JSON.stringify([run, name]);
}
