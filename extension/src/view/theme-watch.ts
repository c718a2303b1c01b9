import { makeTheme, type Theme } from "../scene/palette.js";

const FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

/** Reads the page's colours, and says when they may have changed. */
export class ThemeWatch {
  readonly #observer: MutationObserver;
  readonly #preference = matchMedia("(prefers-color-scheme: dark)");
  readonly #probe: CanvasRenderingContext2D;
  readonly #changed: () => void;

  constructor(
    private readonly host: HTMLElement,
    private readonly forced: "light" | "dark" | null,
    changed: () => void,
  ) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    this.#probe = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
    // JupyterLab loads the colours of a theme after it has said its name.
    this.#changed = () => requestAnimationFrame(changed);
    this.#observer = new MutationObserver(this.#changed);
    const attributeFilter = [
      "data-jp-theme-name",
      "data-jp-theme-light",
      "class",
      "style",
      "data-theme",
    ];
    this.#observer.observe(document.body, { attributes: true, attributeFilter });
    this.#observer.observe(document.documentElement, { attributes: true, attributeFilter });
    this.#preference.addEventListener("change", this.#changed);
    // A panel may not be part of the page yet, and then it has no colours.
    if (!host.isConnected) this.#changed();
  }

  /** The theme of this moment. */
  read(): Theme {
    const style = getComputedStyle(this.host);
    const font = style.getPropertyValue("--jp-ui-font-family").trim() || FONT;
    const forced = this.forced !== null;
    const readColour = (variable: string): string | null =>
      forced ? null : this.#plain(style.getPropertyValue(variable).trim());
    return makeTheme(readColour, font, forced ? this.forced === "dark" : this.#preference.matches);
  }

  dispose(): void {
    this.#observer.disconnect();
    this.#preference.removeEventListener("change", this.#changed);
  }

  /** Any colour that CSS knows as `rgb(...)`; null for what is none. */
  #plain(colour: string): string | null {
    if (colour === "") return null;
    const context = this.#probe;
    context.fillStyle = "#010203";
    context.fillStyle = colour;
    if (context.fillStyle === "#010203") return null;
    context.clearRect(0, 0, 1, 1);
    context.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
    return `rgba(${red}, ${green}, ${blue}, ${(alpha ?? 255) / 255})`;
  }
}
