/**
 * Keeps the newest of many values and hands it on once per animation frame.
 *
 * A tab in the background draws no frames, so a view that nobody sees costs nothing and shows the
 * newest value at once when it comes back.
 */
export class Newest<Value> {
  #value: { readonly value: Value } | null = null;
  #frame: number | null = null;
  #disposed = false;

  constructor(
    private readonly use: (value: Value) => void,
    private readonly frames: Frames = animationFrames,
  ) {}

  put(value: Value): void {
    if (this.#disposed) return;
    this.#value = { value };
    this.#frame ??= this.frames.request(() => this.#drain());
  }

  dispose(): void {
    this.#disposed = true;
    this.#value = null;
    if (this.#frame !== null) this.frames.cancel(this.#frame);
    this.#frame = null;
  }

  #drain(): void {
    const newest = this.#value;
    this.#value = null;
    this.#frame = null;
    if (newest) this.use(newest.value);
  }
}

/** Where frames come from; tests have their own. */
export interface Frames {
  request(callback: () => void): number;
  cancel(frame: number): void;
}

const animationFrames: Frames = {
  request: (callback) => requestAnimationFrame(callback),
  cancel: (frame) => cancelAnimationFrame(frame),
};
