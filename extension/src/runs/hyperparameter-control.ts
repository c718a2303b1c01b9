import type { Subscription } from "../protocol/client.js";
import { toNumber } from "../protocol/decode.js";
import { messageOf, ProtocolError } from "../protocol/errors.js";
import type {
  CommandResult,
  Hyperparameter,
  HyperparameterValue,
  RunEvent,
} from "../protocol/messages.js";
import { textOf } from "./comparison.js";
import { element, setHidden, setText, uniqueId } from "./dom.js";
import { count, exact } from "./format.js";
import { NewestSender } from "./newest-sender.js";
import { readNumber, type SliderScale, sliderScale } from "./scale.js";

/** What a change needs from outside. */
export type SetHyperparameter = (
  name: string,
  value: HyperparameterValue,
) => Promise<CommandResult>;

/** Milliseconds in which the run's status may still be one from before an acknowledged change. */
const SETTLING = 400;

type Mood = "plain" | "waiting" | "done" | "wrong";

/** One hyperparameter: its name, what changes it, its value, and what became of the last change. */
export class HyperparameterControl implements Subscription {
  readonly element: HTMLElement;
  readonly #note: HTMLElement;
  readonly #sender: NewestSender<HyperparameterValue, CommandResult>;
  readonly #scale: SliderScale | null;
  readonly #slider: HTMLInputElement | null;
  readonly #field: HTMLInputElement | HTMLSelectElement;
  #known: Hyperparameter;
  /** The value that was sent last, until the run is known to have it. */
  #wanted: HyperparameterValue | null = null;
  #settling: ReturnType<typeof setTimeout> | null = null;
  #dragging = false;

