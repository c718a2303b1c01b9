import type { RunStatus } from "../protocol/messages.js";
import { element } from "./dom.js";
import { count } from "./format.js";

/** Chooses other runs whose curves are drawn as well. */
export class ComparePicker {
  readonly element: HTMLDetailsElement;
  readonly chosen = new Set<string>();
  readonly #list = element("div", { class: "run-compare-list" });
  readonly #summary = element("summary", { text: "Compare" });

  /** `opened` is called to look for other runs, `changed` when others are chosen. */
  constructor(
    opened: () => void,
    private readonly changed: () => void,
  ) {
    this.element = element(
      "details",
      {
        class: "run-compare",
        on: {
          toggle: () => this.element.open && opened(),
          keydown: (event) => {
            if (event.key !== "Escape" || !this.element.open) return;
            event.stopPropagation();
            this.element.open = false;
            this.#summary.focus();
          },
          focusout: ({ relatedTarget }) => {
            if (relatedTarget && !this.element.contains(relatedTarget as Node)) {
              this.element.open = false;
            }
          },
        },
      },
      this.#summary,
      this.#list,
    );
  }

  /** All runs but the view's own. */
  update(runs: readonly RunStatus[]): void {
    const known = new Set(runs.map(({ run }) => run));
    let lost = false;
    for (const run of this.chosen) if (!known.has(run)) lost = this.chosen.delete(run) || lost;
    this.#list.replaceChildren(
      ...(runs.length > 0
        ? runs.map((status) => this.#entry(status))
        : [element("p", { class: "run-hint", text: "There is no other run." })]),
    );
    if (lost) this.#choose();
  }

  add(run: string): void {
    this.chosen.add(run);
    this.#choose();
  }

  #entry({ run, name, state, step }: RunStatus): HTMLElement {
    const box = element("input", {
      attributes: { type: "checkbox", value: run },
      on: {
        change: () => {
          if (box.checked) this.chosen.add(run);
          else this.chosen.delete(run);
          this.#choose();
        },
      },
    });
    box.checked = this.chosen.has(run);
    const facts = element("span", { class: "run-hint", text: `${state}, step ${count(step)}` });
    return element("label", { class: "run-check" }, box, element("span", { text: name }), facts);
  }

  #choose(): void {
    this.#summary.textContent = this.chosen.size > 0 ? `Compare · ${this.chosen.size}` : "Compare";
    this.changed();
  }
}
