import type { Commands, Hyperparameter, HyperparameterValue } from "../protocol/messages.js";
import { textOf } from "./comparison.js";
import { element, setText, uniqueId } from "./dom.js";
import { count, exact } from "./format.js";
import { readNumber } from "./scale.js";

/** What the form was filled in for. */
export interface StepFormActions {
  rewind(step: number): void;
  fork(fork: Commands["fork"]): void;
  closed(): void;
}

/**
 * The line under the charts in which a step is chosen, to go back to it or to fork from it with other
 * hyperparameters. It opens in place, and Escape closes it.
 */
export class StepForm {
  readonly element: HTMLFormElement;
  readonly #step: HTMLInputElement;
  readonly #facts = element("span", { class: "run-form-facts" });
  readonly #problem = element("span", { class: "run-wrong", attributes: { role: "alert" } });
  readonly #settings = element("div", { class: "run-form-settings" });
  readonly #name: HTMLInputElement;
  readonly #readers: (() => [string, HyperparameterValue] | null)[] = [];
  #hyperparameters: readonly Hyperparameter[] = [];

  #opener: HTMLElement | null = null;

  constructor(private readonly actions: StepFormActions) {
    const id = uniqueId("step");
    this.#step = element("input", {
      class: "run-field run-count",
      attributes: { type: "number", min: "0", id },
      on: { input: () => this.stepChanged?.(this.step) },
    });
    this.#name = textField("name, if you like");
    this.element = element(
      "form",
      {
        class: "run-form",
        attributes: { "aria-label": "Go back or fork" },
        on: {
          submit: (event) => {
            event.preventDefault();
            this.#submit(event.submitter?.getAttribute("value") ?? "rewind");
          },
          keydown: (event) => {
            event.stopPropagation();
            if (event.key === "Escape") this.close();
          },
        },
      },
      element(
        "div",
        { class: "run-form-line" },
        element("label", { text: "Step", attributes: { for: id } }),
        this.#step,
        submitButton("rewind", "Rewind here"),
        submitButton("fork", "Fork from here"),
        this.#facts,
        this.#problem,
        element("span", { class: "run-gap" }),
        element("button", {
          class: "run-button run-quiet",
          text: "Cancel",
          attributes: { type: "button" },
          on: { click: () => this.close() },
        }),
      ),
      element("div", { class: "run-form-line run-form-fork" }, this.#settings, this.#name),
    );
    this.element.hidden = true;
  }

  /** Called while the step is typed. */
  stepChanged: ((step: number) => void) | null = null;

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  get step(): number {
    return Math.round(Number(this.#step.value));
  }

  open(step: number, last: number, hyperparameters: readonly Hyperparameter[]): void {
    this.#step.max = String(last);
    this.#step.value = String(Math.min(Math.max(step, 0), last));
    setText(this.#problem, "");
    // A form that is open keeps what was typed into it.
    if (!this.isOpen) this.#fill(hyperparameters);
    this.element.hidden = false;
  }

  /** Where the form opens by a button, the keyboard goes with it, and back when it closes. */
  focus(): void {
    const { activeElement } = document;
    if (activeElement instanceof HTMLElement && !this.element.contains(activeElement))
      this.#opener = activeElement;
    this.#step.focus();
    this.#step.select();
  }

  /** What was recorded at the step, in a few words. */
  tell(facts: string): void {
    setText(this.#facts, facts);
  }

  close(): void {
    if (!this.isOpen) return;
    const hadKeyboard = this.element.contains(document.activeElement);
    this.element.hidden = true;
    if (hadKeyboard) this.#opener?.focus();
    this.#opener = null;
    this.actions.closed();
  }

  #submit(what: string): void {
    setText(this.#problem, "");
    const last = Number(this.#step.max);
    if (this.#step.value === "" || !(this.step >= 0) || this.step > last) {
      setText(this.#problem, `The run has steps from 0 to ${count(last)}.`);
      return;
    }
    if (what === "rewind") {
      this.actions.rewind(this.step);
    } else {
      const values: Record<string, HyperparameterValue> = {};
      for (const read of this.#readers) {
        const changed = read();
        if (changed) values[changed[0]] = changed[1];
      }
      if (this.#problem.textContent !== "") return;
      this.actions.fork({ step: this.step, values, name: this.#name.value.trim() || null });
    }
    this.close();
  }

  #fill(hyperparameters: readonly Hyperparameter[]): void {
    this.#hyperparameters = hyperparameters;
    this.#readers.length = 0;
    this.#name.value = "";
    this.#settings.replaceChildren(...this.#hyperparameters.map((one) => this.#setting(one)));
  }

  /** A field for one hyperparameter; its reader gives what was changed. */
  #setting(one: Hyperparameter): HTMLElement {
    const label = (field: HTMLElement) => element("label", {}, one.name, field);
    if (one.type === "bool" || one.type === "choice") {
      const choices = one.type === "bool" ? [true, false] : (one.choices ?? [one.value]);
      const options = choices.map((choice) => element("option", { text: textOf(choice) }));
      const select = element("select", { class: "run-field" }, ...options);
      select.selectedIndex = choices.indexOf(one.value);
      this.#readers.push(() => {
        const chosen = choices[select.selectedIndex];
        return chosen === one.value ? null : [one.name, chosen];
      });
      return label(select);
    }
    const before = typeof one.value === "number" ? exact(one.value) : String(one.value);
    const field = textField("");
    field.value = before;
    this.#readers.push(() => {
      if (field.value === before) return null;
      const read = readNumber(field.value, one);
      if ("value" in read) return [one.name, read.value];
      setText(this.#problem, read.problem);
      return null;
    });
    return label(field);
  }
}

function textField(placeholder: string): HTMLInputElement {
  const attributes = { type: "text", spellcheck: "false", autocomplete: "off", placeholder };
  const field = element("input", { class: "run-field", attributes });
  if (placeholder) field.setAttribute("aria-label", placeholder);
  return field;
}

function submitButton(value: string, text: string): HTMLButtonElement {
  return element("button", { class: "run-button", text, attributes: { type: "submit", value } });
}
