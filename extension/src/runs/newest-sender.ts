/** What becomes of values that are sent. */
export interface SenderEvents<Value, Reply> {
  /** The other side took a value. `latest`: nothing newer waits. */
  acknowledged(value: Value, reply: Reply, latest: boolean): void;
  failed(value: Value, error: unknown): void;
  /** A value has been under way for a second. */
  delayed(value: Value): void;
}

/** Milliseconds after which a view says that a change waits. */
const PATIENCE = 1000;

/**
 * Sends the newest of many values, and never a second before the first is answered.
 *
 * A slider gives a value for every pixel. The first goes out at once; those that come while it is
 * under way replace each other, and the last of them follows when the answer is there.
 */
export class NewestSender<Value, Reply> {
  #waiting: { readonly value: Value } | null = null;
  #flying = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #disposed = false;

  constructor(
    private readonly deliver: (value: Value) => Promise<Reply>,
    private readonly events: SenderEvents<Value, Reply>,
    private readonly patience = PATIENCE,
  ) {}

  /** True until the newest value is acknowledged or has failed. */
  get busy(): boolean {
    return this.#flying;
  }

  put(value: Value): void {
    if (this.#disposed) return;
    this.#waiting = { value };
    if (!this.#flying) void this.#sendAll();
  }

  dispose(): void {
    this.#disposed = true;
    this.#waiting = null;
    this.#stopTimer();
  }

  async #sendAll(): Promise<void> {
    this.#flying = true;
    while (this.#waiting) {
      const { value } = this.#waiting;
      this.#waiting = null;
      this.#timer = setTimeout(() => this.events.delayed(value), this.patience);
      try {
        const reply = await this.deliver(value);
        this.#stopTimer();
        if (!this.#waiting) this.#flying = false;
        if (!this.#disposed) this.events.acknowledged(value, reply, !this.#waiting);
      } catch (error) {
        this.#stopTimer();
        if (!this.#waiting) this.#flying = false;
        if (!this.#disposed) this.events.failed(value, error);
      }
    }
    this.#flying = false;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
