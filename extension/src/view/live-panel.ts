import { element, setShown, setText } from "./dom.js";
import type { Link } from "./link.js";
import type { Overlay } from "./overlay.js";
import type { Status } from "./status.js";
import { Tap } from "./tap.js";
import type { Ink } from "./value.js";
import { Watches } from "./watch.js";

/** Below the details, while a run is live: the selected tensor's value, and watches on it. */
export class LivePanel {
  readonly element = element("section", "live", { "aria-label": "Live value", hidden: true });
  tap: Tap | null = null;
  /** The last line of Python that does what was done here. */
  python = "";
  readonly #content = element("div", null);
  readonly #python = element("code", "source", { hidden: true });
  readonly #watches: Watches;
  #tensor: string | null = null;
  #run: string | null = null;

  constructor(
    private readonly link: Link,
    private readonly status: Status,
    private readonly overlay: Overlay,
    private readonly ink: () => Ink,
  ) {
    this.element.append(element("h3", null, {}, "Now"), this.#content, this.#python);
    this.#watches = new Watches(link, status, (line) => this.#showPython(line));
    link.on("tap", (sample, buffers) => this.tap?.receive(sample, buffers));
    overlay.changed.connect(() => this.#update());
  }

  /** Look at another tensor; null at none. */
  setTensor(tensor: string | null): void {
    this.#tensor = tensor;
    this.#update();
  }

  /** Open everything again: the kernel that knew of it is gone. */
  restart(): void {
    this.#stop();
    this.#update();
  }

  redraw(): void {
    this.tap?.draw();
  }

  dispose(): void {
    this.#stop();
  }

  #update(): void {
    const run = this.overlay.run;
    const shown = this.#tensor !== null && run !== null && !this.link.isLost;
    setShown(this.element, shown);
    if (!shown) return this.#stop();
    if (this.tap?.tensor === this.#tensor && this.#run === run) return;
    this.#stop();
    this.#run = run;
    const tensor = this.#tensor as string;
    this.tap = new Tap(run, tensor, this.link, this.status, this.ink);
    this.#content.replaceChildren(
      element("div", "tap-name", {}, tensor),
      this.tap.element,
      this.#watches.form(run, tensor),
    );
    setShown(this.#python, false);
  }

  #stop(): void {
    this.tap?.dispose();
    this.tap = null;
    this.#run = null;
    this.#content.replaceChildren();
  }

  #showPython(line: string): void {
    this.python = line;
    setText(this.#python, line);
    setShown(this.#python, true);
  }
}
