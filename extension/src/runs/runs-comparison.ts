import type { Client, Subscription } from "../protocol/client.js";
import type { RunStatus } from "../protocol/messages.js";
import { Charts } from "./charts.js";
import { compare } from "./comparison.js";
import { element, setHidden } from "./dom.js";
import { acquireFeed, type AcquiredFeed } from "./run-feed.js";

/** A run that is compared, in its colour. */
export interface Compared {
  readonly status: RunStatus;
  readonly color: string;
}

/** The curves of several runs over each other, and the table of what differs. */
export class RunsComparison implements Subscription {
  readonly element: HTMLElement;
  readonly #charts = new Charts();
  readonly #table = element("table", { class: "runs-differences" });
  readonly #all: HTMLInputElement;
  readonly #feeds = new Map<string, AcquiredFeed>();
  #compared: readonly Compared[] = [];
  #client: Client | null = null;
  #tableDrawn = "";

  /** `changed` is called when a run has grown: call `update` in the next frame. */
  constructor(private readonly changed: () => void) {
    this.#all = element("input", {
      attributes: { type: "checkbox" },
      on: { change: () => this.#drawTable() },
    });
    const label = element(
      "label",
      { class: "run-check run-hint" },
      this.#all,
      "Also what is the same",
    );
    this.element = element(
      "section",
      { class: "runs-comparison", attributes: { "aria-label": "Comparison" } },
      this.#charts.element,
      element(
        "div",
        { class: "runs-differences-head" },
        element("h3", { text: "Differences" }),
        label,
      ),
      element("div", { class: "runs-scroll" }, this.#table),
    );
    this.element.hidden = true;
  }

  connect(client: Client | null, kernel: string): void {
    if (client !== this.#client) this.#release();
    this.#client = client;
    this.#charts.connect(client, kernel);
  }

  update(compared: readonly Compared[]): void {
    this.#compared = compared;
    setHidden(this.element, compared.length < 2);
    const wanted = new Set(compared.length < 2 ? [] : compared.map(({ status }) => status.run));
    for (const [run, feed] of this.#feeds) {
      if (wanted.has(run)) continue;
      feed.dispose();
      this.#feeds.delete(run);
    }
    if (this.element.hidden) return;
    for (const run of wanted) {
      if (!this.#client || this.#client.closed || this.#feeds.has(run)) continue;
      this.#feeds.set(run, acquireFeed(this.#client, run, this.changed));
    }
    this.#charts.show(
      compared.flatMap(({ status: { run, name, parent }, color }) => {
        const feed = this.#feeds.get(run)?.feed;
        return feed
          ? [{ run, label: name, color, parent, curves: feed.curves, events: feed.events }]
          : [];
      }),
    );
    this.#drawTable();
  }

  repaint(): void {
    this.#charts.repaint();
  }

  snapshot(): object | null {
    if (this.element.hidden) return null;
    return {
      charts: this.#charts.snapshot(),
      table: [...this.#table.rows].map((row) =>
        [...row.cells].map(({ textContent }) => textContent),
      ),
    };
  }

  dispose(): void {
    this.#release();
    this.#charts.dispose();
  }

  #release(): void {
    for (const feed of this.#feeds.values()) feed.dispose();
    this.#feeds.clear();
  }

  #drawTable(): void {
    const rows = compare(this.#compared.map(({ status }) => status)).filter(
      ({ differs }) => differs || this.#all.checked,
    );
    const heads = this.#compared.map(({ status: { name }, color }) => ({ name, color }));
    const drawn = JSON.stringify([heads, rows]);
    if (drawn === this.#tableDrawn) return;
    this.#tableDrawn = drawn;
    const head = element("tr", {}, element("td"));
    for (const { name, color } of heads) {
      const line = element("span", { class: "run-legend-line" });
      line.style.background = color;
      head.append(element("th", { attributes: { scope: "col" } }, line, name));
    }
    this.#table.replaceChildren(
      element("thead", {}, head),
      element(
        "tbody",
        {},
        ...rows.map(({ name, group, texts, differs, least, greatest }) =>
          element(
            "tr",
            { attributes: { "data-group": group, "data-differs": String(differs) } },
            element("th", { text: name, attributes: { scope: "row" } }),
            ...texts.map((text, index) => {
              const cell = element("td", { text: text === "" ? "–" : text });
              // Whether less or more is better is not known here: both ends are told.
              if (differs && index === least) cell.append(element("small", { text: "least" }));
              if (differs && index === greatest) cell.append(element("small", { text: "most" }));
              return cell;
            }),
          ),
        ),
      ),
    );
  }
}
