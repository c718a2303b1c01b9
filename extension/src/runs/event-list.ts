import type { RunEvent } from "../protocol/messages.js";
import { withDragsJoined } from "./changes.js";
import { element, setHidden } from "./dom.js";
import { count } from "./format.js";

/** Lines that are shown; the rest is in the run's folder. */
const MOST = 100;

/** What happened to a run, newest first. */
export class EventList {
  readonly element: HTMLElement;
  readonly #list = element("ol", { class: "run-events" });
  #shown = "";

  constructor(chosen: (step: number) => void) {
    this.element = element(
      "section",
      { class: "run-card", attributes: { "aria-label": "Events" } },
      element("h3", { text: "Events" }),
      this.#list,
    );
    this.element.hidden = true;
    this.#list.addEventListener("click", (event) => {
      const step = (event.target as HTMLElement).closest("button")?.dataset["step"];
      if (step !== undefined) chosen(Number(step));
    });
  }

  /** `length`: the steps that the run has done. */
  update(events: readonly RunEvent[], length: number): void {
    const last = events.at(-1);
    const shown = `${events.length} ${last?.step} ${last?.text}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    setHidden(this.element, events.length === 0);
    const newest = withDragsJoined(events, length).slice(-MOST).reverse();
    this.#list.replaceChildren(
      ...newest.map(({ step, kind, text }) =>
        element(
          "li",
          { attributes: { "data-kind": kind } },
          element("button", {
            class: "run-event-step",
            text: count(step),
            title: "Choose this step",
            attributes: { type: "button", "data-step": String(step) },
          }),
          element("span", { class: "run-event-text", text: text || kind }),
        ),
      ),
    );
  }
}
