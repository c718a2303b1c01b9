/** What messages about pools carry. */

import type { RunState } from "./run-messages.js";

/** What a worker does, in shares of the time since the last look. */
export type WorkShares = Readonly<Record<"compute" | "exchange" | "wait", number>>;

/** A run that goes on at a worker. */
export interface WorkerRun {
  readonly run: string;
  readonly name: string;
  readonly state: RunState;
  readonly step: number;
  readonly steps: number | null;
  readonly rate: number | null;
  /** It comes to a run that others train, and takes no step of it yet. */
  readonly joins?: boolean;
}

export interface WorkerStatus {
  readonly index: number;
  readonly name: string;
  readonly pid: number;
  readonly host: string;
  readonly address: string;
  readonly devices: readonly string[];
  readonly folder: string;
  readonly state: "starting" | "idle" | "running" | "paused" | "silent";
  /** Seconds without a word, 0 while it answers. */
  readonly silent: number;
  /** Bytes. */
  readonly memory: number;
  readonly memory_of_machine: number | null;
  readonly threads: number | null;
  /** Of one processor: 1.5 are one and a half. */
  readonly processor: number | null;
  /** Bytes a second, and in all. */
  readonly wire: Readonly<
    Record<
      "sent" | "received" | "shared" | "saved" | "total_sent" | "total_received" | "total_saved",
      number | null
    >
  >;
  readonly shares: WorkShares | null;
  readonly runs: readonly WorkerRun[];
  /** Steps of sessions that others lead. */
  readonly steps: readonly {
    readonly step: number;
    readonly seconds: number;
    readonly awaited: string;
  }[];
  /** Of the notification's buffers, the one with what it did: see decodeSpans. */
  readonly spans: number;
}

export interface PoolStatus {
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  /** The process that keeps it; 0 for a pool of others. */
  readonly pid: number;
  readonly since: number;
  readonly state: "starting" | "alive" | "silent" | "restarting" | "dead";
  readonly epoch: number;
  readonly can_scale: boolean;
  /** How many workers it is to have; null where that is not known. */
  readonly wanted: number | null;
  /** Why it is not known how it is. */
  readonly trouble: string | null;
  readonly workers: readonly WorkerStatus[];
}

/** Lines of a worker, or of the pool's own process. */
export interface LogLines {
  readonly pool: string;
  readonly worker: number | null;
  readonly first: number;
  readonly lines: readonly string[];
  /** Forget those before: they are another process's, or there are gaps. */
  readonly reset?: boolean;
}

export interface LogPlace {
  readonly pool: string;
  readonly worker: number | null;
}
