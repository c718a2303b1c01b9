import type { Figure } from "./chart-model.js";

/** A model as Bokeh's documents hold it; elsewhere in the document it is named by its id. */
interface Described {
  readonly type: "object";
  readonly name: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A curve's models: what is drawn, and under it what was recorded, where that is smoothed. */
export interface DescribedCurve {
  readonly run: string;
  readonly name: string;
  readonly source: string;
  readonly raw: string;
  readonly glyphs: readonly string[];
}

/** A run's marks: one source for all figures, and what draws it in each. */
export interface DescribedMarks {
  readonly run: string;
  readonly source: string;
  readonly glyphs: readonly string[];
}

/** Bokeh's json_item, and the ids in it of what is filled and coloured later. */
export interface ChartDescription {
  readonly item: object;
  readonly curves: readonly DescribedCurve[];
  readonly marks: readonly DescribedMarks[];
  readonly chosen: { readonly source: string; readonly glyphs: readonly string[] };
  readonly figures: readonly string[];
}

/** Tells marks and values apart by what is under the pointer. */
const MARK_TEXT = "<div style='padding: 2px 4px'>step @step{0,0}: @text</div>";
const VALUES = [
  ["run", "$name"],
  ["step", "@step{0,0}"],
  ["value", "@value{0.[000000]}"],
];

/**
 * Empty figures for Bokeh to embed: a line for each run and name, marks, and the chosen step.
 *
 * The page describes them itself, so that the kernel has no Bokeh to import: beside a run that
 * trains, that takes Python seconds.
 */
export function describeChart(
  figures: readonly Figure[],
  log: boolean,
  version: string,
): ChartDescription {
  return new Describer(log).describe(figures, version);
}

class Describer {
  #ids = 0;
  readonly #runs = new Map<string, { source: Described; glyphs: string[] }>();
  readonly #curves: DescribedCurve[] = [];
  readonly #chosen = this.#source("step");
  readonly #chosenGlyphs: string[] = [];
  /** The same steps in every figure: moving one moves all. */
  readonly #steps = this.#model("DataRange1d");
  /** What was described in full before is only named. */
  readonly #told = new Set<string>();

  constructor(private readonly log: boolean) {}

  describe(figures: readonly Figure[], version: string): ChartDescription {
    for (const run of new Set(figures.flatMap(({ lines }) => lines.map((line) => line.run))))
      this.#runs.set(run, { source: this.#source("step", "text"), glyphs: [] });
    const plots = figures.map((figure) => this.#figure(figure));
    const root = this.#model("Column", { children: plots });
    const doc = { version, title: "", roots: [root] };
    return {
      item: { target_id: null, root_id: root.id, doc },
      curves: this.#curves,
      marks: [...this.#runs].map(([run, { source, glyphs }]) => ({
        run,
        source: source.id,
        glyphs,
      })),
      chosen: { source: this.#chosen.id, glyphs: this.#chosenGlyphs },
      figures: plots.map(({ id }) => id),
    };
  }

  #figure({ name, lines }: Figure): Described {
    const steps = this.#once(this.#steps);
    const under: unknown[] = [];
    const curves: Described[] = [];
    for (const { run, label } of lines) {
      const [source, raw] = [this.#source("step", "value"), this.#source("step", "value")];
      const at = { x: field("step"), y: field("value") };
      const faint = this.#model("Line", { ...at, line_alpha: { value: 0.28 } });
      const glyph = this.#model("Line", { ...at, line_width: { value: 1.6 } });
      under.push(this.#drawn(faint, raw, { level: "underlay" }));
      curves.push(this.#drawn(glyph, source, { name: label }));
      const glyphs = [glyph.id, faint.id];
      this.#curves.push({ run, name, source: source.id, raw: raw.id, glyphs });
    }
    const marks = [...this.#runs.values()].map((run) => {
      const glyph = this.#upright({ line_dash: "dotted", line_alpha: { value: 0.8 } });
      run.glyphs.push(glyph.id);
      return this.#drawn(glyph, run.source);
    });
    const chosen = this.#upright({ line_width: { value: 1.5 } });
    this.#chosenGlyphs.push(chosen.id);
    const kind = this.log ? "Log" : "Linear";
    const across = this.#model("LinearAxis", {
      formatter: this.#model("BasicTickFormatter", { use_scientific: false }),
    });
    const along = this.#model(`${kind}Axis`);
    const renderers = [...under, ...curves, ...marks, this.#drawn(chosen, this.#chosen)];
    return this.#model("Plot", {
      title: this.#model("Title", { text: name }),
      x_range: steps,
      y_range: this.#model("DataRange1d"),
      x_scale: this.#model("LinearScale"),
      y_scale: this.#model(`${kind}Scale`),
      renderers,
      below: [across],
      left: [along],
      center: [
        this.#model("Grid", { axis: { id: across.id }, dimension: 0 }),
        this.#model("Grid", { axis: { id: along.id }, dimension: 1 }),
      ],
      toolbar: this.#toolbar(curves, marks),
    });
  }

  #toolbar(curves: readonly Described[], marks: readonly Described[]): Described {
    const zoom = this.#model("BoxZoomTool");
    const tools = ["PanTool", "WheelZoomTool", "ResetTool", "SaveTool"].map((tool) =>
      this.#model(tool),
    );
    const values = { renderers: curves.map(named), tooltips: VALUES, mode: "vline" };
    const texts = { renderers: marks.map(named), tooltips: MARK_TEXT };
    const hovers = [
      this.#model("HoverTool", values),
      this.#model("HoverTool", { ...texts, point_policy: "follow_mouse", visible: false }),
    ];
    return this.#model("Toolbar", {
      tools: [tools[0], zoom, ...tools.slice(1), ...hovers],
      active_drag: named(zoom),
    });
  }

  #upright(looks: object): Described {
    return this.#model("VSpan", { x: field("step"), ...looks });
  }

  #drawn(glyph: Described, source: Described, rest: object = {}): Described {
    return this.#model("GlyphRenderer", { glyph, data_source: this.#once(source), ...rest });
  }

  #source(...columns: string[]): Described {
    const entries = columns.map((name) => [name, []]);
    return this.#model("ColumnDataSource", { data: { type: "map", entries } });
  }

  #once(model: Described): Described | { readonly id: string } {
    if (this.#told.has(model.id)) return named(model);
    this.#told.add(model.id);
    return model;
  }

  #model(name: string, attributes: Readonly<Record<string, unknown>> = {}): Described {
    return { type: "object", name, id: `workbench-${++this.#ids}`, attributes };
  }
}

function named({ id }: Described): { readonly id: string } {
  return { id };
}

function field(name: string): object {
  return { type: "field", field: name };
}
