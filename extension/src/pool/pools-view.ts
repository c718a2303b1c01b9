import { keepLetters } from "../page/letters.js";
import type { Client, Subscription } from "../protocol/client.js";
import { messageOf } from "../protocol/errors.js";
import type { PoolStatus } from "../protocol/messages.js";
import { Newest } from "../protocol/newest.js";
import { element, setHidden, setText } from "../runs/dom.js";
import { icon } from "../runs/icons.js";
import { PythonBox } from "../runs/python-box.js";
import { button } from "../runs/run-controls.js";
import { followTheme, type Theme } from "../runs/theme.js";
import { workers } from "./format.js";
import { LogBox } from "./log-box.js";
import { dragImage, PoolCard } from "./pool-card.js";
import { decodeSpans, type Span } from "./spans.js";
import { type PoolRequest, StartForm } from "./start-form.js";

/** Milliseconds that a pool may take to start, to change, or to end. */
const PATIENCE = 120_000;

export interface PoolsViewOptions {
  readonly client: Client;
  readonly theme?: Theme;
  /** Adds a cell that attaches to the pool; says where it went, null where there is no notebook. */
  readonly onInsert?: (pool: PoolStatus) => Promise<string | null>;
  /** Begins to drag the pool, with a picture of it. */
  readonly onDrag?: (pool: PoolStatus, event: MouseEvent, image: HTMLElement) => void;
}

/**
 * The pools of this user: their workers, what these use and do, and their logs; start, scale and
 * stop them.
 *
 *     const view = new PoolsView(host, { client });
 */
