import { element, iconButton, setShown } from "./dom.js";
import type { Key } from "./keys.js";

/** The list of keys. */
export class Help {
  readonly element = element("section", "help", {
    "aria-label": "Keys",
    hidden: true,
    tabindex: -1,
  });
  #before: Element | null = null;

  constructor(
    keys: readonly Key[],
    private readonly home: HTMLElement,
  ) {
    const rows = keys.flatMap(({ face, meaning }) => [
      element("dt", null, {}, element("kbd", null, {}, face)),
      element("dd", null, {}, meaning),
    ]);
    const close = iconButton("close", "Close (Escape)", () => this.hide());
    const mouse = element(
      "p",
      "faint",
      {},
      "Drag or turn the wheel to move, Control and wheel or two fingers to zoom, double click to open.",
    );
    this.element.append(
      element("header", "details-header", {}, element("span", "details-title", {}, "Keys"), close),
      element("dl", "keys", {}, ...rows),
      mouse,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" && event.key !== "?") return;
      event.preventDefault();
      event.stopPropagation();
      this.hide();
    });
  }

  get isShown(): boolean {
    return !this.element.hidden;
  }

  toggle(): void {
    if (this.isShown) return this.hide();
    this.#before = document.activeElement;
    setShown(this.element, true);
    this.element.focus();
  }

  hide(): void {
    setShown(this.element, false);
    const back =
      this.#before instanceof HTMLElement && this.#before.isConnected ? this.#before : this.home;
    back.focus();
  }
}
