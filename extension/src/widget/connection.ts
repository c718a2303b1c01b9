import { Client, type Subscription } from "../protocol/client.js";
import { Heartbeat } from "./heartbeat.js";
import { linkOfPage } from "./page.js";

/**
 * Milliseconds after which a lost kernel is looked for again: a restart takes a second or two. Later
 * on it is looked for whenever it has executed something.
 */
const RETRIES = [3_000, 15_000];

export interface ConnectionEvents {
  /** The kernel is there again; it may be another one. */
  connected(client: Client): void;
  /** The kernel is gone, or silent; `again`: it makes sense to try. */
  lost(text: string, again: boolean): void;
  /** It was silent and has answered. */
  back(): void;
}

/** A cell's way to its kernel: by the page's channel, else by the widget's own messages. */
export class Connection implements Subscription {
  /** Whose channel it is: a page that gives one can open cells and panels too. */
  readonly byPage: boolean;
  #client: Client;
  #heartbeat: Heartbeat | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #tries = 0;
  #disposed = false;
  #looking = false;
  /** It was asked for again meanwhile. */
  #lookAgain = false;
  readonly #executed: Subscription | null;

  constructor(
    private readonly element: HTMLElement,
    ownClient: () => Client,
    private readonly events: ConnectionEvents,
  ) {
    const link = linkOfPage(element);
    this.byPage = link !== null;
    this.#client = link ? new Client(link.channel) : ownClient();
    this.#executed = link?.onExecuted?.(() => this.#look()) ?? null;
    this.#watch();
  }

  get client(): Client {
    return this.#client;
  }

  /** Look for the kernel now. */
  retry(): void {
    this.#stopTimer();
    void this.#reconnect();
  }

  /** The kernel has executed something, which may have made it answer again. */
  #look(): void {
    if (!this.#disposed && this.#client.closed) this.retry();
  }

  dispose(): void {
    this.#disposed = true;
    this.#stopTimer();
    this.#executed?.dispose();
    this.#heartbeat?.dispose();
    // The widget's own messages are shared by all its views, and end with the widget.
    if (this.byPage) this.#client.dispose();
  }

  #watch(): void {
    this.#client.onClose(() => this.#lose());
    this.#heartbeat?.dispose();
    // A channel of the page tells when the kernel is gone.
    if (this.byPage) return;
    this.#heartbeat = new Heartbeat(this.#client, (silent) => {
      if (!silent) this.events.back();
      else this.events.lost("The kernel does not answer: it is busy, or gone.", false);
    });
  }

  #lose(): void {
    if (this.#disposed) return;
    if (!this.byPage) {
      this.events.lost("Run the cell again for a live view.", false);
      return;
    }
    this.#retrySoon();
  }

  async #reconnect(): Promise<void> {
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    const link = linkOfPage(this.element);
    if (!link) {
      this.events.lost("There is no kernel.", true);
      this.#retrySoon();
      return;
    }
    const client = new Client(link.channel);
    const previous = this.#client;
    this.#looking = true;
    this.#lookAgain = false;
    try {
      await client.hello();
    } catch {
      client.dispose();
      this.#looking = false;
      if (this.#disposed) return;
      const text = "The kernel has no workbench loaded: %load_ext workbench brings this view back.";
      this.events.lost(text, true);
      if (this.#lookAgain) this.retry();
      else this.#retrySoon();
      return;
    }
    this.#looking = false;
    if (this.#disposed) {
      client.dispose();
      return;
    }
    previous.dispose();
    this.#client = client;
    this.#tries = 0;
    this.#watch();
    this.events.connected(client);
  }

  /** A restart is over in a few seconds; what takes longer is for the user to say. */
  #retrySoon(): void {
    const wait = RETRIES[this.#tries++];
    if (wait !== undefined) this.#timer = setTimeout(() => void this.#reconnect(), wait);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
