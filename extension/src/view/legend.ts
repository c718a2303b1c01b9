import { MIXED } from "../overlay/aggregate.js";
import { channelNamed } from "../overlay/channels.js";
import { deviceColour } from "../overlay/colouring.js";
import { formatValue } from "../overlay/format.js";
import { STATUS_GLYPHS } from "../scene/palette.js";
import { addOutline } from "../scene/outline.js";
import type { Theme } from "../scene/palette.js";
import { Role, Status } from "../scene/types.js";
import { element, mark, setShown } from "./dom.js";
import type { Navigator } from "./navigator.js";
import type { Overlay } from "./overlay.js";

const ROLES: readonly (readonly [number, string])[] = [
  [Role.forward, "forward"],
  [Role.backward, "backward"],
  [Role.update, "update"],
  [Role.auxiliary, "auxiliary"],
];
const STATUSES: readonly (readonly [number, string])[] = [
  [Status.added, "added"],
  [Status.removed, "removed"],
  [Status.changed, "changed"],
];
const MOST_DEVICES = 8;

/** What colours and forms mean: roles, what a diff says, and the scale of the overlay. */
export class Legend {
  readonly element = element("div", "legend");
  readonly #static = element("div", "legend-rows");
  readonly #scale = element("div", "legend-scale");
  /** What the scale shows, in words. */
  scaleText = "";
  #shown = "";

  constructor(
    private readonly navigator: Navigator,
    private readonly overlay: Overlay,
    private readonly ratio: () => number,
  ) {
    this.element.append(this.#scale, this.#static);
    overlay.changed.connect(() => this.#showScale());
  }

  /** Show what this graph has of roles and differences, in a theme's colours. */
  refresh(theme: Theme): void {
    const { graph } = this.navigator;
    setShown(this.element, graph !== null);
    if (graph === null) return;
    const roles = new Set(graph.role);
    const statuses = new Set(graph.status ?? []);
    const rows = [
      ...ROLES.filter(([role]) => roles.has(role)).map(([role, name]) =>
        element("span", "legend-entry", {}, this.#swatch(role, theme), name),
      ),
      ...STATUSES.filter(([status]) => statuses.has(status)).map(([status, name]) => {
        const glyph = element("b", null, {}, STATUS_GLYPHS[status]);
        glyph.style.color = theme.statuses[status];
        return element("span", "legend-entry", {}, glyph, name);
      }),
    ];
    this.#static.replaceChildren(...rows);
    this.#shown = "";
    this.#showScale();
  }

  /** A box of a role as the picture has it. */
  #swatch(role: number, theme: Theme): HTMLCanvasElement {
    const ratio = this.ratio();
    const [width, height] = [22, 14];
    const canvas = element("canvas", null, {
      width: width * ratio,
      height: height * ratio,
      style: `width:${width}px;height:${height}px`,
    });
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.scale(ratio, ratio);
    context.beginPath();
    addOutline(context, role, false, 1, 1, width - 2, height - 2, 0.7);
    context.fillStyle = theme.roles[role].fill;
    context.strokeStyle = theme.roles[role].line;
    context.fill();
    context.stroke();
    return canvas;
  }

  #showScale(): void {
    const { overlay } = this;
    const { coloured } = overlay;
    const channel = overlay.channel === null ? null : channelNamed(overlay.channel);
    setShown(this.#scale, coloured !== null || overlay.channel !== null);
    if (overlay.channel === null) {
      this.scaleText = this.#shown = "";
      return;
    }
    if (overlay.channel === "device") return this.#showDevices();
    if (channel === null) return;
    const range = coloured?.range ?? null;
    const low =
      range === null ? "" : formatValue(channel.scale === "alarm" ? 0 : range.low, channel.unit);
    const high = range === null ? "" : formatValue(range.high, channel.unit);
    const state = this.#state();
    const text = `${channel.title}: ${range === null ? state : `${low} to ${high}${state}`}`;
    this.scaleText = text;
    const key = `${text} ${this.navigator.dark}`;
    if (key === this.#shown) return;
    this.#shown = key;
    const bar = element("div", "legend-bar");
    bar.style.background = `linear-gradient(to right, ${(coloured?.colours.palette ?? ["transparent", "transparent"]).join(", ")})`;
    this.#scale.replaceChildren(
      element("div", "legend-title", {}, channel.title, element("span", "legend-state", {}, state)),
      bar,
      element(
        "div",
        "legend-ends",
        {},
        element("span", null, {}, low),
        element("span", null, {}, high),
      ),
      element("div", "legend-note", {}, channel.explanation),
    );
    mark(this.#scale, "stale", overlay.isStale);
  }

  #state(): string {
    const { overlay } = this;
    if (overlay.isStale) return " (no news for 2 s)";
    if (overlay.run === null) return " (no run of this graph is live)";
    return overlay.coloured === null ? " (waiting for the run)" : "";
  }

  #showDevices(): void {
    const { graph } = this.navigator;
    const { coloured } = this.overlay;
    if (graph === null || coloured === null) return;
    const present = [...new Set(graph.device)].filter((device) => device !== 0);
    const several = coloured.values.includes(MIXED) ? [MIXED] : [];
    const rows = [...present.slice(0, MOST_DEVICES), ...several].map((device) => {
      const swatch = element("span", "legend-swatch");
      swatch.style.background = coloured.colours.palette[deviceColour(device)];
      const name = device === MIXED ? "several" : graph.devices[device];
      return element("span", "legend-entry", {}, swatch, name);
    });
    const more = present.length - MOST_DEVICES;
    if (more > 0) rows.push(element("span", "legend-note", {}, `and ${more} more`));
    if (rows.length === 0)
      rows.push(element("span", "legend-note", {}, "No operation has a device."));
    this.scaleText = `Device: ${present.map((device) => graph.devices[device]).join(", ")}`;
    const key = `${this.scaleText} ${several.length} ${this.navigator.dark}`;
    if (key === this.#shown) return;
    this.#shown = key;
    this.#scale.replaceChildren(element("div", "legend-title", {}, "Device"), ...rows);
    mark(this.#scale, "stale", false);
  }
}
