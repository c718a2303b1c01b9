import type { Subscription } from "../protocol/client.js";
import type { Hyperparameter, RunEvent } from "../protocol/messages.js";
import { element, setHidden } from "./dom.js";
import { HyperparameterControl, type SetHyperparameter } from "./hyperparameter-control.js";

/** A run's hyperparameters, each with what changes it. */
export class Hyperparameters implements Subscription {
  readonly element: HTMLElement;
  readonly #list = element("div", { class: "run-settings" });
  readonly #empty = element("p", {
    class: "run-hint",
    text: 'None. wb.hyperparameter("lr", 0.1, low=1e-4, high=1.0, log=True) makes one.',
  });
  readonly #controls = new Map<string, HyperparameterControl>();
  #shape = "";
  #newsSeen = 0;

  constructor(private readonly set: SetHyperparameter) {
    this.element = element(
      "section",
      { class: "run-card", attributes: { "aria-label": "Hyperparameters" } },
      element("h3", { text: "Hyperparameters" }),
      this.#list,
      this.#empty,
    );
  }

  update(hyperparameters: readonly Hyperparameter[], enabled: boolean): void {
    setHidden(this.#empty, hyperparameters.length > 0);
    // Everything but the value decides what a control looks like.
    const shape = JSON.stringify(hyperparameters.map((one) => ({ ...one, value: null })));
    if (shape !== this.#shape) this.#rebuild(hyperparameters, shape);
    for (const one of hyperparameters) this.#controls.get(one.name)?.update(one, enabled);
  }

  /** `events` in order, and how many of them have come as news: those not seen yet are told. */
  recorded(events: readonly RunEvent[], news: number): void {
    const fresh = news - this.#newsSeen;
    this.#newsSeen = news;
    for (const event of fresh > 0 ? events.slice(-fresh) : []) {
      if (event.kind !== "set") continue;
      for (const name of Object.keys(event.values ?? {})) this.#controls.get(name)?.recorded(event);
    }
  }

  /** What was said about changes is about steps that are no more. */
  forget(): void {
    for (const control of this.#controls.values()) control.forget();
  }

  snapshot(): object[] {
    return [...this.#controls.values()].map((control) => control.snapshot());
  }

  dispose(): void {
    for (const control of this.#controls.values()) control.dispose();
    this.#controls.clear();
  }

  #rebuild(hyperparameters: readonly Hyperparameter[], shape: string): void {
    this.dispose();
    this.#shape = shape;
    for (const one of hyperparameters) {
      this.#controls.set(one.name, new HyperparameterControl(one, this.set));
    }
    this.#list.replaceChildren(...[...this.#controls.values()].map(({ element }) => element));
  }
}
