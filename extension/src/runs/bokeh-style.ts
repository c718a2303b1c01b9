import type { Bokeh, BokehModel } from "./bokeh-page.js";
import type { Palette } from "./theme.js";

/** Height of one figure in pixels, the same as that of the canvases which it replaces. */
const HEIGHT = 240;

/** Give models the looks of the page. Only properties that each type has may be set. */
export function restyle(bokeh: Bokeh, models: Iterable<BokehModel>, palette: Palette): void {
  const NoOverlap = bokeh.Models.get("NoOverlap");
  const labels = NoOverlap ? { major_label_policy: new NoOverlap({}) } : {};
  const all = [...models];
  const upright = new Set(all.flatMap(({ left }) => left ?? []));
  const looks: Readonly<Record<string, (model: BokehModel) => Readonly<Record<string, unknown>>>> =
    {
      Plot: figureLooks,
      LinearAxis: (axis) => ({ ...axisLooks(upright.has(axis), palette), ...labels }),
      LogAxis: (axis) => ({ ...axisLooks(upright.has(axis), palette), ...labels }),
      // Lines across are enough to read values by.
      Grid: ({ dimension }) => ({
        grid_line_color: dimension === 0 ? null : palette.grid,
        grid_line_alpha: 1,
        minor_grid_line_color: null,
      }),
      Title: () => ({
        text_color: palette.text,
        text_font: palette.font,
        text_font_size: "12px",
        text_font_style: "bold",
      }),
      Toolbar: () => ({ logo: null, autohide: true }),
      Column: () => ({ sizing_mode: "stretch_width", styles: GRID, spacing: 0 }),
    };
  for (const model of all) {
    const look = looks[model.type];
    if (look) model.setv(look(model));
  }
}

/** Figures side by side where there is room, as the canvases before them. */
const GRID = {
  display: "grid",
  width: "100%",
  "grid-template-columns": "repeat(auto-fit, minmax(min(320px, 100%), 1fr))",
};

function figureLooks({ x_range: range }: BokehModel): Record<string, unknown> {
  // Curves begin at the axis, as on the canvases.
  if (range?.type === "DataRange1d") range.setv({ range_padding: 0 });
  return {
    sizing_mode: "stretch_width",
    height: HEIGHT,
    background_fill_color: null,
    border_fill_color: null,
    outline_line_color: null,
    stylesheets: [":host .bk-events:focus:not(:focus-visible) { outline: none; }"],
    min_border_left: 48,
    min_border_right: 12,
  };
}

function axisLooks(isUpright: boolean, palette: Palette): Record<string, unknown> {
  return {
    axis_label: null,
    axis_line_color: isUpright ? null : palette.axis,
    major_tick_line_color: isUpright ? null : palette.axis,
    major_tick_in: 0,
    major_tick_out: 4,
    minor_tick_line_color: null,
    major_label_text_color: palette.faint,
    major_label_text_font: palette.font,
    major_label_text_font_size: "11px",
  };
}
