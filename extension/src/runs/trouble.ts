import type { InputSummary, Line, RunStatus } from "../protocol/messages.js";
import { element, setHidden } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";

/** Opens the user's cell at a line. */
export type OpenCell = (cell: string, line: number) => void;

/** Why a run failed or stopped: the operation, the user's line, and what went into it. */
export class Trouble {
  readonly element = element("div", { class: "run-trouble", attributes: { role: "alert" } });
  #shown = "";

  constructor(private readonly openCell: OpenCell | undefined) {
    this.element.hidden = true;
  }

  update({ error, stopped_by: stop, state }: RunStatus): void {
    const shown = JSON.stringify([error, stop, state]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (error) {
      this.#show("failed", error.message, error.operation, error.line, error.inputs);
    } else if (stop && state === "paused") {
      const title = `Stopped at step ${count(stop.step)}: ${stop.watch} (${stop.value})`;
      this.#show("watch", title, stop.operation, stop.line, stop.inputs);
    } else {
      setHidden(this.element, true);
      this.element.replaceChildren();
    }
  }

  #show(
    kind: "failed" | "watch",
    message: string,
    operation: string | null,
    line: Line | null,
    inputs: readonly InputSummary[],
  ): void {
    this.element.dataset["kind"] = kind;
    const body = element("div", { class: "run-trouble-body" });
    const [first = "", ...rest] = message.split("\n");
    body.append(element("p", { class: "run-trouble-title", text: first }));
    if (rest.length > 0) body.append(element("pre", { text: rest.join("\n").trim() }));
    if (operation) {
      body.append(
        element("p", {}, element("span", { text: "in " }), element("code", { text: operation })),
      );
    }
    if (line) body.append(this.#lineOf(line));
    if (inputs.length > 0) body.append(tableOf(inputs));
    this.element.replaceChildren(icon("warning"), body);
    setHidden(this.element, false);
  }

  #lineOf(line: Line): HTMLElement {
    const place = `${line.file}, line ${line.line}`;
    const { cell } = line;
    const where =
      cell !== null && this.openCell
        ? element("button", {
            class: "run-link",
            text: place,
            title: "Open the cell at this line",
            attributes: { type: "button" },
            on: { click: () => this.openCell?.(cell, line.line) },
          })
        : element("span", { class: "run-place", text: place });
    return element(
      "div",
      { class: "run-line" },
      where,
      element("code", { text: line.text.trim() }),
    );
  }
}

function tableOf(inputs: readonly InputSummary[]): HTMLElement {
  return element(
    "table",
    { class: "run-inputs" },
    element("caption", { text: "What went into it" }),
    ...inputs.map(({ tensor, shape, summary }) =>
      element(
        "tr",
        {},
        element("th", { text: tensor, attributes: { scope: "row" } }),
        element("td", { text: shape }),
        element("td", { text: summary }),
      ),
    ),
  );
}
