import type { RunStatus } from "../protocol/messages.js";
import { element, setHidden } from "./dom.js";
import { icon, type IconName } from "./icons.js";

/** What the buttons of a run do. */
export interface RunActions {
  pause(): void;
  resume(): void;
  step(count: number): void;
  stop(): void;
  snapshot(): void;
  /** Open the form in which a step is chosen. */
  rewind(): void;
  fork(): void;
}

/** The buttons: one to pause and resume, steps, stop, back in time, and aside. */
export class RunControls {
  readonly element: HTMLElement;
  readonly #pause: HTMLButtonElement;
  readonly #resume: HTMLButtonElement;
  readonly #step: HTMLButtonElement;
  readonly #count: HTMLInputElement;
  readonly #stop: HTMLButtonElement;
  readonly #rewind: HTMLButtonElement;
  readonly #fork: HTMLButtonElement;
  readonly #snapshot: HTMLButtonElement;

  constructor(actions: RunActions) {
    this.#pause = button("pause", "Pause", "Pause after this step", () => actions.pause());
    this.#resume = button("play", "Resume", "Let it run on", () => actions.resume());
    this.#pause.classList.add("run-primary");
    this.#resume.classList.add("run-primary");
    this.#count = element("input", {
      class: "run-field run-count",
      title: "How many steps",
      attributes: { type: "number", min: "1", value: "1", "aria-label": "Number of steps" },
      on: {
        keydown: (event) => {
          if (event.key === "Enter") this.#step.click();
        },
      },
    });
    this.#step = button("step", "Step", "Run so many steps and pause", () =>
      actions.step(Math.max(1, Math.round(Number(this.#count.value)) || 1)),
    );
    this.#stop = button("stop", "Stop", "End the run; it keeps what it has", () => actions.stop());
    this.#rewind = button("rewind", "Rewind", "Go back to an earlier step", () => actions.rewind());
    this.#fork = button(
      "fork",
      "Fork",
      "A second run from a step, with other hyperparameters",
      () => actions.fork(),
    );
    this.#snapshot = button("snapshot", "Snapshot", "Keep this state to come back to", () =>
      actions.snapshot(),
    );
    this.element = element(
      "div",
      { class: "run-controls", attributes: { role: "toolbar", "aria-label": "Run" } },
      this.#pause,
      this.#resume,
      element("span", { class: "run-joined" }, this.#step, this.#count),
      this.#stop,
      element("span", { class: "run-gap" }),
      this.#rewind,
      this.#fork,
      this.#snapshot,
    );
  }

  /** Only what the run can do just now can be pressed. */
  update({ state, live }: RunStatus, connected: boolean): void {
    const reachable = live && connected;
    const running = state === "running" || state === "created";
    const paused = state === "paused";
    const focused = document.activeElement;
    setHidden(this.#pause, paused);
    setHidden(this.#resume, !paused);
    // The two are one button to the keyboard: the focus stays where it was.
    if (paused && focused === this.#pause) this.#resume.focus();
    if (!paused && focused === this.#resume) this.#pause.focus();
    this.#pause.disabled = !reachable || !running;
    this.#resume.disabled = !reachable;
    this.#step.disabled = this.#count.disabled = !reachable || !paused;
    this.#stop.disabled = !reachable || !(running || paused);
    this.#snapshot.disabled = !reachable || !(running || paused);
    // A finished run goes back as well, and is paused then.
    this.#rewind.disabled = !reachable;
    this.#fork.disabled = !reachable;
  }

  get pressable(): string[] {
    return [...this.element.querySelectorAll("button")]
      .filter((one) => !one.hidden && !one.disabled)
      .map((one) => one.textContent ?? "");
  }
}

/** A button with a picture and a word. */
export function button(
  picture: IconName,
  text: string,
  title: string,
  press: () => void,
): HTMLButtonElement {
  return element(
    "button",
    { class: "run-button", title, attributes: { type: "button" }, on: { click: press } },
    icon(picture),
    element("span", { text }),
  );
}
