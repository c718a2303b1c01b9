import { element } from "../runs/dom.js";
import type { Kind, Span } from "./spans.js";
import { lineOf, type Stretch } from "./timeline-model.js";

/** The part of a row's height that a kind takes: they are told apart without colours too. */
const HEIGHTS: Readonly<Record<Kind, number>> = { compute: 1, exchange: 0.62, wait: 0.2 };

export type TimelineColors = Readonly<Record<Kind | "axis", string>>;

/** The colours of what a worker does, from the style sheet. */
export function readColors(view: HTMLElement): TimelineColors {
  const style = getComputedStyle(view);
  const read = (name: string) => style.getPropertyValue(`--pool-${name}`).trim();
  return {
    compute: read("compute"),
    exchange: read("exchange"),
    wait: read("wait"),
    axis: style.getPropertyValue("--run-axis").trim(),
  };
}

/** What a worker did during the last steps, as a line of a list. */
export class Timeline {
  readonly canvas = element("canvas", { class: "pool-timeline", attributes: { role: "img" } });
  #drawn = "";

  draw(spans: readonly Span[], stretch: Stretch, colors: TimelineColors): void {
    const scale = devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    const drawn = [spans.at(-1)?.ends, stretch.ends, colors.compute, scale, clientWidth].join();
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.canvas.width = Math.round(clientWidth * scale);
    this.canvas.height = Math.round(clientHeight * scale);
    const context = this.canvas.getContext("2d");
    if (!context) return;
    context.scale(scale, scale);
    context.fillStyle = colors.axis;
    context.fillRect(0, clientHeight - 1, clientWidth, 1);
    const { rows, pieces } = lineOf(spans, stretch);
    const rowHeight = (clientHeight - 1) / rows;
    for (const { kind, from, to, row } of pieces) {
      const height = Math.max(rowHeight * HEIGHTS[kind] - 1, 1);
      const [left, width] = [from * clientWidth, Math.max((to - from) * clientWidth, 0.5)];
      if (kind !== "compute") {
        // It lies within a computation, whose colour must not show above it.
        context.clearRect(left, row * rowHeight, width, rowHeight);
      }
      context.fillStyle = colors[kind];
      context.fillRect(left, (row + 1) * rowHeight - height, width, height);
    }
    this.#markSteps(context, pieces, rowHeight);
  }

  /** A gap where a step begins. */
  #markSteps(
    context: CanvasRenderingContext2D,
    pieces: readonly { readonly step: number; readonly from: number; readonly row: number }[],
    rowHeight: number,
  ): void {
    const seen = new Set<string>();
    for (const { step, from, row } of pieces) {
      const key = `${row} ${step}`;
      if (step >= 0 && from > 0 && !seen.has(key)) {
        context.clearRect(from * this.canvas.clientWidth, row * rowHeight, 1, rowHeight);
      }
      seen.add(key);
    }
  }
}
