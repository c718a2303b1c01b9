import { type ChartDescription, describeChart } from "./bokeh-item.js";
import type { Bokeh, BokehDocument, BokehModel, BokehSource, BokehViews } from "./bokeh-page.js";
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

/** The charts of some runs, drawn by Bokeh and kept filled. */
export class BokehChart {
  readonly #document: BokehDocument | null;
  readonly #curves = new Map<string, Curve>();
  readonly #marks = new Map<string, BokehSource>();
  /** What has the colour of which run: a run keeps its own, whatever comes and goes beside it. */
  readonly #colored = new Map<string, BokehModel[]>();
  readonly #chosen: BokehSource;
  readonly #chosenLines: readonly BokehModel[];
  #marksDrawn = "";
  #chosenDrawn: number | null = null;

  private constructor(
    private readonly bokeh: Bokeh,
    private readonly views: BokehViews,
    { curves, marks, chosen, figures }: ChartDescription,
    onStep: (step: number) => void,
  ) {
    this.#document = views.roots[0]?.model.document ?? null;
    for (const { run, name, source, raw, glyphs } of curves) {
      const [drawn, recorded] = [this.#source(source), this.#source(raw)];
      this.#curves.set(keyOf(run, name), {
        source: drawn,
        raw: recorded,
        generation: "",
        length: 0,
      });
      this.#color(run, glyphs);
    }
    for (const { run, source, glyphs } of marks) {
      this.#marks.set(run, this.#source(source));
      this.#color(run, glyphs);
    }
    this.#chosen = this.#source(chosen.source);
    this.#chosenLines = chosen.glyphs.map((id) => this.#find(id));
    for (const id of figures) this.#find(id).on_event("tap", ({ x }) => onStep(Math.round(x)));
  }

  /** Charts of these figures in an element, empty until `draw`. Clicks in them choose a step. */
  static async embed(
    bokeh: Bokeh,
    figures: readonly Figure[],
    log: boolean,
    target: HTMLElement,
    onStep: (step: number) => void,
  ): Promise<BokehChart> {
    const description = describeChart(figures, log, bokeh.version);
    const views = await bokeh.embed.embed_item(description.item, target);
    return new BokehChart(bokeh, views, description, onStep);
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
    for (const { run, color } of figures.flatMap(({ lines }) => lines)) {
      for (const model of this.#colored.get(run) ?? [])
        model.setv({ line_color: { value: color } });
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
    const { steps, values, raw, generation } = line;
    const grown = curve.generation === generation && steps.length >= curve.length;
    if (grown && steps.length === curve.length) return;
    const from = grown ? curve.length : 0;
    const step = steps.slice(from);
    const drawn = { step, value: values.slice(from) };
    const recorded = smoothed ? { step, value: raw.slice(from) } : null;
    if (grown) {
      curve.source.stream(drawn);
      if (recorded) curve.raw.stream(recorded);
    } else {
      curve.source.data = drawn;
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

  #color(run: string, glyphs: readonly string[]): void {
    const models = this.#colored.get(run) ?? [];
    this.#colored.set(run, models);
    models.push(...glyphs.map((id) => this.#find(id)));
  }

  #source(id: string): BokehSource {
    return this.#find(id) as BokehSource;
  }

  #find(id: string): BokehModel {
    const model = this.#document?.get_model_by_id(id);
    if (!model) throw new Error(`Bokeh ${this.bokeh.version} did not take the charts.`);
    return model;
  }
}

function keyOf(run: string, name: string): string {
  return JSON.stringify([run, name]);
}
