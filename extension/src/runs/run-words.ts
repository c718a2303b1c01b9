import { element, setHidden, setText } from "./dom.js";
import { icon } from "./icons.js";

export type Mood = "wrong" | "gone";

/** What a run's view says of itself: what is wrong, above; what was just done, beside the buttons. */
export class RunWords {
  readonly message = element("div", {
    class: "run-message",
    attributes: { role: "status", "aria-live": "polite" },
  });
  /** Where nothing moves when it comes and goes. */
  readonly news = element("span", {
    class: "run-news",
    attributes: { role: "status", "aria-live": "polite" },
  });
  #timer: ReturnType<typeof setTimeout> | null = null;
  #disposed = false;

  constructor() {
    this.message.hidden = true;
  }

  /** Both, as text, for tests. */
  get texts(): { message: string | null; news: string | null } {
    return {
      message: this.message.hidden ? null : this.message.textContent,
      news: this.news.textContent || null,
    };
  }

  tell(mood: Mood | null, text: string): void {
    setHidden(this.message, text === "");
    if (mood) this.message.dataset["mood"] = mood;
    this.message.replaceChildren(...(mood ? [icon("warning")] : []), text);
  }

  /** Say what became of a command, for a while or until the next. */
  report(text: string, milliseconds: number | null): void {
    this.#stop();
    if (this.#disposed) return;
    setText(this.news, text);
    if (milliseconds === null) return;
    this.#timer = setTimeout(() => setText(this.news, ""), milliseconds);
  }

  dispose(): void {
    this.#disposed = true;
    this.#stop();
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
