import type { Client, Subscription } from "../protocol/client.js";
import { messageOf } from "../protocol/errors.js";
import { element } from "../runs/dom.js";
import { button } from "../runs/run-controls.js";

/** So many lines are shown; older ones go. */
const MOST = 1000;
/** Pixels from the end within which the reader is taken to follow. */
const NEAR = 24;

/** The last lines of a worker, or of a pool's own process, and those that come. */
export class LogBox implements Subscription {
  readonly element: HTMLElement;
  readonly #lines: HTMLElement;
  #client: Client | null = null;
  #heard: Subscription | null = null;

  constructor(
    readonly pool: string,
    /** Null for the pool's own process. */
    readonly worker: number | null,
    close: () => void,
  ) {
    const title = worker === null ? `Log of the pool ${pool}` : `Log of worker ${worker}`;
    this.#lines = element("pre", {
      class: "pool-log-lines",
      attributes: { tabindex: "0", role: "log", "aria-label": title, "aria-live": "off" },
    });
    this.element = element(
      "div",
      { class: "pool-log" },
      element(
        "div",
        { class: "pool-log-head" },
        element("h4", { text: title }),
        button("close", "Close", "Close the log", close),
      ),
      this.#lines,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
  }

  /** Follows the log over a connection, from its kept lines on. */
  connect(client: Client): void {
    if (client === this.#client) return;
    this.#leave();
    this.#client = client;
    this.#lines.replaceChildren();
    const { pool, worker } = this;
    this.#heard = client.on("log", (log) => {
      if (log.pool === pool && log.worker === worker) this.#take(log.lines, log.reset ?? false);
    });
    client.request("log.subscribe", { pool, worker }).catch((error: unknown) => {
      if (client === this.#client && !client.closed) this.#take([messageOf(error)], false);
    });
  }

  get lines(): string[] {
    return [...this.#lines.children].map((line) => line.textContent ?? "");
  }

  focus(): void {
    this.#lines.focus();
  }

  dispose(): void {
    this.#leave();
    this.element.remove();
  }

  #leave(): void {
    const { pool, worker } = this;
    this.#heard?.dispose();
    if (this.#client && !this.#client.closed) {
      this.#client.request("log.unsubscribe", { pool, worker }).catch(() => undefined);
    }
    this.#client = null;
  }

  #take(lines: readonly string[], reset: boolean): void {
    const box = this.#lines;
    const isFirst = box.children.length === 0;
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    if (reset) box.replaceChildren();
    box.append(...lines.map((line) => element("div", { text: line })));
    while (box.children.length > MOST) box.firstElementChild?.remove();
    if (follows || reset) box.scrollTop = box.scrollHeight;
    // It was empty when it was opened, and grows at the end of what can be seen.
    if (isFirst) this.element.scrollIntoView({ block: "nearest" });
  }
}
