import type { Commands } from "../protocol/messages.js";
import { element, setShown, textButton } from "./dom.js";
import type { Link } from "./link.js";
import type { Status } from "./status.js";

type When = Commands["watch"]["when"];
const CHOICES: readonly When[] = ["not finite", "above", "below"];

interface Watch {
  readonly run: string;
  readonly id: string;
  readonly tensor: string;
  readonly text: string;
}

/** The watches that were set from this view: they outlive the selection they were set from. */
export class Watches {
  #watches: readonly Watch[] = [];

  constructor(
    private readonly link: Link,
    private readonly status: Status,
    private readonly showPython: (line: string) => void,
  ) {}

  /** Watches on this tensor and the form for another one. */
  form(run: string, tensor: string): HTMLElement {
    const list = element("ul", "watches");
    const when = element("select", "select", { "aria-label": "Pause the run when" });
    when.append(...CHOICES.map((choice) => element("option", null, { value: choice }, choice)));
    const threshold = element("input", "threshold", {
      type: "number",
      step: "any",
      value: "0",
      "aria-label": "Threshold",
      hidden: true,
    });
    when.addEventListener("change", () => setShown(threshold, when.value !== "not finite"));
    const set = textButton("Watch", () => undefined, { type: "submit" });
    const form = element("form", "watch-form", {}, "Pause when", when, threshold, set);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const limit = when.value === "not finite" ? null : Number(threshold.value);
      void this.#set(run, tensor, when.value as When, limit).then(fill);
    });
    const fill = (): void => {
      list.replaceChildren(
        ...this.#watches
          .filter((watch) => watch.run === run && watch.tensor === tensor)
          .map((watch) => {
            const remove = textButton("Unwatch", () => void this.#remove(watch).then(fill));
            return element("li", null, {}, watch.text, remove);
          }),
      );
      setShown(list, list.children.length > 0);
    };
    fill();
    return element("div", "watch", {}, form, list);
  }

  async #set(run: string, tensor: string, when: When, threshold: number | null): Promise<void> {
    if (threshold !== null && !Number.isFinite(threshold)) {
      this.status.say("The threshold is not a number.");
      return;
    }
    try {
      const { result } = await this.link.request("run.command", {
        run,
        command: "watch",
        arguments: { tensor, when, threshold },
      });
      const text = threshold === null ? when : `${when} ${threshold}`;
      if (result.watch !== undefined) {
        this.#watches = [...this.#watches, { run, id: result.watch, tensor, text }];
      }
      this.status.say(`The run pauses when ${tensor} is ${text}.`);
      if (result.python !== undefined) this.showPython(result.python);
    } catch (error) {
      this.status.fail(error);
    }
  }

  async #remove(watch: Watch): Promise<void> {
    try {
      const { result } = await this.link.request("run.command", {
        run: watch.run,
        command: "unwatch",
        arguments: { watch: watch.id },
      });
      if (result.python !== undefined) this.showPython(result.python);
    } catch (error) {
      this.status.fail(error);
    }
    // Also when the kernel knows of no such watch: then there is none to show.
    this.#watches = this.#watches.filter((other) => other !== watch);
  }
}
