import type { PoolStatus, WorkerRun } from "../protocol/messages.js";
import type { Subscription } from "../protocol/client.js";
import { element, setHidden, setText, uniqueId } from "../runs/dom.js";
import { count } from "../runs/format.js";
import { icon } from "../runs/icons.js";
import { button } from "../runs/run-controls.js";
import { shortTime, workers } from "./format.js";
import { Question } from "./question.js";
import { Scale } from "./scale.js";
import { type Kind, KINDS, type Span } from "./spans.js";
import { readColors } from "./timeline.js";
import { shownStretch } from "./timeline-model.js";
import { WorkerRow } from "./worker-row.js";

/** What can be done with a pool. */
export interface PoolActions {
  scale(workers: number): void;
  /** `despite`: the runs that go on there and may end. */
  stop(despite: readonly WorkerRun[]): void;
  /** Null: that of the pool's own process. */
  showLog(worker: number | null): void;
  insert(): void;
  restart(): void;
  /** The pointer went down on what the pool is dragged by. */
  grab(event: MouseEvent, handle: HTMLElement): void;
}

/** One pool: what it is, its workers, and what can be done with it. */
export class PoolCard implements Subscription {
  readonly element: HTMLElement;
  readonly #name = element("h3", { class: "pool-name", attributes: { id: uniqueId("pool") } });
  readonly #about = element("span", { class: "run-hint pool-about" });
  readonly #title: HTMLElement;
  readonly #trouble = element("div", { class: "run-message", attributes: { role: "status" } });
  readonly #busy = element("span", { class: "run-hint", attributes: { role: "status" } });
  readonly #scale: Scale;
  readonly #insert: HTMLButtonElement;
  readonly #restart: HTMLButtonElement;
  readonly #log: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #question = new Question();
  readonly #steps = element("span");
  readonly #caption: HTMLElement;
  readonly #list = element("ul", { class: "pool-workers" });
  readonly #place = element("div");
  readonly #rows = new Map<number, WorkerRow>();
  #pool: PoolStatus | null = null;

