import type { WorkerStatus } from "../protocol/messages.js";
import { element, setHidden, setText } from "../runs/dom.js";
import { count, rate } from "../runs/format.js";
import { icon } from "../runs/icons.js";
import { bytes, bytesPerSecond, devicesText, share } from "./format.js";
import type { Span } from "./spans.js";
import { Timeline, type TimelineColors } from "./timeline.js";
import type { Stretch } from "./timeline-model.js";

/** One worker in the list of a pool. */
export class WorkerRow {
  readonly element = element("li", { class: "pool-worker" });
  readonly #name = element("span", { class: "pool-worker-name" });
  readonly #place = element("span", { class: "run-hint" });
  readonly #word = element("span");
  readonly #state = element("span", { class: "run-state" }, this.#word);
  readonly #work = element("div", { class: "pool-work" });
  readonly #processor = meter("processor");
  readonly #memory = meter("memory");
  readonly #wire = meter("wire");
  readonly #timeline = new Timeline();
  readonly #shares = element("span", { class: "run-hint" });
  readonly #steps = element("div", { class: "pool-steps" }, this.#timeline.canvas, this.#shares);
  readonly #log: HTMLButtonElement;

  constructor(index: number, showLog: (worker: number) => void) {
    this.#log = element(
      "button",
      {
        class: "run-button run-quiet run-icon-button pool-worker-log",
        title: "Its log",
        attributes: { type: "button", "aria-expanded": "false" },
        on: { click: () => showLog(index) },
      },
      icon("lines"),
    );
    this.element.append(
      element("div", { class: "pool-who" }, this.#name, this.#place),
      element("div", { class: "pool-doing" }, this.#state, this.#work),
      element(
        "div",
        { class: "pool-facts" },
        this.#processor.element,
        this.#memory.element,
        this.#wire.element,
      ),
      this.#steps,
      this.#log,
    );
  }

  update(worker: WorkerStatus, logged: boolean): void {
    const { index, pid, host, devices, state } = worker;
    setText(this.#name, `Worker ${index}`);
    this.#log.setAttribute("aria-label", `Log of worker ${index}`);
    this.#log.setAttribute("aria-expanded", String(logged));
    setText(this.#place, `${devicesText(devices)} · ${host} · ${pid}`);
    const place = `process ${pid} on ${host}, reached at ${worker.address}`;
    this.#place.title = [...devices, place].join("\n");
    this.element.dataset["state"] = state;
    this.#state.dataset["state"] = STATES[state];
    setText(this.#word, state === "silent" ? `silent ${Math.round(worker.silent)} s` : state);
    this.#showWork(worksOf(worker));
    this.#processor.update(worker.processor, share(worker.processor));
    const whole = worker.memory_of_machine;
    this.#memory.update(whole ? worker.memory / whole : null, bytes(worker.memory));
    const { total_sent, total_received, total_saved } = worker.wire;
    this.#wire.update(null, wireText(worker));
    const saved = total_saved ? `, ${bytes(total_saved)} saved by encodings` : "";
    const received = `${bytes(total_received)} received`;
    this.#wire.element.title = `${bytes(total_sent)} sent, ${received}${saved} in all`;
    const shares = sharesText(worker);
    setText(this.#shares, shares);
    const step = worker.runs[0]?.step ?? worker.steps[0]?.step;
    const where = step === undefined ? "" : `, at step ${count(step)}`;
    this.#timeline.canvas.setAttribute("aria-label", `Last steps${where}: ${shares || "none"}`);
    setHidden(this.#shares, shares === "");
  }

  #showWork(works: readonly Work[]): void {
    while (this.#work.children.length > works.length) this.#work.lastElementChild!.remove();
    for (const [at, { name, told }] of works.entries()) {
      if (at === this.#work.children.length) {
        this.#work.append(element("div", {}, element("span"), element("span")));
      }
      const line = this.#work.children[at] as HTMLElement;
      setText(line.firstElementChild!, name);
      setText(line.lastElementChild!, told);
      line.title = `${name} ${told}`;
    }
  }

  /** There is nothing to see where no worker of the pool has taken a step: no `stretch`. */
  drawSteps(spans: readonly Span[], stretch: Stretch | null, colors: TimelineColors): void {
    setHidden(this.#steps, stretch === null);
    if (stretch) this.#timeline.draw(spans, stretch, colors);
  }

  /** The keyboard goes to the button of the log. */
  focusLog(): void {
    this.#log.focus();
  }
}

/** The states of workers, in those of runs: they have the same colours. */
const STATES: Readonly<Record<WorkerStatus["state"], string>> = {
  starting: "created",
  idle: "created",
  running: "running",
  paused: "paused",
  silent: "failed",
};

/** What a worker is at: a run with its step and pace, or whom the step of a session waits for. */
export interface Work {
  /** Cut where there is no room for all of it; what is told of it is not. */
  readonly name: string;
  readonly told: string;
}

export function worksOf({ runs, steps }: Pick<WorkerStatus, "runs" | "steps">): Work[] {
  const ofRuns = runs.map(({ name, step, steps: all, rate: pace, state, joins }) => {
    if (joins) return { name, told: "joins" };
    const total = all === null ? "" : ` / ${count(all)}`;
    const speed = state === "running" && pace ? ` · ${rate(pace)}` : "";
    return { name, told: `${count(step)}${total}${speed}` };
  });
  const ofSessions = steps.map(({ step, awaited }) => ({
    name: awaited ? `waits for ${awaited}` : "",
    told: `step ${count(step)}`,
  }));
  return [...ofRuns, ...ofSessions];
}

/** "↑ 2.0 kB/s ↓ 1.0 kB/s · 3.0 MB/s shared · 1.0 MB/s saved": the last two where there is any of it. */
export function wireText({ wire }: Pick<WorkerStatus, "wire">): string {
  const { sent, received, shared, saved } = wire;
  const told = [`↑ ${bytesPerSecond(sent)} ↓ ${bytesPerSecond(received)}`];
  if (shared) told.push(`${bytesPerSecond(shared)} shared`);
  if (saved) told.push(`${bytesPerSecond(saved)} saved`);
  return told.join(" · ");
}

/**
 * "on average 62 % compute, 8 % wait": what took a hundredth of the time at least. The line above it
 * is of a few steps, which may be others.
 */
export function sharesText({ shares }: Pick<WorkerStatus, "shares">): string {
  if (!shares) return "";
  const told = Object.entries(shares)
    .filter(([, part]) => part >= 0.005)
    // Spans count when they have ended, so that a look may see a little more than there was.
    .map(([kind, part]) => `${share(part < 1.1 ? Math.min(part, 1) : part)} ${kind}`);
  return told.length === 0 ? "" : `on average ${told.join(", ")}`;
}

/** A number, and a bar below it that says how much of all it is. */
function meter(name: string): {
  element: HTMLElement;
  update(part: number | null, text: string): void;
} {
  // What changes twice a second is read when it is asked for.
  const text = element("output", { attributes: { "aria-live": "off", "aria-label": name } });
  const bar = element("span", { class: "pool-meter-bar" });
  const track = element(
    "span",
    { class: "pool-meter-track", attributes: { "aria-hidden": "true" } },
    bar,
  );
  const term = element("span", { class: "run-term", text: name });
  return {
    element: element("span", { class: "pool-meter" }, term, text, track),
    update: (part, shown) => {
      setText(text, shown);
      setHidden(track, part === null);
      bar.style.width = `${Math.min(part ?? 0, 1) * 100}%`;
    },
  };
}
