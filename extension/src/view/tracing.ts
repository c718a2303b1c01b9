import type { Trace } from "../scene/types.js";
import type { Navigator } from "./navigator.js";
import type { Status } from "./status.js";

/** Highlights what a selected item needs, what needs it, and the path between two items. */
export class Tracing {
  /** What is highlighted, in words; "" for nothing. */
  description = "";
  #mark: number | null = null;
  #request = 0;

  constructor(
    private readonly navigator: Navigator,
    private readonly status: Status,
  ) {
    navigator.sceneChanged.connect(() => this.#showMark());
  }

  get isActive(): boolean {
    return this.description !== "" || this.#mark !== null;
  }

  async upstream(): Promise<void> {
    await this.#flood("upstream", "what", "needs");
  }

  async downstream(): Promise<void> {
    await this.#flood("downstream", "what needs", "");
  }

  /** The first call marks one end, the next one shows the path to the other. */
  async path(): Promise<void> {
    const item = this.#selectedItem();
    if (item === null) return;
    const from = this.#mark;
    if (from === null || from === item) {
      this.#mark = from === item ? null : item;
      this.#showMark();
      if (this.#mark !== null) {
        this.status.say(
          `Path from ${this.navigator.nameOf(item)}: select the other end and press p again.`,
        );
      }
      return;
    }
    const name = this.navigator.nameOf(item);
    const fromName = this.navigator.nameOf(from);
    await this.#trace(async (engine) => {
      const forth = await engine.path(from, item);
      // Nobody remembers which of two nodes comes first: look the other way too.
      return forth.operations.length > 0 ? forth : engine.path(item, from);
    }, `path between ${fromName} and ${name}`);
    this.#mark = null;
    this.#showMark();
  }

  clear(): void {
    this.#request++;
    this.#mark = null;
    this.description = "";
    this.#showMark();
    if (this.navigator.trace !== null) this.navigator.setTrace(null);
  }

  async #flood(way: "upstream" | "downstream", before: string, after: string): Promise<void> {
    const item = this.#selectedItem();
    if (item === null) return;
    const name = this.navigator.nameOf(item);
    const words = [before, name, after].filter((part) => part !== "").join(" ");
    if (this.description === words) return this.clear();
    await this.#trace((engine) => engine[way](item, Infinity), words);
  }

  async #trace(
    find: (engine: Navigator["engine"]) => Promise<Trace>,
    description: string,
  ): Promise<void> {
    const request = ++this.#request;
    try {
      const trace = await find(this.navigator.engine);
      if (request !== this.#request) return;
      if (trace.operations.length === 0) {
        this.status.say(`There is no ${description}.`);
        return;
      }
      this.description = description;
      this.navigator.setTrace(trace);
      const count = trace.operations.length;
      this.status.say(`Highlighted: ${description} (${count} operations). Escape ends it.`);
    } catch (error) {
      if (request === this.#request) this.status.fail(error);
    }
  }

  #selectedItem(): number | null {
    const { selection } = this.navigator;
    if (selection?.kind === "item") return selection.item;
    if (selection?.kind === "edge") return selection.target;
    this.status.say("Select an operation or a scope first.");
    return null;
  }

  #showMark(): void {
    const { stage, geometry } = this.navigator;
    const mark = this.#mark === null ? -1 : (geometry?.boxOf(this.#mark) ?? -1);
    stage.pointed = { ...stage.pointed, mark };
  }
}