export class PoolsView implements Subscription {
  #client: Client;
  #pools: readonly PoolStatus[] | null = null;
  #spans: readonly (readonly (readonly Span[])[])[] = [];
  #listening: Subscription[] = [];
  #disposed = false;
  #log: LogBox | null = null;
  /** What is being done with a pool, in words, by its name. */
  readonly #busy = new Map<string, string>();
  readonly #cards = new Map<string, PoolCard>();
  readonly #frame = new Newest<null>(() => this.#draw());
  readonly #theme: Subscription;
  readonly #letters: Subscription;
  readonly #python = new PythonBox();
  readonly #message = element("div", {
    class: "run-message",
    attributes: { role: "status", "aria-live": "polite" },
  });
  readonly #count = element("span", { class: "run-hint", attributes: { role: "status" } });
  readonly #start: HTMLButtonElement;
  readonly #form: StartForm;
  readonly #list = element("div", { class: "pool-list" });
  readonly #empty: HTMLElement;
  readonly #root: HTMLElement;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: PoolsViewOptions,
  ) {
    this.#client = options.client;
    this.#start = button("plus", "Start a pool", "Start processes of this machine", () =>
      this.#openForm(true),
    );
    this.#form = new StartForm(
      (request) => void this.#startPool(request),
      () => this.#openForm(false),
    );
    this.#empty = element(
      "div",
      { class: "runs-empty" },
      element("p", { class: "run-trouble-title", text: "No pools yet" }),
      element("p", {
        class: "run-hint",
        text: "Start one here, or in a cell; it goes on when the notebook is closed:",
      }),
      element(
        "div",
        { class: "run-python" },
        element("code", { text: "pool = wb.pool.local(workers=2)" }),
      ),
    );
    this.#root = element(
      "div",
      { class: "workbench-runs workbench-pools" },
      this.#message,
      element(
        "div",
        { class: "runs-head" },
        element("h2", { class: "run-name", text: "Pools" }),
        this.#count,
        element("span", { class: "run-gap" }),
        this.#start,
      ),
      this.#form.element,
      this.#python.element,
      this.#list,
      this.#empty,
    );
    this.#message.hidden = this.#form.element.hidden = this.#empty.hidden = true;
    host.replaceChildren(this.#root);
    (host as { workbench?: unknown }).workbench = this;
    this.#letters = keepLetters(this.#root);
    this.#theme = followTheme(this.#root, options.theme, () => this.#frame.put(null));
    this.#listen();
  }

  /** The same pools over a new connection. */
  reconnect(client: Client): void {
    if (this.#disposed) return;
    for (const subscription of this.#listening) subscription.dispose();
    this.#client = client;
    this.#busy.clear();
    this.#listen();
    this.#log?.connect(client);
  }

  /** What is shown, as JSON, for tests. */
  snapshot(): object {
    return {
      pools: this.#pools,
      rows: Object.fromEntries(
        [...this.#cards].map(([name, card]) => [
          name,
          [...card.element.querySelectorAll<HTMLElement>(".pool-worker")].map(
            (row) => row.innerText,
          ),
        ]),
      ),
      spans: this.#spans.map((pool) => pool.map((worker) => worker.length)),
      busy: Object.fromEntries(this.#busy),
      message: this.#message.hidden ? null : this.#message.textContent,
      python: this.#python.text,
      log: this.#log && {
        pool: this.#log.pool,
        worker: this.#log.worker,
        lines: this.#log.lines,
      },
    };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#log?.dispose();
    for (const subscription of this.#listening) subscription.dispose();
    if (!this.#client.closed) {
      this.#client.request("pools.unsubscribe", {}).catch(() => undefined);
    }
    for (const card of this.#cards.values()) card.dispose();
    for (const part of [this.#frame, this.#theme, this.#letters, this.#python]) part.dispose();
    this.#root.remove();
    delete (this.host as { workbench?: unknown }).workbench;
  }

  // -- what the kernel tells --------------------------------------------------------------------

  #listen(): void {
    const client = this.#client;
    this.#listening = [
      client.on("pools", ({ pools }, buffers) => this.#take(pools, buffers)),
      client.onClose(() =>
        this.#tell("gone", "The kernel is gone; pools go on. This is how things stood then."),
      ),
    ];
    client
      .request("pools.subscribe", {})
      .then(() => {
        if (client === this.#client) this.#tell(null, "");
      })
      .catch((error: unknown) => {
        if (client === this.#client && !client.closed) this.#tell("wrong", messageOf(error));
      });
  }

  #take(pools: readonly PoolStatus[], buffers: readonly DataView[]): void {
    this.#pools = pools;
    this.#spans = pools.map(({ workers: listed }) =>
      listed.map(({ spans }) => decodeSpans(buffers[spans])),
    );
    this.#frame.put(null);
  }

  #draw(): void {
    const pools = this.#pools;
    if (!pools || this.#disposed) return;
    setHidden(this.#empty, pools.length > 0);
    setText(this.#count, pools.length > 0 ? String(pools.length) : "");
    for (const [name, card] of this.#cards) {
      if (!pools.some((pool) => pool.name === name)) {
        if (this.#log?.pool === name) this.#closeLog();
        card.dispose();
        this.#cards.delete(name);
      }
    }
    for (const [at, pool] of pools.entries()) {
      const card = this.#cardOf(pool.name);
      const there = this.#list.children[at];
      if (there !== card.element) this.#list.insertBefore(card.element, there ?? null);
      const logged = this.#log?.pool === pool.name ? this.#log.worker : undefined;
      card.update(pool, this.#busy.get(pool.name) ?? "", logged);
      card.drawSteps(this.#spans[at] ?? []);
    }
  }

  #cardOf(name: string): PoolCard {
    let card = this.#cards.get(name);
    if (!card) {
      const ofPool = (act: (pool: PoolStatus) => void) => {
        const pool = this.#pools?.find((one) => one.name === name);
        if (pool) act(pool);
      };
      card = new PoolCard({
        scale: (count) =>
          void this.#act(name, `Changing to ${workers(count)} …`, () =>
            this.#client.request(
              "pool.scale",
              { pool: name, workers: count },
              { timeout: PATIENCE },
            ),
          ),
        stop: (runs) =>
          void this.#act(name, "Ending …", () =>
            this.#client.request(
              "pool.stop",
              { pool: name, despite: runs.map(({ run }) => run) },
              { timeout: PATIENCE },
            ),
          ),
        restart: () =>
          void this.#act(name, "Starting again …", () =>
            this.#client.request("pool.restart", { pool: name }, { timeout: PATIENCE }),
          ),
        showLog: (worker) => this.#showLog(name, worker),
        insert: () => ofPool((pool) => void this.#insert(pool)),
        grab: (event) =>
          ofPool((pool) => {
            if (pool.state === "alive") this.options.onDrag?.(pool, event, dragImage(pool));
          }),
      });
      this.#cards.set(name, card);
    }
    return card;
  }

  // -- what the user does -----------------------------------------------------------------------

  #openForm(open: boolean): void {
    setHidden(this.#form.element, !open);
    setHidden(this.#start, open);
    this.#form.say("");
    if (open) this.#form.focus();
    else this.#start.focus();
  }

  async #startPool(request: PoolRequest): Promise<void> {
    const client = this.#client;
    this.#form.busy = true;
    this.#tell("busy", `Starting ${workers(request.workers)} …`);
    try {
      const { result } = await client.request(
        "pool.start",
        { name: request.name, workers: request.workers, devices: request.devices },
        { timeout: PATIENCE },
      );
      this.#python.show(result.python);
      this.#tell(null, "");
      this.#openForm(false);
    } catch (error) {
      this.#tell(null, "");
      if (client === this.#client) this.#form.say(messageOf(error));
    } finally {
      this.#form.busy = false;
    }
  }

  async #act(
    pool: string,
    what: string,
    ask: () => Promise<{ readonly result: { readonly python: string } }>,
  ): Promise<void> {
    this.#busy.set(pool, what);
    this.#frame.put(null);
    try {
      const { result } = await ask();
      this.#python.show(result.python);
      this.#tell(null, "");
    } catch (error) {
      this.#tell("wrong", messageOf(error));
    } finally {
      this.#busy.delete(pool);
      this.#frame.put(null);
    }
  }

  async #insert(pool: PoolStatus): Promise<void> {
    const place = await this.options.onInsert?.(pool);
    if (place) this.#tell("done", `A cell in ${place} attaches to ${pool.name}: execute it.`);
    else this.#tell("wrong", "There is no notebook to insert a cell into: open one.");
  }

  #showLog(pool: string, worker: number | null): void {
    const open = this.#log;
    if (open) this.#closeLog();
    if (open?.pool === pool && open.worker === worker) {
      this.#cards.get(pool)?.focusLog(worker);
      return;
    }
    this.#log = new LogBox(pool, worker, () => {
      this.#closeLog();
      this.#cards.get(pool)?.focusLog(worker);
    });
    this.#cards.get(pool)?.logPlace.append(this.#log.element);
    this.#log.connect(this.#client);
    this.#log.focus();
    this.#frame.put(null);
  }

  #closeLog(): void {
    this.#log?.dispose();
    this.#log = null;
    this.#frame.put(null);
  }

  #tell(mood: "wrong" | "gone" | "busy" | "done" | null, text: string): void {
    setHidden(this.#message, text === "");
    this.#message.dataset["mood"] = mood ?? "";
    const warns = mood === "wrong" || mood === "gone";
    this.#message.replaceChildren(...(warns ? [icon("warning")] : []), text);
  }
}
