import type { BokehModel, BokehRenderer } from "./bokeh-page.js";

/** Properties that hold a run's colour, in glyphs and in labels. */
const PROPERTIES = ["line_color", "fill_color", "text_color"] as const;

type Property = (typeof PROPERTIES)[number];

/**
 * Which parts of a chart have the colour of which run. The kernel colours runs in the order that it
 * was asked for; in a view a run keeps its colour, whatever comes and goes beside it.
 */
export class RunColors {
  readonly #parts = new Map<string, [BokehModel, Property][]>();

  /** Take all parts that are coloured as the run's curves are, by the ids of their sources. */
  learn(run: string, sources: readonly string[], models: readonly BokehModel[]): void {
    const curves = models.filter(({ type }) => type === "GlyphRenderer") as BokehRenderer[];
    const curve = curves.find(({ data_source }) => sources.includes(data_source?.id ?? ""));
    const color = curve && colorOf(curve.glyph, "line_color");
    if (!color) return;
    for (const model of models) {
      for (const property of PROPERTIES) {
        if (colorOf(model, property) === color) this.add(run, model, property);
      }
    }
  }

  add(run: string, model: BokehModel, property: Property): void {
    const parts = this.#parts.get(run) ?? [];
    this.#parts.set(run, parts);
    parts.push([model, property]);
  }

  set(run: string, color: string): void {
    for (const [model, property] of this.#parts.get(run) ?? []) {
      model.setv({ [property]: { value: color } });
    }
  }
}

/** A colour that is the same for all rows, in whichever way Bokeh holds it. */
function colorOf(model: BokehModel, property: Property): string | null {
  const held = (model as BokehModel & Record<string, unknown>)[property];
  if (typeof held === "string") return held;
  const { value } = (held ?? {}) as { readonly value?: unknown };
  return typeof value === "string" ? value : null;
}
