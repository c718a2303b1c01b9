import { toNumber } from "../protocol/decode.js";
import type { RunState, RunStatus } from "../protocol/messages.js";
import { element, setHidden, setText } from "./dom.js";
import { count, duration, percent, rate, value } from "./format.js";

/** A run's state as far as it is known: nothing is, of one that went on when its kernel was lost. */
export type ShownState = RunState | "unknown";

/** The first lines of a run: what it is called, how it is, how far it has come, how fast. */
export class RunHeader {
  readonly element: HTMLElement;
  readonly #name = element("h2", { class: "run-name" });
  readonly #origin = element("span", { class: "run-origin" });
  readonly #state = stateBadge();
  readonly #facts = element("div", { class: "run-facts" });
  readonly #bar = element("div", { class: "run-bar" });
  readonly #progress: HTMLElement;
  readonly #values = element("div", { class: "run-values" });
  readonly #texts = new Map<string, HTMLElement>();

  constructor() {
    this.#progress = element(
      "div",
      { class: "run-progress", attributes: { role: "progressbar", "aria-label": "Progress" } },
      this.#bar,
    );
    this.element = element(
      "header",
      { class: "run-header" },
      element("div", { class: "run-title" }, this.#state.element, this.#name, this.#origin),
      this.#facts,
      this.#progress,
      this.#values,
    );
  }

  /** The word that is shown for the run's state. */
  get state(): string {
    return this.#state.element.dataset["state"] ?? "";
  }

  /** `parent` is the name of the run that this one was forked from. */
  update(status: RunStatus, parent: string | null, state: ShownState): void {
    setText(this.#name, status.name);
    const origin = status.parent
      ? `forked from ${parent ?? status.parent.run} at step ${count(status.parent.step)}`
      : "";
    setText(this.#origin, origin);
    this.#state.update(state);
    this.#updateProgress(status, state);
    const running = state === "running";
    const total = status.steps === null ? "" : ` / ${count(status.steps)}`;
    this.#fact("step", `${count(status.step)}${total}`);
    this.#fact("speed", running && status.rate !== null ? rate(status.rate) : "");
    this.#fact("left", running && status.eta !== null ? duration(status.eta) : "");
    this.#fact("time", duration(status.seconds));
    this.#fact("observer", status.live ? percent(status.observer_cost) : "");
    for (const [name, recorded] of Object.entries(status.values)) this.#value(name, recorded);
    setHidden(this.#values, Object.keys(status.values).length === 0);
  }

  #updateProgress({ step, steps }: RunStatus, state: ShownState): void {
    const share = steps ? Math.min(step / steps, 1) : 0;
    this.#bar.style.width = `${(share * 100).toFixed(2)}%`;
    this.#progress.dataset["state"] = state;
    setHidden(this.#progress, steps === null);
    if (steps === null) return;
    this.#progress.setAttribute("aria-valuenow", String(step));
    this.#progress.setAttribute("aria-valuemax", String(steps));
    this.#progress.setAttribute("aria-valuetext", `step ${count(step)} of ${count(steps)}`);
  }

  #fact(name: string, text: string): void {
    const term = this.#entry(this.#facts, `fact ${name}`, name);
    setText(term, text);
    setHidden(term.parentElement!, text === "");
  }

  #value(name: string, recorded: RunStatus["values"][string]): void {
    const number = toNumber(recorded);
    const term = this.#entry(this.#values, `value ${name}`, name);
    setText(term, value(number));
    term.classList.toggle("run-wrong", !Number.isFinite(number));
  }

  #entry(list: HTMLElement, key: string, name: string): HTMLElement {
    let text = this.#texts.get(key);
    if (!text) {
      // Numbers that change ten times a second are read when they are asked for.
      text = element("output", { attributes: { "aria-live": "off", "aria-label": name } });
      this.#texts.set(key, text);
      list.append(element("div", {}, element("span", { class: "run-term", text: name }), text));
    }
    return text;
  }
}

/** A dot and a word; the word is told to those who do not see the dot. */
export function stateBadge(): { element: HTMLElement; update(state: ShownState): void } {
  const word = element("span", { attributes: { role: "status" } });
  const badge = element("span", { class: "run-state" }, word);
  return {
    element: badge,
    update: (state) => {
      badge.dataset["state"] = state;
      setText(word, state);
    },
  };
}
