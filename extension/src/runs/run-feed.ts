import type { Client, Subscription } from "../protocol/client.js";
import { decodeColumns } from "../protocol/decode.js";
import { messageOf } from "../protocol/errors.js";
import type { HistoryHeader, RunEvent, RunStatus, RunUpdate } from "../protocol/messages.js";
import { Curves } from "./curves.js";

/** Points to begin with. */
const POINTS = 2000;

/** Log lines and the like that a view keeps. */
const EVENTS = 500;

/**
 * What a page knows of one run: its status, its curves and what happened. All views of the page share
 * it, since the kernel keeps one subscription for each channel.
 */
export class RunFeed {
  readonly curves = new Curves();
  events: RunEvent[] = [];
  /** How many events came as news: the last so many of `events` that a view has not seen. */
  news = 0;
  status: RunStatus | null = null;
  /** Why nothing can be shown, in words. */
  problem: string | null = null;
  /** True once the history is there. */
  ready = false;
  readonly #listeners = new Set<() => void>();
  readonly #subscriptions: Subscription[];
  #epoch = -1;
  /** Updates that overtook the history that they belong behind. */
  readonly #early: [RunUpdate, readonly DataView[]][] = [];

  constructor(
    readonly client: Client,
    readonly run: string,
  ) {
    this.#subscriptions = [
      client.on("run.update", (update, buffers) => this.#take(update, buffers)),
      client.on("runs", ({ runs }) => this.#find(runs)),
    ];
    void this.#begin();
  }

  onChange(listener: () => void): Subscription {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#listeners.clear();
    if (!this.client.closed) {
      // Nothing depends on the answer: where the kernel is gone, so is the subscription.
      this.client.request("run.unsubscribe", { run: this.run }).catch(() => undefined);
    }
  }

  async #begin(): Promise<void> {
    try {
      const [list, history] = await Promise.all([
        this.client.request("runs.list", {}),
        this.client.request("run.subscribe", { run: this.run, points: POINTS }),
      ]);
      this.#startWith(history.result, history.buffers);
      // An update that came meanwhile is newer than the list.
      if (!this.status) this.#find(list.result.runs);
      if (!this.status) this.problem = "The kernel does not know this run.";
    } catch (error) {
      this.problem = messageOf(error);
    }
    this.#changed();
  }

  #startWith(header: HistoryHeader, buffers: readonly DataView[]): void {
    this.#epoch = header.epoch;
    this.curves.reset(decodeColumns(header.names, buffers));
    this.events = header.events.slice(-EVENTS);
    this.ready = true;
    for (const [update, columns] of this.#early.splice(0)) this.#take(update, columns);
  }

  #take(update: RunUpdate, buffers: readonly DataView[]): void {
    if (update.run !== this.run || update.epoch < this.#epoch) return;
    if (!this.ready) {
      this.#early.push([update, buffers]);
      return;
    }
    this.status = update.status;
    this.problem = null;
    const columns = decodeColumns(update.names, buffers);
    if (update.reset || update.epoch > this.#epoch) {
      this.#epoch = update.epoch;
      this.curves.reset(columns);
      this.events = [...update.events];
    } else {
      this.curves.append(columns);
      this.events.push(...update.events);
      this.news += update.events.length;
    }
    if (this.events.length > EVENTS) this.events = this.events.slice(-EVENTS);
    this.#changed();
  }

  #find(runs: readonly RunStatus[]): void {
    const status = runs.find(({ run }) => run === this.run);
    if (!status || status.epoch < this.#epoch) return;
    this.status = status;
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

interface Shared {
  readonly feed: RunFeed;
  users: number;
}

const shared = new WeakMap<Client, Map<string, Shared>>();

/** A feed in use, until it is disposed of. */
export interface AcquiredFeed extends Subscription {
  readonly feed: RunFeed;
}

/**
 * A run's feed, the same for all views of a client; `changed` is called whenever there is more. The
 * last one to dispose of it ends it.
 */
export function acquireFeed(client: Client, run: string, changed: () => void): AcquiredFeed {
  const feeds = shared.get(client) ?? new Map<string, Shared>();
  shared.set(client, feeds);
  const entry = feeds.get(run) ?? { feed: new RunFeed(client, run), users: 0 };
  feeds.set(run, entry);
  entry.users++;
  const listening = entry.feed.onChange(changed);
  let released = false;
  return {
    feed: entry.feed,
    dispose: () => {
      if (released) return;
      released = true;
      listening.dispose();
      if (--entry.users > 0) return;
      feeds.delete(run);
      entry.feed.dispose();
    },
  };
}
