import { messageOf } from "../protocol/errors.js";
import { element, mark, setShown, setText } from "./dom.js";

/** How long a message stays; what is wrong stays until something else is said. */
const MESSAGE_MILLISECONDS = 8000;

/** The line at the bottom: what has just happened, for all, and figures that change all the time. */
export class Status {
  readonly element = element("div", "status");
  /** Read out by screen readers when it changes, hence apart from the figures. */
  readonly #message = element("span", "message", { role: "status", "aria-live": "polite" });
  readonly #figures = element("span", "figures");
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    this.element.append(this.#message, this.#figures);
  }

  get message(): string {
    return this.#message.textContent ?? "";
  }

  get figures(): string {
    return this.#figures.textContent ?? "";
  }

  say(text: string): void {
    this.#show(text, false);
    this.#timer = setTimeout(() => this.#show("", false), MESSAGE_MILLISECONDS);
  }

  /** Say what went wrong, in words; nothing is thrown. */
  fail(error: unknown): void {
    this.#show(messageOf(error), true);
  }

  /** What was wrong is not wrong any more. */
  clear(): void {
    this.#show("", false);
  }

  /** Operations, run, frames a second, and so on. */
  show(figures: readonly string[]): void {
    const text = figures.filter((figure) => figure !== "").join("  ·  ");
    setText(this.#figures, text);
    setShown(this.#figures, text !== "");
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #show(text: string, wrong: boolean): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    setText(this.#message, text);
    mark(this.#message, "wrong", wrong);
  }
}
