import type { Client } from "../protocol/client.js";
import { decodeColumns, toNumber } from "../protocol/decode.js";
import type { RunStatus } from "../protocol/messages.js";
import { Curves } from "./curves.js";

/** Points of a small curve. */
const POINTS = 120;

/**
 * The small curves of a list of runs. The past comes from the kernel, one run at a time so that a
 * long list keeps nothing else waiting; what follows is taken from the statuses that come anyway.
 */
export class Sparks {
  readonly #curves = new Map<string, Curves>();
  readonly #epochs = new Map<string, number>();
  readonly #wanted: string[] = [];
  #loading = false;
  #client: Client;

  constructor(
    client: Client,
    private readonly changed: () => void,
  ) {
    this.#client = client;
  }

  connect(client: Client): void {
    this.#client = client;
    this.#wanted.length = 0;
    this.#epochs.clear();
  }

  /** The curve of a run's first tracked name, as far as it is known. */
  curveOf(status: RunStatus): {
    readonly steps: readonly number[];
    readonly values: readonly number[];
  } {
    const curves = this.#curves.get(status.run);
    return { steps: curves?.steps ?? [], values: curves?.of(curves.names[0] ?? "") ?? [] };
  }

  update(runs: readonly RunStatus[]): void {
    for (const status of runs) {
      if (this.#epochs.get(status.run) !== status.epoch) {
        this.#epochs.set(status.run, status.epoch);
        this.#wanted.push(status.run);
      } else {
        this.#extend(status);
      }
    }
    const known = new Set(runs.map(({ run }) => run));
    for (const run of this.#curves.keys()) if (!known.has(run)) this.#curves.delete(run);
    if (!this.#loading) void this.#load();
  }

  #extend({ run, step, values }: RunStatus): void {
    const curves = this.#curves.get(run);
    if (!curves || curves.names.length === 0) return;
    const now = curves.names.map((name): [string, Float64Array] => [
      name,
      Float64Array.of(toNumber(values[name])),
    ]);
    curves.append({ steps: Float64Array.of(step), values: new Map(now) });
  }

  async #load(): Promise<void> {
    this.#loading = true;
    const client = this.#client;
    while (client === this.#client && !client.closed) {
      const run = this.#wanted.shift();
      if (run === undefined) break;
      try {
        const { result, buffers } = await client.request("run.history", { run, points: POINTS });
        const curves = new Curves(2 * POINTS);
        curves.reset(decodeColumns(result.names, buffers));
        this.#curves.set(run, curves);
        this.changed();
      } catch {
        // A run without readable history has no curve in the list; opening it says why.
        this.#curves.delete(run);
      }
    }
    this.#loading = false;
  }
}
