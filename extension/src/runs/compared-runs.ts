import type { AcquiredFeed, RunFeed } from "./run-feed.js";

/** The runs whose curves are laid beside those of the one that is shown. */
export class ComparedRuns {
  readonly #feeds = new Map<string, AcquiredFeed>();

  constructor(private readonly acquire: (run: string) => AcquiredFeed) {}

  get feeds(): readonly RunFeed[] {
    return [...this.#feeds.values()].map(({ feed }) => feed);
  }

  /** Have the feeds of these runs, and of no others; new ones only where there is a connection. */
  choose(chosen: ReadonlySet<string>, connected: boolean): void {
    for (const [run, feed] of this.#feeds) {
      if (chosen.has(run)) continue;
      feed.dispose();
      this.#feeds.delete(run);
    }
    if (!connected) return;
    for (const run of chosen) {
      if (!this.#feeds.has(run)) this.#feeds.set(run, this.acquire(run));
    }
  }

  dispose(): void {
    for (const feed of this.#feeds.values()) feed.dispose();
    this.#feeds.clear();
  }
}
