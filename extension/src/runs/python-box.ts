import type { Subscription } from "../protocol/client.js";
import { element, setText } from "./dom.js";
import { icon } from "./icons.js";

/** Milliseconds that a button says "copied". */
const COPIED = 1500;

/** The line of Python that does what was just done here, to be copied. */
export class PythonBox implements Subscription {
  readonly element: HTMLElement;
  readonly #code = element("code");
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    const copy = copyButton(
      () => this.text,
      (timer) => (this.#timer = timer),
    );
    this.element = element(
      "div",
      { class: "run-python", title: "The line of Python that does the same" },
      element("span", {
        class: "run-python-prompt",
        text: ">>>",
        attributes: { "aria-hidden": "true" },
      }),
      this.#code,
      copy,
    );
    this.element.hidden = true;
  }

  get text(): string {
    return this.#code.textContent ?? "";
  }

  show(line: string): void {
    setText(this.#code, line);
    this.element.hidden = false;
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

/** A button that copies a text, and says so for a moment. */
export function copyButton(
  text: () => string,
  started: (timer: ReturnType<typeof setTimeout>) => void,
): HTMLButtonElement {
  const press = async () => {
    const done = await copy(text());
    copied.replaceChildren(icon(done ? "check" : "close"));
    copied.title = done ? "Copied" : "The page may not copy; select the text instead";
    started(
      setTimeout(() => {
        copied.replaceChildren(icon("copy"));
        copied.title = "Copy";
      }, COPIED),
    );
  };
  const copied = element(
    "button",
    {
      class: "run-button run-quiet run-icon-button",
      title: "Copy",
      attributes: { type: "button", "aria-label": "Copy" },
      on: { click: () => void press() },
    },
    icon("copy"),
  );
  return copied;
}

/** The clipboard is there in secure contexts only: a notebook server on plain HTTP is none. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
