import { element, setHidden, setText } from "../runs/dom.js";

/** Asks whether something is really to be done, in place and not over the page. */
export class Question {
  readonly element: HTMLElement;
  readonly #text = element("span");
  readonly #yes = element("button", {
    class: "run-button run-danger",
    attributes: { type: "button" },
    on: { click: () => this.#answer(true) },
  });
  readonly #no = element("button", {
    class: "run-button",
    text: "Keep",
    attributes: { type: "button" },
    on: { click: () => this.#answer(false) },
  });
  #asked: { readonly yes: () => void; readonly no: () => void } | null = null;

  constructor() {
    this.element = element(
      "div",
      { class: "run-message pool-question", attributes: { role: "alertdialog" } },
      this.#text,
      this.#yes,
      this.#no,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#answer(false);
    });
    this.element.hidden = true;
  }

  /** Calls `yes` or `no`; another question takes the place of one that is not answered. */
  ask(text: string, doIt: string, yes: () => void, no: () => void): void {
    this.#asked?.no();
    this.#asked = { yes, no };
    setText(this.#text, text);
    this.element.setAttribute("aria-label", text);
    setText(this.#yes, doIt);
    setHidden(this.element, false);
    // What does no harm is at hand.
    this.#no.focus();
  }

  #answer(isYes: boolean): void {
    const asked = this.#asked;
    this.#asked = null;
    setHidden(this.element, true);
    if (isYes) asked?.yes();
    else asked?.no();
  }
}
