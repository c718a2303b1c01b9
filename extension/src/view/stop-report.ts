import type { InputSummary, Line, RunStatus } from "../protocol/messages.js";
import { element, iconButton, link, setShown } from "./dom.js";
import { lineElement, type OpenCell } from "./line.js";
import type { Navigator } from "./navigator.js";
import type { Overlay } from "./overlay.js";

interface Stop {
  readonly title: string;
  readonly operation: string | null;
  readonly line: Line | null;
  readonly inputs: readonly InputSummary[];
}

/**
 * Why the run of this graph stands still: a watch that paused it, or an error. When that happens
 * while one looks on, the picture goes to the operation.
 */
export class StopReport {
  readonly element = element("section", "report", { role: "alert", hidden: true });
  #shown = "";
  /** The run that was seen running last. */
  #running: string | null = null;

  constructor(
    private readonly navigator: Navigator,
    private readonly overlay: Overlay,
    private readonly openCell: OpenCell | null,
  ) {
    overlay.changed.connect(() => this.#update());
  }

  #update(): void {
    const run = this.overlay.current;
    if (run?.state === "running") this.#running = run.run;
    const stop = run === null ? null : stopOf(run);
    const shown = stop === null ? "" : JSON.stringify([run?.run, stop]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    setShown(this.element, stop !== null);
    if (stop === null) return;
    this.#fill(stop);
    if (this.#running === run?.run) this.#go(stop.operation);
  }

  #fill({ title, operation, line, inputs }: Stop): void {
    const close = iconButton("close", "Close the report", () => setShown(this.element, false));
    const parts = [
      element("header", "report-header", {}, element("strong", null, {}, title), close),
    ];
    if (operation !== null) {
      parts.push(
        element(
          "p",
          null,
          {},
          "at ",
          link(operation, () => this.#go(operation), "Show it"),
        ),
      );
    }
    if (line !== null) parts.push(lineElement(line, this.openCell));
    const rows = inputs.map(({ tensor, shape, summary }) =>
      element("li", null, {}, `${tensor} `, element("span", "shape", {}, shape), ` ${summary}`),
    );
    if (rows.length > 0) parts.push(element("ul", "list", { "aria-label": "Inputs" }, ...rows));
    this.element.replaceChildren(...parts);
  }

  #go(operation: string | null): void {
    const item = operation === null ? -1 : (this.navigator.graph?.names.indexOf(operation) ?? -1);
    if (item >= 0) void this.navigator.reveal(item);
  }
}

function stopOf({ state, name, step, error, stopped_by: stop }: RunStatus): Stop | null {
  if (error !== null) {
    const { message, operation, line, inputs } = error;
    return { title: `${name} failed at step ${step}: ${message}`, operation, line, inputs };
  }
  if (stop === null || state !== "paused") return null;
  return {
    title: `${name} paused at step ${stop.step}: ${stop.watch}`,
    operation: stop.operation,
    line: stop.line,
    inputs: stop.inputs,
  };
}