  constructor(private readonly actions: PoolActions) {
    this.#title = element(
      "div",
      { class: "pool-title" },
      element("span", { class: "pool-grip", attributes: { "aria-hidden": "true" } }),
      this.#name,
      this.#about,
    );
    this.#title.addEventListener("mousedown", (event) => {
      if (event.button === 0) actions.grab(event, this.#title);
    });
    this.#scale = new Scale((wanted) => this.#askScale(wanted));
    this.#insert = button("notebook", "Insert", "Insert a cell that attaches to it", () =>
      actions.insert(),
    );
    this.#restart = button("rewind", "Restart", "Start it again: its runs go on", () =>
      actions.restart(),
    );
    this.#log = button("lines", "Log", "What its own process logs", () => actions.showLog(null));
    this.#stop = button("stop", "Stop", "End the pool with all its processes", () =>
      this.#askStop(),
    );
    this.#stop.classList.add("run-danger");
    for (const named of [this.#insert, this.#log]) named.classList.add("pool-picture");
    const controls = element(
      "div",
      { class: "pool-controls", attributes: { role: "toolbar", "aria-label": "Pool" } },
      this.#scale.element,
      this.#insert,
      this.#restart,
      this.#log,
      this.#stop,
    );
    this.#caption = element(
      "div",
      { class: "run-hint pool-caption" },
      "Last steps",
      this.#steps,
      ...KINDS.map(legendEntry),
    );
    this.element = element(
      "section",
      { class: "pool-card", attributes: { "aria-labelledby": this.#name.id } },
      element("div", { class: "pool-head" }, this.#title, this.#busy, controls),
      this.#question.element,
      this.#trouble,
      this.#list,
      this.#caption,
      this.#place,
    );
  }

  /** Where a log is shown. */
  get logPlace(): HTMLElement {
    return this.#place;
  }

  /** `busy` says what is being done with it, "" for nothing; `logged` whose log is open. */
  update(pool: PoolStatus, busy: string, logged: number | null | undefined): void {
    this.#pool = pool;
    const { name, state, trouble } = pool;
    const isAlive = state === "alive";
    this.element.dataset["state"] = state;
    setText(this.#name, name);
    this.#title.title = state === "dead" ? name : `${name}: drag it into a notebook`;
    setText(this.#about, aboutText(pool));
    this.#about.title = pool.pid === 0 ? pool.address : `${pool.address}, process ${pool.pid}`;
    setText(this.#busy, busy);
    const said = state === "dead" ? DEAD : (trouble ?? missingText(pool));
    setText(this.#trouble, said);
    setHidden(this.#trouble, said === "");
    this.#scale.update(pool.workers.length, isAlive && pool.can_scale && busy === "");
    this.#scale.element.title = pool.can_scale ? "How many workers" : SCALED_ELSEWHERE;
    this.#stop.disabled = busy !== "";
    setText(this.#stop.lastElementChild!, stopWord(pool));
    setHidden(this.#insert, state === "dead");
    setHidden(this.#restart, state !== "dead");
    this.#restart.disabled = busy !== "";
    this.#insert.disabled = !isAlive;
    setHidden(this.#log, pool.pid === 0);
    this.#log.setAttribute("aria-expanded", String(logged === null));
    this.#updateRows(pool, logged);
  }

  /** Paints what the workers did; `spans` are in their order. */
  drawSteps(spans: readonly (readonly Span[])[]): void {
    const stretch = shownStretch(spans);
    const colors = readColors(this.element);
    const { workers: listed = [] } = this.#pool ?? {};
    for (const [at, { index }] of listed.entries()) {
      this.#rows.get(index)?.drawSteps(spans[at] ?? [], stretch, colors);
    }
    setHidden(this.#caption, stretch === null);
    setText(this.#steps, stretch ? shortTime(stretch.ends - stretch.begins) : "");
  }

  /** The keyboard goes back to where a log was opened. */
  focusLog(worker: number | null): void {
    if (worker === null) this.#log.focus();
    else this.#rows.get(worker)?.focusLog();
  }

  dispose(): void {
    this.#scale.dispose();
    this.element.remove();
  }

  #updateRows({ workers: listed }: PoolStatus, logged: number | null | undefined): void {
    for (const [index, row] of this.#rows) {
      if (!listed.some((worker) => worker.index === index)) {
        row.element.remove();
        this.#rows.delete(index);
      }
    }
    for (const [at, worker] of listed.entries()) {
      let row = this.#rows.get(worker.index);
      if (!row) {
        row = new WorkerRow(worker.index, (index) => this.actions.showLog(index));
        this.#rows.set(worker.index, row);
      }
      row.update(worker, logged === worker.index);
      const there = this.#list.children[at];
      if (there !== row.element) this.#list.insertBefore(row.element, there ?? null);
    }
  }

  #askStop(): void {
    const pool = this.#pool;
    if (!pool) return;
    const runs = liveRuns(pool);
    const stop = () => this.actions.stop(runs);
    if (runs.length === 0) return stop();
    this.#question.ask(
      pool.pid === 0 ? `${runsText(runs)} there.` : `${runsText(runs)} and would be lost.`,
      pool.pid === 0 ? "Leave" : "Stop the pool",
      stop,
      () => this.#stop.focus(),
    );
  }

  #askScale(wanted: number): void {
    const pool = this.#pool;
    if (!pool || wanted === pool.workers.length) return;
    const runs = endangeredRuns(pool, pool.workers.length - wanted);
    const scale = () => this.actions.scale(wanted);
    if (runs.length === 0) return scale();
    this.#question.ask(
      `${runsText(runs)}. What no other worker trains goes with its worker.`,
      `Have ${workers(wanted)}`,
      scale,
      () => this.#scale.reset(),
    );
  }
}

const DEAD = "Its processes are gone. Started again, it goes on with its runs.";
const SCALED_ELSEWHERE = "It was not started by this user here: workers come and go where it was";

function stopWord({ pid, state }: PoolStatus): string {
  if (state === "dead") return "Remove";
  return pid === 0 ? "Leave" : "Stop";
}

function aboutText({ kind, state }: PoolStatus): string {
  if (state === "dead") return `${kind} · dead`;
  if (state === "starting") return `${kind} · asking`;
  if (state === "silent" || state === "restarting") return `${kind} · ${state}`;
  return kind;
}

/** Says that workers are awaited, "" where none are. */
function missingText({ wanted, state, workers: listed }: PoolStatus): string {
  const missing = state === "alive" && wanted !== null ? wanted - listed.length : 0;
  return missing > 0 ? `${workers(missing)} more to come.` : "";
}

/** The runs that go on at a pool's workers, each once, however many train it. */
export function liveRuns(pool: Pick<PoolStatus, "workers">): WorkerRun[] {
  return [...byRun(pool).values()].map((of) =>
    of.reduce((one, next) => (next.step > one.step ? next : one)),
  );
}

/** Those that may have no worker left when so many leave. */
export function endangeredRuns(pool: Pick<PoolStatus, "workers">, leaving: number): WorkerRun[] {
  const trained = byRun(pool);
  return liveRuns(pool).filter(
    ({ run }) => trained.get(run)!.filter(({ joins }) => !joins).length <= leaving,
  );
}

function byRun({ workers: listed }: Pick<PoolStatus, "workers">): Map<string, WorkerRun[]> {
  const found = new Map<string, WorkerRun[]>();
  for (const run of listed.flatMap(({ runs }) => runs)) {
    found.set(run.run, [...(found.get(run.run) ?? []), run]);
  }
  return found;
}

/** "digits goes on at step 512", "2 runs go on: digits, letters". */
export function runsText(runs: readonly WorkerRun[]): string {
  const [first] = runs;
  if (first && runs.length === 1) return `${first.name} goes on at step ${count(first.step)}`;
  return `${runs.length} runs go on: ${runs.map(({ name }) => name).join(", ")}`;
}

function legendEntry(kind: Kind): HTMLElement {
  const swatch = element("span", { class: `pool-swatch pool-swatch-${kind}` });
  return element("span", { class: "pool-legend-entry" }, swatch, kind);
}

/** A picture of the pool that goes along with the pointer. */
export function dragImage({ name, workers: listed }: PoolStatus): HTMLElement {
  return element(
    "div",
    { class: "pool-drag" },
    icon("notebook"),
    element("span", { text: `${name}, ${workers(listed.length)}` }),
  );
}
