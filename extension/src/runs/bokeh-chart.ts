import type { ChartDescription } from "../protocol/messages.js";
import type {
  Bokeh,
  BokehDocument,
  BokehFigure,
  BokehModel,
  BokehSource,
  BokehViews,
} from "./bokeh-page.js";
import { fieldsOf } from "./bokeh-columns.js";
import { RunColors } from "./bokeh-colors.js";
import { restyle } from "./bokeh-style.js";
import type { ChartLine, Figure, Marker } from "./chart-model.js";
import type { ChartState } from "./line-chart.js";
import type { Palette } from "./theme.js";

/** A curve: its source, what is drawn faintly under it when it is smoothed, and what they hold. */
interface Curve {
  readonly source: BokehSource;
  readonly raw: BokehSource;
  generation: string;
  length: number;
}

/** The charts that the kernel described, drawn by Bokeh and kept filled. */
export class BokehChart {
  readonly #document: BokehDocument | null;
  readonly #curves = new Map<string, Curve>();
  readonly #marks = new Map<string, BokehSource>();
  readonly #colors = new RunColors();
  readonly #chosen: BokehSource;
  readonly #chosenLines: BokehModel[] = [];
  #marksDrawn = "";
  #chosenDrawn: number | null = null;

  private constructor(
    private readonly bokeh: Bokeh,
    private readonly views: BokehViews,
    { sources, events = {} }: ChartDescription,
    chosen: (step: number) => void,
  ) {
    this.#document = views.roots[0]?.model.document ?? null;
    const models = [...(this.#document?.all_models ?? [])];
    const figures = models.filter(isFigure);
    for (const [run, names] of Object.entries(sources)) {
      this.#colors.learn(run, Object.values(names), models);
      for (const [name, id] of Object.entries(names)) {
        const source = this.#find(id);
        if (source) this.#curves.set(keyOf(run, name), this.#curveOf(run, source, figures));
      }
    }
    for (const [run, id] of Object.entries(events)) {
      const source = this.#find(id);
      if (source) this.#marks.set(run, source);
    }
    this.#chosen = this.#source({ step: [] });
    for (const figure of figures) {
      const line = this.#make("VSpan", { x: { field: "step" }, line_width: { value: 1.5 } });
      this.#chosenLines.push(line);
      figure.add_glyph(line, this.#chosen);
      this.#explainMarks(figure, Object.values(events));
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
    this.#mark(figures[0]?.markers ?? []);
    if (state.chosen === this.#chosenDrawn) return;
    this.#chosenDrawn = state.chosen;
    this.#chosen.data = { step: state.chosen === null ? [] : [state.chosen] };
  }

  /** Take the colours of the page's theme and of the runs. */
  restyle(palette: Palette, figures: readonly Figure[]): void {
    for (const { run, color } of figures.flatMap(({ lines }) => lines))
      this.#colors.set(run, color);
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

  #mark(markers: readonly Marker[]): void {
    const drawn = JSON.stringify(markers);
    if (drawn === this.#marksDrawn) return;
    this.#marksDrawn = drawn;
    for (const [run, source] of this.#marks) {
      const own = markers.filter((marker) => marker.run === run);
      source.data = { step: own.map(({ step }) => step), text: own.map(({ text }) => text) };
    }
  }

  /** Say what a mark is about when the pointer is on it. */
  #explainMarks(figure: BokehFigure, sources: readonly string[]): void {
    const renderers = figure.renderers.filter(({ data_source }) =>
      sources.includes(data_source?.id ?? ""),
    );
    const tooltips = "<div style='padding: 2px 4px'>step @step{0,0}: @text</div>";
    figure.add_tools(
      this.#make("HoverTool", {
        renderers,
        tooltips,
        point_policy: "follow_mouse",
        visible: false,
      }),
    );
  }

  #find(id: string): BokehSource | null {
    return (this.#document?.get_model_by_id(id) as BokehSource | null | undefined) ?? null;
  }

  /** A curve, and under it a fainter line for what was recorded where the curve is smoothed. */
  #curveOf(run: string, source: BokehSource, figures: readonly BokehFigure[]): Curve {
    const raw = this.#source({ step: [], value: [] });
    for (const figure of figures) {
      if (!figure.renderers.some(({ data_source }) => data_source?.id === source.id)) continue;
      const at = { x: { field: "step" }, y: { field: "value" } };
      const glyph = this.#make("Line", { ...at, line_alpha: 0.28 });
      this.#colors.add(run, glyph, "line_color");
      figure.add_glyph(glyph, raw, { level: "underlay" });
    }
    return { source, raw, generation: "", length: 0 };
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

function isFigure(model: BokehModel): model is BokehFigure {
  return model.type === "Figure" || model.type === "Plot";
}

function keyOf(run: string, name: string): string {
  return JSON.stringify([run, name]);
}
