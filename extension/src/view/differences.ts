import { Status as Change, type Graph } from "../scene/types.js";
import { STATUS_GLYPHS } from "../scene/palette.js";
import { differencesOf } from "./difference-order.js";
import { element, iconButton, link, mark, setShown } from "./dom.js";
import type { Navigator } from "./navigator.js";
import type { Status } from "./status.js";

const MOST_ROWS = 300;
const WORDS = ["same", "added", "removed", "changed"];
const PARTS = ["forward", "gradients", "updates", "auxiliary"];
/** What the list takes of the stage's width, with the room beside it. */
const COVERED = 222;

/** In a diff, what differs: a list to step through, by the parts of the graph. */
export class Differences {
  readonly element = element("section", "differences", {
    "aria-label": "Differences",
    hidden: true,
  });
  /** Operations that differ, the forward part first. */
  operations: readonly number[] = [];
  #at = -1;
  #narrow = false;
  readonly #title = element("span", "differences-title");
  readonly #fold: HTMLButtonElement;
  readonly #list = element("div", "differences-list");
  #rows: readonly HTMLElement[] = [];

  constructor(
    private readonly navigator: Navigator,
    private readonly status: Status,
  ) {
    const previous = iconButton("back", "Previous difference (N)", () => this.step(-1));
    const next = iconButton("forward", "Next difference (n)", () => this.step(1));
    this.#fold = element("button", "fold", { type: "button", title: "The list" }, this.#title);
    this.#fold.addEventListener("click", () => this.#unfold(!this.#isUnfolded));
    this.element.append(
      element("header", "differences-header", {}, this.#fold, previous, next),
      this.#list,
    );
  }

  /** Show those of a graph that is about to be shown. */
  restart(graph: Graph): void {
    const { status } = graph;
    this.#at = -1;
    this.operations = differencesOf(graph);
    setShown(this.element, status !== null);
    this.setNarrow(this.#narrow);
    if (status === null) return;
    const summary = [Change.added, Change.removed, Change.changed].flatMap((change) => {
      const count = this.operations.filter((operation) => status[operation] === change).length;
      const kind = `glyph-${WORDS[change]}`;
      const title = `${count} ${WORDS[change]}`;
      return count === 0
        ? []
        : [" ", element("b", kind, { title }, `${STATUS_GLYPHS[change]}${count}`)];
    });
    this.#title.replaceChildren(
      this.operations.length === 0 ? "No differences" : "Differs:",
      ...summary,
    );
    this.#rows = this.operations
      .slice(0, MOST_ROWS)
      .map((operation, index) => this.#row(graph, operation, status[operation], index));
    this.#list.replaceChildren(...this.#parts(graph));
    this.#unfold(!this.#narrow && this.operations.length > 0);
  }

  /** In a narrow view the list is folded until it is asked for. */
  setNarrow(narrow: boolean): void {
    if (narrow !== this.#narrow) this.#unfold(!narrow);
    this.#narrow = narrow;
    this.navigator.viewpoint.left = narrow || this.element.hidden ? 0 : COVERED;
  }

  get #isUnfolded(): boolean {
    return this.#fold.getAttribute("aria-expanded") === "true";
  }

  #unfold(unfolded: boolean): void {
    this.#fold.setAttribute("aria-expanded", String(unfolded));
    setShown(this.#list, unfolded);
  }

  /** A list for each part of the graph that differs. */
  #parts({ role }: Graph): HTMLElement[] {
    const parts = PARTS.flatMap((name, part) => {
      const rows = this.#rows.filter((_, index) => role[this.operations[index]] === part);
      const count = this.operations.filter((operation) => role[operation] === part).length;
      if (rows.length === 0) return [];
      return [
        element("h3", "differences-part", {}, name, " ", element("span", "faint", {}, `${count}`)),
        element("ul", "list", {}, ...rows),
      ];
    });
    const more = this.operations.length - MOST_ROWS;
    if (more > 0) parts.push(element("p", "faint", {}, `and ${more} more: step with n`));
    return parts;
  }

  #row({ names }: Graph, operation: number, change: number, index: number): HTMLElement {
    const word = WORDS[change];
    const name = names[operation];
    const go = link("", () => this.#go(index), `${name} ${word}`);
    go.classList.add("workbench-graph-tail");
    // Written from right to left, a name that is too long loses its beginning.
    go.append(element("bdi", null, {}, name));
    return element(
      "li",
      "difference",
      {},
      element("b", `glyph-${word}`, { title: word }, STATUS_GLYPHS[change]),
      go,
    );
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
    this.#rows.forEach((row, place) => {
      mark(row, "active", place === index);
      if (place === index) row.scrollIntoView({ block: "nearest" });
    });
    const word = WORDS[graph?.status?.[operation] ?? 0];
    this.status.say(
      `Difference ${index + 1} of ${this.operations.length}: ${graph?.names[operation]} ${word}.`,
    );
    void this.navigator.reveal(operation);
  }
}
