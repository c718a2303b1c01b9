import { Status as Change } from "../scene/types.js";
import { STATUS_GLYPHS } from "../paint/labels.js";
import { element, iconButton, link, mark, setShown } from "./dom.js";
import type { Navigator } from "./navigator.js";
import type { Status } from "./status.js";

const MOST_ROWS = 300;
const WORDS = ["same", "added", "removed", "changed"];

/** In a diff, what differs: a list to step through. */
export class Differences {
  readonly element = element("section", "differences", {
    "aria-label": "Differences",
    hidden: true,
  });
  /** Operations that differ, in the order of the graph. */
  operations: readonly number[] = [];
  #at = -1;
  readonly #title = element("span", "differences-title");
  readonly #list = element("ul", "list");

  constructor(
    private readonly navigator: Navigator,
    private readonly status: Status,
  ) {
    const previous = iconButton("back", "Previous difference (N)", () => this.step(-1));
    const next = iconButton("forward", "Next difference (n)", () => this.step(1));
    this.element.append(
      element("header", "details-header", {}, this.#title, previous, next),
      this.#list,
    );
  }

  /** Show those of the present graph. */
  restart(): void {
    const { graph } = this.navigator;
    const status = graph?.status ?? null;
    this.#at = -1;
    this.operations = status === null ? [] : indicesOf(status);
    setShown(this.element, status !== null);
    if (graph === null || status === null) return;
    const count = (change: number): number =>
      this.operations.filter((operation) => status[operation] === change).length;
    const summary = [Change.added, Change.removed, Change.changed]
      .map((change) => `${STATUS_GLYPHS[change]}${count(change)}`)
      .join("  ");
    this.#title.textContent =
      this.operations.length === 0 ? "No differences" : `Differences  ${summary}`;
    this.#list.replaceChildren(
      ...this.operations.slice(0, MOST_ROWS).map((operation, index) => {
        const change = status[operation];
        const glyph = element(
          "b",
          `glyph-${WORDS[change]}`,
          { title: WORDS[change] },
          STATUS_GLYPHS[change],
        );
        return element(
          "li",
          null,
          {},
          glyph,
          " ",
          link(graph.names[operation], () => this.#go(index)),
        );
      }),
    );
    const more = this.operations.length - MOST_ROWS;
    if (more > 0) this.#list.append(element("li", "faint", {}, `and ${more} more: step with n`));
  }

  /** To the next difference, or the one before. */
  step(by: 1 | -1): void {
    const { length } = this.operations;
    if (length === 0) {
      this.status.say("There are no differences to step through.");
      return;
    }
    this.#go(this.#at < 0 && by < 0 ? length - 1 : (this.#at + by + length) % length);
  }

  #go(index: number): void {
    const { graph } = this.navigator;
    const operation = this.operations[index];
    this.#at = index;
    [...this.#list.children].forEach((row, place) => {
      mark(row as HTMLElement, "active", place === index);
      if (place === index) row.scrollIntoView({ block: "nearest" });
    });
    const word = WORDS[graph?.status?.[operation] ?? 0];
    this.status.say(
      `Difference ${index + 1} of ${this.operations.length}: ${graph?.names[operation]} ${word}.`,
    );
    void this.navigator.reveal(operation);
  }
}

function indicesOf(status: Uint8Array): number[] {
  const found: number[] = [];
  status.forEach((change, operation) => {
    if (change !== Change.same) found.push(operation);
  });
  return found;
}
