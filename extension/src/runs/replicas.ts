import type { Replica, Terms } from "../protocol/messages.js";
import { element, setHidden, setText } from "./dom.js";
import { count, duration, percent, rate } from "./format.js";

/** The workers that train a run together: how fast each is, and how long it waits for the others. */
export class Replicas {
  readonly element: HTMLElement;
  readonly #title = element("h3", { text: "Replicas" });
  readonly #list = element("ul", { class: "run-replica-list" });
  readonly #rows: Row[] = [];

  constructor() {
    this.element = element(
      "section",
      { class: "run-replicas", attributes: { "aria-label": "Replicas" } },
      this.#title,
      this.#list,
    );
    this.element.hidden = true;
  }

  /** A run of one process has none, and nothing is shown. */
  update(replicas: readonly Replica[], terms: Terms | null): void {
    setHidden(this.element, replicas.length === 0);
    setText(this.#title, titleText(replicas.length, terms));
    while (this.#rows.length > replicas.length) this.#rows.pop()?.element.remove();
    for (const [at, replica] of replicas.entries()) {
      let row = this.#rows[at];
      if (!row) {
        row = this.#rows[at] = new Row();
        this.#list.append(row.element);
      }
      row.update(replica);
    }
  }

  /** What is shown, for tests. */
  get texts(): string[] {
    return this.#rows.map(({ element: { innerText } }) => innerText);
  }
}

class Row {
  readonly element = element("li", { class: "run-replica" });
  readonly #name = element("span", { class: "run-replica-name" });
  readonly #word = element("span");
  readonly #state = element("span", { class: "run-state" }, this.#word);
  readonly #step = element("span", { class: "run-replica-number" });
  readonly #pace = element("span", { class: "run-replica-number" });
  readonly #waiting = element("span", { class: "run-replica-number" });
  readonly #waits = element("span");

  constructor() {
    const share = element(
      "span",
      { class: "run-replica-share", attributes: { "aria-hidden": "true" } },
      this.#waits,
    );
    this.element.append(
      this.#name,
      this.#state,
      this.#step,
      this.#pace,
      element("span", { class: "run-replica-waiting" }, this.#waiting, share),
    );
  }

  update(replica: Replica): void {
    setText(this.#name, replica.leads ? `${replica.worker}, leads` : replica.worker);
    if (replica.pid !== undefined) this.element.title = `process ${replica.pid}`;
    this.#state.dataset["state"] = STATES[replica.state];
    setText(this.#word, stateText(replica));
    setText(this.#step, replica.step === undefined ? "" : `step ${count(replica.step)}`);
    // Of one that rests the pace is that of its last steps, and nobody tells of it any more.
    setText(this.#pace, replica.rate && replica.state !== "rests" ? rate(replica.rate) : "");
    setText(this.#waiting, waitingText(replica));
    const { waiting = 0 } = replica;
    this.#waits.style.width = `${Math.min(Math.max(waiting, 0), 1) * 100}%`;
    setHidden(this.#waits.parentElement!, replica.waiting === undefined);
  }
}

/** "Replicas 2 of 4, sync, bfloat16": how many there are, and how they train together. */
export function titleText(there: number, terms: Terms | null): string {
  const missing = terms && there < terms.replicas ? ` of ${terms.replicas}` : "";
  const how = terms
    ? [terms.strategy, terms.encoding].filter(Boolean).map((word) => `, ${word}`)
    : [];
  return `Replicas ${there}${missing}${how.join("")}`;
}

/** The states of replicas, in those of runs: they have the same colours. */
const STATES: Readonly<Record<Replica["state"], string>> = {
  joining: "created",
  computes: "running",
  waits: "paused",
  rests: "created",
};

/** "waits 3.2 s" of one that is long in a state. */
export function stateText({ state, seconds = 0 }: Replica): string {
  return seconds > 0 ? `${state} ${duration(seconds)}` : state;
}

/** "8 % waiting"; nothing where it is not known. */
export function waitingText({ waiting }: Replica): string {
  return waiting === undefined ? "" : `${percent(waiting)} waiting`;
}
