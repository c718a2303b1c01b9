import { CHANNELS, type ChannelName } from "../overlay/channels.js";
import { element, iconButton, setShown, setText } from "./dom.js";
import type { Breadcrumbs } from "./breadcrumbs.js";
import type { Export } from "./export.js";
import type { Help } from "./help.js";
import type { Navigator } from "./navigator.js";
import type { Overlay } from "./overlay.js";
import type { Search } from "./search.js";
import type { Tracing } from "./tracing.js";

interface Parts {
  readonly navigator: Navigator;
  readonly overlay: Overlay;
  readonly breadcrumbs: Breadcrumbs;
  readonly search: Search;
  readonly tracing: Tracing;
  readonly exports: Export;
  readonly help: Help;
  readonly zoomBy: (factor: number) => void;
}

/** The row of buttons above the picture. */
export class Toolbar {
  readonly element = element("div", "toolbar", { role: "toolbar", "aria-label": "Graph" });
  readonly #back: HTMLButtonElement;
  readonly #forward: HTMLButtonElement;
  readonly #zoom: HTMLButtonElement;
  readonly #runs = element("select", "select", { "aria-label": "Run", title: "Run" });
  readonly #channels = element("select", "select", {
    "aria-label": "Colours",
    title: "What colours show",
  });
  #runsShown = "";

  constructor(private readonly parts: Parts) {
    const { navigator, overlay, tracing, exports, help, zoomBy } = parts;
    this.#back = iconButton("back", "Back ([)", () => void navigator.back());
    this.#forward = iconButton("forward", "Forward (])", () => void navigator.forward());
    this.#zoom = element("button", "zoom", {
      type: "button",
      title: "Zoom to 100 %",
      "aria-label": "Zoom",
    });
    this.#zoom.addEventListener("click", () => zoomBy(1 / navigator.stage.target.zoom));
    this.#channels.append(
      element("option", null, { value: "" }, "Colours: roles"),
      element("option", null, { value: "device" }, "Device"),
      ...CHANNELS.map(({ name, title }) => element("option", null, { value: name }, title)),
    );
    this.#channels.addEventListener("change", () => {
      const chosen = this.#channels.value;
      void overlay.chooseChannel(chosen === "" ? null : (chosen as ChannelName));
    });
    this.#runs.addEventListener("change", () => void overlay.chooseRun(this.#runs.value));
    this.element.append(
      group(this.#back, this.#forward),
      parts.breadcrumbs.element,
      parts.search.element,
      group(this.#runs, this.#channels),
      group(
        iconButton("upstream", "What the selection needs (u)", () => void tracing.upstream()),
        iconButton("downstream", "What needs the selection (d)", () => void tracing.downstream()),
        iconButton("path", "Path between two nodes (p)", () => void tracing.path()),
      ),
      zooms(
        iconButton("minus", "Zoom out (-)", () => zoomBy(1 / 1.3)),
        this.#zoom,
        iconButton("plus", "Zoom in (+)", () => zoomBy(1.3)),
        iconButton("fit", "Show all (0)", () => navigator.fit()),
      ),
      group(
        download("SVG", () => void exports.saveSvg()),
        download("PNG", () => void exports.savePng()),
        iconButton("help", "Keys (?)", () => help.toggle()),
      ),
    );
    overlay.changed.connect(() => this.#showRuns());
    navigator.selectionChanged.connect(() => this.update());
    this.#showRuns();
    this.update();
  }

  /** Another zoom, or another place to go back to. */
  update(): void {
    const { navigator } = this.parts;
    setText(this.#zoom, `${Math.round(navigator.stage.camera.zoom * 100)} %`);
    this.#back.disabled = !navigator.past.canGoBack;
    this.#forward.disabled = !navigator.past.canGoForward;
  }

  #showRuns(): void {
    const { overlay } = this.parts;
    this.#channels.value = overlay.channel ?? "";
    const runs = overlay.runsOfGraph;
    const laidOver = this.parts.navigator.against !== null;
    const shown = `${laidOver} ${overlay.run} ${runs.map(({ run, name }) => `${run} ${name}`).join(" ")}`;
    if (shown === this.#runsShown) return;
    this.#runsShown = shown;
    this.#runs.replaceChildren(
      ...runs.map(({ run, name }) => element("option", null, { value: run }, name)),
    );
    this.#runs.value = overlay.run ?? "";
    // Two graphs laid over each other are no run's graph: say so where one looks for runs.
    if (laidOver) this.#runs.append(element("option", null, {}, "No run"));
    this.#runs.disabled = laidOver;
    this.#runs.title = laidOver
      ? "Two graphs laid over each other have no run: show one of them to see it live"
      : "Run";
    for (const option of this.#channels.options) {
      option.disabled = laidOver && option.value !== "" && option.value !== "device";
    }
    setShown(this.#runs, laidOver || runs.length > 0);
  }
}

function group(...members: readonly HTMLElement[]): HTMLElement {
  return element("div", "group", {}, ...members);
}

/** In a narrow view only the last of these remains. */
function zooms(...members: readonly HTMLElement[]): HTMLElement {
  return element("div", "group workbench-graph-zooms", {}, ...members);
}

function download(format: string, press: () => void): HTMLButtonElement {
  const title = `Save as ${format}`;
  const made = element("button", "button", { type: "button", title, "aria-label": title });
  made.append(element("span", "format", {}, format));
  made.addEventListener("click", press);
  return made;
}
