import type { Subscription } from "../protocol/client.js";
import { element, setText } from "../runs/dom.js";
import { icon, type IconName } from "../runs/icons.js";

/** Milliseconds after the last press in which more may come: three presses are one wish. */
const PATIENCE = 400;
const MOST = 1024;

/** Says how many workers there are, and wishes for more or fewer of them. */
export class Scale implements Subscription {
  readonly element: HTMLElement;
  readonly #fewer: HTMLButtonElement;
  readonly #more: HTMLButtonElement;
  readonly #count = element("output", {
    class: "pool-count",
    attributes: { "aria-label": "Workers", "aria-live": "polite" },
  });
  #workers = 0;
  #wanted: number | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly wish: (workers: number) => void) {
    this.#fewer = small("minus", "One worker fewer", () => this.#press(-1));
    this.#more = small("plus", "One worker more", () => this.#press(1));
    this.element = element(
      "span",
      { class: "pool-scale", attributes: { role: "group", "aria-label": "Workers" } },
      this.#fewer,
      this.#count,
      this.#more,
    );
  }

  update(workers: number, enabled: boolean): void {
    this.#workers = workers;
    const shown = this.#wanted ?? workers;
    setText(this.#count, String(shown));
    this.#fewer.disabled = !enabled || shown <= 0;
    this.#more.disabled = !enabled || shown >= MOST;
  }

  /** Wishes for nothing. */
  reset(): void {
    this.#wanted = null;
    setText(this.#count, String(this.#workers));
    this.#fewer.focus();
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #press(change: number): void {
    this.#wanted = Math.min(Math.max((this.#wanted ?? this.#workers) + change, 0), MOST);
    setText(this.#count, String(this.#wanted));
    this.dispose();
    this.#timer = setTimeout(() => {
      const wanted = this.#wanted ?? this.#workers;
      this.#timer = this.#wanted = null;
      this.wish(wanted);
    }, PATIENCE);
  }
}

function small(picture: IconName, label: string, press: () => void): HTMLButtonElement {
  return element(
    "button",
    {
      class: "run-button run-icon-button",
      title: label,
      attributes: { type: "button", "aria-label": label },
      on: { click: press },
    },
    icon(picture),
  );
}
