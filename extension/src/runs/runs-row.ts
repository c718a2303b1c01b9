import { toNumber } from "../protocol/decode.js";
import type { RunStatus } from "../protocol/messages.js";
import { textOf } from "./comparison.js";
import { element, setText } from "./dom.js";
import { count, value as shortValue } from "./format.js";
import { icon } from "./icons.js";
import { stateBadge } from "./run-header.js";
import { Sparkline } from "./sparkline.js";

/** The columns that depend on the runs: names of tracked values and of hyperparameters. */
export interface ListColumns {
  readonly values: readonly string[];
  readonly hyperparameters: readonly string[];
}

export interface RowActions {
  select(run: string, selected: boolean): void;
  open(run: string): void;
  remove(run: string): void;
}

/** One run in the list. */
export class RunsRow {
  readonly element = element("tr", { class: "runs-row" });
  readonly #select: HTMLInputElement;
  readonly #name: HTMLButtonElement;
  readonly #origin = element("span", { class: "run-hint" });
  readonly #state = stateBadge();
  readonly #step = element("td", { class: "runs-number" });
  readonly #spark = new Sparkline(96, 24);
  readonly #texts = new Map<string, HTMLElement>();
  readonly #remove: HTMLButtonElement;
  readonly #confirm: HTMLElement;
  readonly #keep: HTMLButtonElement;
  readonly #question = element("span");
  #sparkDrawn = "";

  constructor(run: string, columns: ListColumns, actions: RowActions) {
    this.#select = element("input", {
      class: "run-select",
      attributes: { type: "checkbox" },
      on: { change: () => actions.select(run, this.#select.checked) },
    });
    this.#name = element("button", {
      class: "runs-name",
      attributes: { type: "button" },
      on: { click: () => actions.open(run) },
    });
    this.#remove = element(
      "button",
      {
        class: "run-button run-quiet run-icon-button runs-remove",
        title: "Delete this run",
        attributes: { type: "button" },
        on: { click: () => this.#ask(true) },
      },
      icon("trash"),
    );
    this.#keep = element("button", {
      class: "run-button",
      text: "Keep",
      attributes: { type: "button" },
      on: { click: () => this.#ask(false) },
    });
    this.#confirm = element(
      "span",
      { class: "runs-confirm", attributes: { role: "group" } },
      this.#question,
      element("button", {
        class: "run-button run-danger",
        text: "Delete",
        attributes: { type: "button" },
        on: { click: () => actions.remove(run) },
      }),
      this.#keep,
    );
    this.#confirm.hidden = true;
    this.#confirm.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#ask(false);
    });
    const cells = (names: readonly string[], prefix: string) =>
      names.map((name) => {
        const cell = element("td", { class: "runs-number" });
        this.#texts.set(prefix + name, cell);
        return cell;
      });
    this.element.append(
      element("td", { class: "runs-check" }, this.#select),
      element("th", { attributes: { scope: "row" } }, this.#name, this.#origin),
      element("td", {}, this.#state.element),
      this.#step,
      element("td", { class: "runs-spark" }, this.#spark.canvas),
      ...cells(columns.values, "value "),
      ...cells(columns.hyperparameters, "hyperparameter "),
      element("td", { class: "runs-actions" }, this.#remove, this.#confirm),
    );
  }

  update(status: RunStatus, parent: string | null): void {
    const { name, state, step, steps } = status;
    setText(this.#name, name);
    this.#select.setAttribute("aria-label", `Compare ${name}`);
    this.#remove.setAttribute("aria-label", `Delete ${name}`);
    setText(this.#question, `Delete ${name} and its folder?`);
    setText(
      this.#origin,
      status.parent ? `from ${parent ?? status.parent.run}, step ${count(status.parent.step)}` : "",
    );
    this.#state.update(state);
    setText(this.#step, steps === null ? count(step) : `${count(step)} / ${count(steps)}`);
    for (const [key, cell] of this.#texts) setText(cell, textAt(key, status));
    // What still runs has to be stopped first, and the kernel would refuse.
    this.#remove.disabled = status.live && (state === "running" || state === "paused");
  }

  drawSpark(
    { steps, values }: { readonly steps: readonly number[]; readonly values: readonly number[] },
    color: string,
  ): void {
    const drawn = `${steps.length} ${steps.at(-1)} ${color} ${devicePixelRatio}`;
    if (drawn === this.#sparkDrawn) return;
    this.#sparkDrawn = drawn;
    this.#spark.draw(steps, values, color);
  }

  /** Show that the run is among those that are compared, and in which colour. */
  mark(color: string | null): void {
    this.#select.checked = color !== null;
    this.element.classList.toggle("runs-selected", color !== null);
    this.element.style.setProperty("--runs-color", color ?? "transparent");
  }

  #ask(asking: boolean): void {
    this.#confirm.hidden = !asking;
    this.#remove.hidden = asking;
    (asking ? this.#keep : this.#remove).focus();
  }
}

function textAt(key: string, { values, hyperparameters }: RunStatus): string {
  const [kind = "", name = ""] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
  if (kind === "value") return name in values ? shortValue(toNumber(values[name])) : "";
  const found = hyperparameters.find((one) => one.name === name);
  return found ? textOf(found.value) : "";
}