  constructor(hyperparameter: Hyperparameter, set: SetHyperparameter) {
    this.#known = hyperparameter;
    const { name } = hyperparameter;
    this.#sender = new NewestSender((value) => set(name, value), {
      acknowledged: (value, { step }, latest) => latest && this.#done(value, step),
      delayed: () => this.#tell("waiting", "will apply when the cell ends"),
      failed: (_value, error) => this.#failed(error),
    });
    const label = uniqueId("label");
    const note = uniqueId("note");
    const described = { "aria-labelledby": label, "aria-describedby": note };
    this.#scale = sliderScale(hyperparameter);
    this.#slider = this.#scale ? this.#makeSlider(this.#scale, described) : null;
    this.#field = this.#makeField(described);
    this.#note = element("span", {
      class: "run-setting-note",
      attributes: { id: note, role: "status", "aria-live": "polite" },
    });
    const title = element("span", {
      class: "run-setting-name",
      text: name,
      attributes: { id: label },
    });
    this.element = element("div", { class: "run-setting" }, title, this.#note, this.#field);
    if (this.#slider) this.element.append(this.#slider);
    this.#show(hyperparameter.value);
  }

  /** Take the run's value, unless this control is just being used. */
  update(hyperparameter: Hyperparameter, enabled: boolean): void {
    this.#known = hyperparameter;
    for (const input of [this.#slider, this.#field]) if (input) input.disabled = !enabled;
    if (this.#wanted === null) this.#showKnown();
  }

  /** A change was recorded: also one whose answer never came, or that was made elsewhere. */
  recorded(event: RunEvent): void {
    const value = event.values?.[this.#known.name];
    if (value === undefined || this.#dragging || this.#sender.busy) return;
    this.#done(value, event.step);
  }

  /** Say nothing any more about the last change. */
  forget(): void {
    if (!this.#sender.busy) this.#tell("plain", "");
  }

  snapshot(): object {
    return {
      name: this.#known.name,
      value: this.#known.value,
      field: this.#field.type === "checkbox" ? this.#isChecked : this.#field.value,
      position: this.#slider ? Number(this.#slider.value) : null,
      note: this.#note.textContent,
    };
  }

  dispose(): void {
    this.#sender.dispose();
    this.#stopSettling();
  }

  get #isChecked(): boolean {
    return this.#field instanceof HTMLInputElement && this.#field.checked;
  }

  #makeSlider(scale: SliderScale, attributes: Record<string, string>): HTMLInputElement {
    const free = () => {
      this.#dragging = false;
      if (this.#wanted === null) this.#showKnown();
    };
    const slider = element("input", {
      class: "run-setting-slider",
      attributes: {
        type: "range",
        min: "0",
        max: String(scale.positions),
        step: "1",
        ...attributes,
      },
      on: {
        pointerdown: () => (this.#dragging = true),
        pointerup: free,
        pointercancel: free,
        change: free,
        blur: free,
        input: () => this.#change(scale.valueAt(Number(slider.value))),
      },
    });
    return slider;
  }

  #makeField(attributes: Record<string, string>): HTMLInputElement | HTMLSelectElement {
    const { type, choices, value } = this.#known;
    if (type === "choice") {
      const options = choices ?? [value];
      const select = element(
        "select",
        {
          class: "run-field",
          attributes,
          on: { change: () => this.#change(options[select.selectedIndex]) },
        },
        ...options.map((choice) => element("option", { text: textOf(choice) })),
      );
      return select;
    }
    if (type === "bool") {
      const box = element("input", {
        class: "run-switch",
        attributes: { type: "checkbox", role: "switch", ...attributes },
        on: { change: () => this.#change(box.checked) },
      });
      return box;
    }
    const field = element("input", {
      class: "run-field",
      attributes: {
        type: "text",
        inputmode: "decimal",
        spellcheck: "false",
        autocomplete: "off",
        ...attributes,
      },
      on: {
        change: () => this.#read(field),
        keydown: (event) => {
          if (event.key === "Enter") field.blur();
          if (event.key === "Escape") this.#correct(field);
        },
      },
    });
    return field;
  }

  #read(field: HTMLInputElement): void {
    const read = readNumber(field.value, this.#known);
    field.setAttribute("aria-invalid", String("problem" in read));
    if ("problem" in read) this.#tell("wrong", read.problem);
    else this.#change(read.value);
  }

  /** Drop what was typed. */
  #correct(field: HTMLInputElement): void {
    field.value = exact(toNumber(this.#known.value as number));
    field.removeAttribute("aria-invalid");
    this.#tell("plain", "");
    field.blur();
  }

  #change(value: HyperparameterValue): void {
    this.#wanted = value;
    this.#stopSettling();
    this.#tell("plain", "");
    this.#field.removeAttribute("aria-invalid");
    this.#show(value);
    this.#sender.put(value);
  }

  #done(value: HyperparameterValue, step: number): void {
    this.#tell("done", `${textOf(value)} from step ${count(step)}`);
    this.#show(value);
    this.#stopSettling();
    this.#settling = setTimeout(() => {
      this.#wanted = null;
      this.#showKnown();
    }, SETTLING);
  }

  #showKnown(): void {
    if (!this.#dragging && !this.#sender.busy) this.#show(this.#known.value);
  }

  #stopSettling(): void {
    if (this.#settling !== null) clearTimeout(this.#settling);
    this.#settling = null;
  }

  #failed(error: unknown): void {
    if (error instanceof ProtocolError && error.isBusy) {
      // It was sent and is not sent again: the event will tell when it has taken effect.
      this.#tell("waiting", "will apply when the cell ends");
      return;
    }
    this.#wanted = null;
    this.#tell("wrong", messageOf(error));
    this.#show(this.#known.value);
  }

  #show(value: HyperparameterValue): void {
    const field = this.#field;
    if (field instanceof HTMLSelectElement) {
      field.selectedIndex = (this.#known.choices ?? [this.#known.value]).indexOf(value);
      return;
    }
    if (typeof value === "boolean") {
      field.checked = value;
      return;
    }
    const number = typeof value === "number" ? value : toNumber(value as "NaN");
    // What was typed and refused stays to be corrected.
    if (!this.#isTyping() && field.getAttribute("aria-invalid") !== "true") {
      field.value = exact(number);
    }
    if (!this.#slider || !this.#scale) return;
    const position = this.#scale.positionOf(number);
    // A slider in the hand of the user knows better than its rounded value.
    if (!this.#dragging) this.#slider.value = String(position);
    this.#slider.setAttribute("aria-valuetext", exact(number));
    this.#slider.style.setProperty("--share", String(position / this.#scale.positions));
  }

  #isTyping(): boolean {
    return this.#field.type === "text" && this.#field.ownerDocument.activeElement === this.#field;
  }

  #tell(mood: Mood, text: string): void {
    setText(this.#note, text);
    this.#note.dataset["mood"] = mood;
    setHidden(this.#note, text === "");
  }
}
