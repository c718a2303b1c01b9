import { extent, linearTicks, logTicks, padded, type Tick } from "./axes.js";
import { type Figure, nearestIndex } from "./chart-model.js";
import { count, value as shortValue } from "./format.js";
import type { Palette } from "./theme.js";

/** Room for the numbers of the axes, in pixels. */
const ROOM = { left: 48, right: 12, top: 26, bottom: 24 };

/** How a chart is drawn just now. */
export interface ChartState {
  readonly log: boolean;
  /** The step that was chosen, and the one under the pointer. */
  readonly chosen: number | null;
  readonly smoothed: boolean;
}

/**
 * One figure on a canvas: what is seen from the first frame on, until Bokeh has been loaded, and all
 * the time where Bokeh cannot be had.
 */
export class LineChart {
  readonly canvas = document.createElement("canvas");
  #hover: number | null = null;
  #begin = 0;
  #end = 1;
  #last: readonly [Figure, ChartState, Palette] | null = null;

  constructor(chosen: (step: number) => void) {
    this.canvas.className = "run-chart-canvas";
    this.canvas.setAttribute("role", "img");
    this.canvas.addEventListener("pointermove", ({ offsetX }) =>
      this.#setHover(this.stepAt(offsetX)),
    );
    this.canvas.addEventListener("pointerleave", () => this.#setHover(null));
    this.canvas.addEventListener("click", ({ offsetX }) => {
      const step = this.stepAt(offsetX);
      if (step !== null) chosen(step);
    });
  }

  /** The step under a place on the canvas, null beside the curves. */
  stepAt(x: number): number | null {
    const inside = x - ROOM.left;
    const width = this.canvas.clientWidth - ROOM.left - ROOM.right;
    if (inside < 0 || inside > width || !(this.#end > this.#begin)) return null;
    return Math.round(this.#begin + (inside / width) * (this.#end - this.#begin));
  }

  draw(figure: Figure, state: ChartState, palette: Palette): void {
    this.#last = [figure, state, palette];
    this.canvas.setAttribute("aria-label", describe(figure));
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const context = this.canvas.getContext("2d");
    if (!context || width === 0) return;
    context.scale(scale, scale);
    context.font = `11px ${palette.font}`;
    this.#drawTitle(context, figure, palette);
    const drawn = figure.lines.map(({ values, raw }) =>
      state.smoothed ? [values, raw] : [values],
    );
    const range = extent(drawn.flat(), state.log);
    const steps = figure.lines.flatMap((line) => [line.steps[0], line.steps.at(-1)!]);
    if (!range || steps.length === 0) {
      context.fillStyle = palette.faint;
      context.textAlign = "center";
      context.fillText("no values to draw", width / 2, height / 2);
      return;
    }
    const [low, high] = padded(range, state.log);
    this.#begin = Math.min(...steps);
    this.#end = Math.max(...steps, this.#begin + 1);
    const plot: Plot = {
      right: width - ROOM.right,
      bottom: height - ROOM.bottom,
      x: (step) =>
        ROOM.left +
        ((step - this.#begin) / (this.#end - this.#begin)) * (width - ROOM.left - ROOM.right),
      y: (value) => {
        const share = state.log
          ? Math.log(high / value) / Math.log(high / low)
          : (high - value) / (high - low);
        return ROOM.top + share * (height - ROOM.top - ROOM.bottom);
      },
    };
    const most = Math.max(2, Math.floor(height / 45));
    const ticks = state.log ? logTicks(low, high, most) : linearTicks(low, high, most);
    drawAxes(context, plot, ticks, linearTicks(this.#begin, this.#end, width / 90), palette);
    context.save();
    context.beginPath();
    context.rect(
      ROOM.left,
      ROOM.top - 4,
      width - ROOM.left - ROOM.right + 4,
      height - ROOM.top - ROOM.bottom + 8,
    );
    context.clip();
    for (const marker of figure.markers) {
      drawUpright(context, plot, marker.step, marker.color, [2, 3]);
    }
    for (const line of figure.lines) {
      if (state.smoothed)
        drawCurve(context, plot, line.steps, line.raw, line.color, 0.28, state.log);
      drawCurve(context, plot, line.steps, line.values, line.color, 1, state.log);
    }
    context.restore();
    if (state.chosen !== null) drawUpright(context, plot, state.chosen, palette.accent, []);
    if (this.#hover !== null) this.#drawHover(context, plot, figure, this.#hover, palette);
  }

  #setHover(step: number | null): void {
    if (step === this.#hover) return;
    this.#hover = step;
    if (this.#last) this.draw(...this.#last);
  }

  #drawTitle(context: CanvasRenderingContext2D, figure: Figure, palette: Palette): void {
    context.fillStyle = palette.text;
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    context.font = `600 12px ${palette.font}`;
    context.fillText(figure.name, ROOM.left, 15);
    context.font = `11px ${palette.font}`;
  }

  #drawHover(
    context: CanvasRenderingContext2D,
    plot: Plot,
    figure: Figure,
    step: number,
    palette: Palette,
  ): void {
    drawUpright(context, plot, step, palette.faint, []);
    const texts = figure.lines.flatMap((line) => {
      const index = nearestIndex(line.steps, step);
      if (index < 0 || step > line.steps.at(-1)! || step < line.steps[0]) return [];
      return [{ text: shortValue(line.values[index]), color: line.color }];
    });
    context.textAlign = "right";
    let x = plot.right;
    for (const { text, color } of texts.reverse()) {
      context.fillStyle = color;
      context.fillText(text, x, 15);
      x -= context.measureText(text).width + 10;
    }
    context.fillStyle = palette.faint;
    context.fillText(`step ${count(step)}`, x, 15);
  }
}

interface Plot {
  readonly right: number;
  readonly bottom: number;
  x(step: number): number;
  y(value: number): number;
}

function drawAxes(
  context: CanvasRenderingContext2D,
  plot: Plot,
  across: readonly Tick[],
  along: readonly Tick[],
  palette: Palette,
): void {
  context.lineWidth = 1;
  context.strokeStyle = palette.grid;
  context.fillStyle = palette.faint;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const { value, label } of across) {
    const y = Math.round(plot.y(value)) + 0.5;
    strokeLine(context, ROOM.left, y, plot.right, y);
    context.fillText(label, ROOM.left - 7, y);
  }
  context.strokeStyle = palette.axis;
  strokeLine(context, ROOM.left, plot.bottom + 0.5, plot.right, plot.bottom + 0.5);
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const { value, label } of along) {
    const x = Math.round(plot.x(value)) + 0.5;
    strokeLine(context, x, plot.bottom, x, plot.bottom + 4);
    context.fillText(label, x, plot.bottom + 7);
  }
}

function drawCurve(
  context: CanvasRenderingContext2D,
  plot: Plot,
  steps: readonly number[],
  values: readonly number[],
  color: string,
  alpha: number,
  log: boolean,
): void {
  context.strokeStyle = color;
  context.globalAlpha = alpha;
  context.lineWidth = alpha < 1 ? 1 : 1.6;
  context.lineJoin = "round";
  context.beginPath();
  let drawing = false;
  for (let index = 0; index < steps.length; index++) {
    const value = values[index];
    if (!Number.isFinite(value) || (log && value <= 0)) {
      drawing = false;
      continue;
    }
    const [x, y] = [plot.x(steps[index]), plot.y(value)];
    if (drawing) context.lineTo(x, y);
    else context.moveTo(x, y);
    drawing = true;
  }
  context.stroke();
  context.globalAlpha = 1;
}

function drawUpright(
  context: CanvasRenderingContext2D,
  plot: Plot,
  step: number,
  color: string,
  dash: number[],
): void {
  const x = Math.round(plot.x(step)) + 0.5;
  if (x < ROOM.left || x > plot.right + 1) return;
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.setLineDash(dash);
  strokeLine(context, x, ROOM.top, x, plot.bottom);
  context.setLineDash([]);
}

function strokeLine(
  context: CanvasRenderingContext2D,
  fromX: number,
  fromY: number,
  toX: number,
  toY: number,
): void {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}

/** The figure in words, for those who do not see it. */
export function describe({ name, lines }: Figure): string {
  const parts = lines.map(({ label, steps, raw }) => {
    const range = extent([raw], false);
    const last = `${shortValue(raw.at(-1) ?? NaN)} at step ${count(steps.at(-1) ?? NaN)}`;
    const between = range ? `, between ${shortValue(range[0])} and ${shortValue(range[1])}` : "";
    return `${label} ${last}${between}`;
  });
  return `${name}: ${parts.length > 0 ? parts.join("; ") : "nothing recorded yet"}`;
}
