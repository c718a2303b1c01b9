import type { BokehModel } from "./bokeh-page.js";
import type { Palette } from "./theme.js";

/** Height of one figure in pixels, the same as that of the canvases which it replaces. */
const HEIGHT = 200;

/** Give models the looks of the page. Only properties that each type has may be set. */
export function restyle(models: Iterable<BokehModel>, palette: Palette): void {
  const looks: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    Figure: figureLooks(),
    Plot: figureLooks(),
    LinearAxis: axisLooks(palette),
    LogAxis: axisLooks(palette),
    Grid: { grid_line_color: palette.grid },
    Title: {
      text_color: palette.text,
      text_font: palette.font,
      text_font_size: "12px",
      text_font_style: "bold",
    },
    // The view has a legend of its own, for all figures.
    Legend: { visible: false },
    Toolbar: { logo: null, autohide: true },
    Column: { sizing_mode: "stretch_width", styles: GRID, spacing: 0 },
  };
  for (const model of [...models]) {
    const look = looks[model.type];
    if (look) model.setv(look);
  }
}

/** Figures side by side where there is room, as the canvases before them. */
const GRID = {
  display: "grid",
  width: "100%",
  "grid-template-columns": "repeat(auto-fit, minmax(min(320px, 100%), 1fr))",
};

function figureLooks(): Record<string, unknown> {
  return {
    sizing_mode: "stretch_width",
    height: HEIGHT,
    background_fill_color: null,
    border_fill_color: null,
    outline_line_color: null,
    min_border_left: 48,
    min_border_right: 12,
  };
}

function axisLooks(palette: Palette): Record<string, unknown> {
  return {
    axis_label: null,
    axis_line_color: palette.axis,
    major_tick_line_color: palette.axis,
    minor_tick_line_color: null,
    major_label_text_color: palette.faint,
    major_label_text_font: palette.font,
    major_label_text_font_size: "11px",
  };
}
