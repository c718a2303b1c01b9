import { element, setShown, setText, textButton } from "./dom.js";

/** What stands over the picture when it is no longer what the kernel has. */
export class Banner {
  readonly element = element("div", "banner", { role: "alert", hidden: true });
  readonly #text = element("span", null);
  readonly #retry: HTMLButtonElement;

  constructor(retry: () => void) {
    this.#retry = textButton("Try again", retry);
    this.element.append(this.#text, this.#retry);
  }

  get text(): string {
    return this.element.hidden ? "" : (this.#text.textContent ?? "");
  }

  show(text: string, canRetry: boolean): void {
    setText(this.#text, text);
    setShown(this.#retry, canRetry);
    setShown(this.element, true);
  }

  hide(): void {
    setShown(this.element, false);
  }
}
