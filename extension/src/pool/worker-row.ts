import type { WorkerStatus } from "../protocol/messages.js";
import { element, setHidden, setText } from "../runs/dom.js";
import { count, rate } from "../runs/format.js";
import { icon } from "../runs/icons.js";
import { bytes, bytesPerSecond, share, shortDevice } from "./format.js";
import type { Span } from "./spans.js";
import { Timeline, type TimelineColors } from "./timeline.js";
import type { Stretch } from "./timeline-model.js";

const TIMELINE_WIDTH = 200;
const TIMELINE_HEIGHT = 24;

/** One worker in the list of a pool. */
export class WorkerRow {
  readonly element = element("tr", { class: "pool-worker" });
  readonly #name = element("span", { class: "pool-worker-name" });
  readonly #place = element("span", { class: "run-hint" });
  readonly #word = element("span");
  readonly #state = element("span", { class: "run-state" }, this.#word);
  readonly #work = element("span", { class: "pool-work" });
  readonly #processor = meter();
  readonly #memory = meter();
  readonly #wire = element("td", { class: "runs-number pool-wire" });
  readonly #timeline = new Timeline(TIMELINE_WIDTH, TIMELINE_HEIGHT);
  readonly #shares = element("span", { class: "run-hint" });
  readonly #log: HTMLButtonElement;

  constructor(
    readonly index: number,
    showLog: (worker: number) => void,
  ) {
    this.#log = element(
      "button",
      {
        class: "run-button run-quiet run-icon-button",
        title: "Its log",
        attributes: { type: "button", "aria-expanded": "false" },
        on: { click: () => showLog(index) },
      },
      icon("lines"),
    );
    this.element.append(
      element("th", { attributes: { scope: "row" } }, this.#name, this.#place),
      element("td", {}, this.#state, this.#work),
      element("td", { class: "runs-number" }, this.#processor.element),
      element("td", { class: "runs-number" }, this.#memory.element),
      this.#wire,
      element("td", { class: "pool-steps" }, this.#timeline.canvas, this.#shares),
      element("td", { class: "runs-actions" }, this.#log),
    );
  }

  update(worker: WorkerStatus, logged: boolean): void {
    const { index, pid, host, devices, state } = worker;
    setText(this.#name, `Worker ${index}`);
    this.#log.setAttribute("aria-label", `Log of worker ${index}`);
    this.#log.setAttribute("aria-expanded", String(logged));
    setText(this.#place, `${devices.map(shortDevice).join(", ")} · ${host} · ${pid}`);
    this.#place.title = `process ${pid} on ${host}, reached at ${worker.address}`;
    this.#state.dataset["state"] = STATES[state];
    setText(this.#word, state === "silent" ? `silent ${Math.round(worker.silent)} s` : state);
    setText(this.#work, workText(worker));
    this.#processor.update(worker.processor, share(worker.processor));
    const whole = worker.memory_of_machine;
    this.#memory.update(whole ? worker.memory / whole : null, bytes(worker.memory));
    const { sent, received, shared, total_sent, total_received } = worker.wire;
    const inMemory = shared ? ` · ${bytesPerSecond(shared)} shared` : "";
    setText(this.#wire, `↑ ${bytesPerSecond(sent)}  ↓ ${bytesPerSecond(received)}${inMemory}`);
    this.#wire.title = `${bytes(total_sent)} sent and ${bytes(total_received)} received in all`;
    const shares = sharesText(worker);
    setText(this.#shares, shares);
    const step = worker.runs[0]?.step ?? worker.steps[0]?.step;
    const where = step === undefined ? "" : `, at step ${count(step)}`;
    this.#timeline.canvas.setAttribute("aria-label", `Last steps${where}: ${shares || "none"}`);
    setHidden(this.#shares, shares === "");
  }

  drawSteps(spans: readonly Span[], stretch: Stretch | null, colors: TimelineColors): void {
    this.#timeline.draw(spans, stretch, colors);
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

/** What a worker is at: its run and step, or whom the step of a session waits for. */
export function workText({ runs, steps }: Pick<WorkerStatus, "runs" | "steps">): string {
  const texts = runs.map(({ name, step, steps: all, rate: pace, state }) => {
    const total = all === null ? "" : ` / ${count(all)}`;
    const speed = state === "running" && pace ? ` · ${rate(pace)}` : "";
    return `${name} ${count(step)}${total}${speed}`;
  });
  const sessions = steps.map(({ step, awaited }) =>
    awaited ? `step ${count(step)} waits for ${awaited}` : `step ${count(step)}`,
  );
  return [...texts, ...sessions].join(", ");
}

/** "62 % compute, 8 % wait": what took a hundredth of the time at least. */
export function sharesText({ shares }: Pick<WorkerStatus, "shares">): string {
  if (!shares) return "";
  return Object.entries(shares)
    .filter(([, part]) => part >= 0.005)
    .map(([kind, part]) => `${share(part)} ${kind}`)
    .join(", ");
}

/** A number with a bar below it that says how much of all it is. */
function meter(): { element: HTMLElement; update(part: number | null, text: string): void } {
  const text = element("span");
  const bar = element("span", { class: "pool-meter-bar" });
  const track = element(
    "span",
    { class: "pool-meter-track", attributes: { "aria-hidden": "true" } },
    bar,
  );
  return {
    element: element("span", { class: "pool-meter" }, text, track),
    update: (part, shown) => {
      setText(text, shown);
      bar.style.width = `${Math.min(part ?? 0, 1) * 100}%`;
    },
  };
}
