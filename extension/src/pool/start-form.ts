import { element, setHidden, setText, uniqueId } from "../runs/dom.js";
import { button } from "../runs/run-controls.js";

/** What a pool is started with. */
export interface PoolRequest {
  readonly name: string | null;
  readonly workers: number;
  readonly devices: number;
}

/** As the kernel has it. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const MOST_WORKERS = 1024;
const MOST_DEVICES = 64;

/** What is asked for, or why it cannot be. */
export function readRequest(name: string, workers: string, devices: string): PoolRequest | string {
  const wanted = name.trim();
  if (wanted !== "" && !NAME.test(wanted)) {
    return "A name has letters, digits, '.', '_' and '-', 64 at most, and no spaces.";
  }
  const count = Number(workers);
  if (workers.trim() === "" || !Number.isInteger(count) || count < 0 || count > MOST_WORKERS) {
    return `A pool has 0 to ${MOST_WORKERS} workers.`;
  }
  const each = Number(devices);
  if (!Number.isInteger(each) || each < 1 || each > MOST_DEVICES) {
    return `A worker has 1 to ${MOST_DEVICES} devices.`;
  }
  return { name: wanted === "" ? null : wanted, workers: count, devices: each };
}

/** Asks for what a pool of this machine is started with. */
export class StartForm {
  readonly element: HTMLFormElement;
  readonly #name: HTMLInputElement;
  readonly #workers: HTMLInputElement;
  readonly #devices: HTMLInputElement;
  readonly #wrong = element("p", { class: "run-wrong", attributes: { role: "alert" } });
  readonly #start: HTMLButtonElement;

  constructor(start: (request: PoolRequest) => void, cancel: () => void) {
    this.#name = field({ type: "text", placeholder: "chosen for you", spellcheck: "false" });
    this.#workers = field({ type: "number", min: "0", max: String(MOST_WORKERS), value: "2" });
    this.#devices = field({ type: "number", min: "1", max: String(MOST_DEVICES), value: "1" });
    this.#start = button("play", "Start", "Start processes of this machine", () => undefined);
    this.#start.type = "submit";
    this.#start.classList.add("run-primary");
    this.element = element(
      "form",
      { class: "pool-form", attributes: { "aria-label": "Start a pool of this machine" } },
      labelled("Workers", this.#workers),
      labelled("CPU devices of each", this.#devices),
      labelled("Name", this.#name),
      this.#start,
      button("close", "Cancel", "Start nothing", cancel),
      this.#wrong,
    );
    // What is wrong is said by us, in one place.
    this.element.noValidate = true;
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const request = readRequest(this.#name.value, this.#workers.value, this.#devices.value);
      this.say(typeof request === "string" ? request : "");
      if (typeof request !== "string") start(request);
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") cancel();
    });
    this.say("");
  }

  focus(): void {
    this.#workers.focus();
    this.#workers.select();
  }

  /** Says what is wrong, "" for nothing. */
  say(trouble: string): void {
    setText(this.#wrong, trouble);
    setHidden(this.#wrong, trouble === "");
  }

  set busy(busy: boolean) {
    this.#start.disabled = busy;
  }
}

function field(attributes: Readonly<Record<string, string>>): HTMLInputElement {
  return element("input", {
    class: attributes["type"] === "number" ? "run-field run-count" : "run-field",
    attributes: { ...attributes, id: uniqueId("pool-field") },
  });
}

function labelled(text: string, input: HTMLInputElement): HTMLElement {
  return element(
    "span",
    { class: "pool-field" },
    element("label", { text, attributes: { for: input.id } }),
    input,
  );
}
