import type { Client, Subscription } from "../protocol/client.js";
import { ProtocolError } from "../protocol/errors.js";

/** Milliseconds between two questions. */
const PERIOD = 15_000;

/**
 * Asks the kernel now and then whether it is there, over a channel that does not tell. A kernel that
 * is busy with a cell cannot answer either: what is said has to leave that open.
 */
export class Heartbeat implements Subscription {
  readonly #timer: ReturnType<typeof setInterval>;
  #asking = false;
  #silent = false;

  constructor(
    private readonly client: Client,
    private readonly changed: (silent: boolean) => void,
    period = PERIOD,
  ) {
    this.#timer = setInterval(() => void this.#ask(), period);
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.client.closed) return;
    this.#asking = true;
    let silent = false;
    try {
      await this.client.request("hello", {});
    } catch (error) {
      // A refusal is an answer.
      silent = !(error instanceof ProtocolError) || error.isSilence;
    }
    this.#asking = false;
    if (silent === this.#silent) return;
    this.#silent = silent;
    this.changed(silent);
  }
}
