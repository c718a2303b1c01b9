/** What messages about runs carry, and about what is seen of them. */

import type { Line, WireNumber } from "./wire-words.js";

export type RunState =
  | "created"
  | "running"
  | "paused"
  | "finished"
  | "stopped"
  | "failed"
  | "interrupted";

export type HyperparameterValue = WireNumber | string | boolean;

export interface Hyperparameter {
  readonly name: string;
  readonly type: "float" | "int" | "bool" | "choice";
  readonly value: HyperparameterValue;
  readonly low: WireNumber | null;
  readonly high: WireNumber | null;
  readonly log: boolean;
  readonly choices: readonly HyperparameterValue[] | null;
}

/** A tensor that went into an operation that failed or that a watch stopped at. */
export interface InputSummary {
  readonly tensor: string;
  readonly shape: string;
  readonly summary: string;
}

export interface RunFailure {
  readonly message: string;
  readonly operation: string | null;
  readonly line: Line | null;
  readonly inputs: readonly InputSummary[];
}

export interface WatchStop {
  readonly watch: string;
  readonly tensor: string;
  readonly value: string;
  /** What the line and the inputs are about: the first to give a value that is not finite. */
  readonly operation: string;
  readonly step: number;
  readonly line: Line | null;
  readonly inputs: readonly InputSummary[];
}

/** One of the workers that train a run together. */
export interface Replica {
  readonly worker: string;
  /** It has the run: it obeys and records. */
  readonly leads: boolean;
  readonly state: "joining" | "computes" | "waits" | "rests";
  readonly step?: number;
  readonly rate?: number;
  /** The share of the time in which it waited for the others. */
  readonly waiting?: number;
  /** For how long it has been in this state, where that is long. */
  readonly seconds?: number;
  readonly pid?: number;
}

/** How they train it together, as `wb.run` was told. */
export interface Terms {
  /** How many there are to be. */
  readonly replicas: number;
  readonly strategy: string;
  /** Of what they send each other; null where it goes as it is. */
  readonly encoding: string | null;
}

export interface RunStatus {
  readonly run: string;
  readonly name: string;
  readonly state: RunState;
  readonly step: number;
  readonly steps: number | null;
  readonly rate: number | null;
  readonly eta: number | null;
  readonly seconds: number;
  readonly values: Readonly<Record<string, WireNumber>>;
  readonly observer_cost: number;
  readonly hyperparameters: readonly Hyperparameter[];
  readonly graph: string | null;
  readonly folder: string;
  readonly parent: { readonly run: string; readonly step: number } | null;
  /** Its loop is in this kernel. */
  readonly live: boolean;
  /** Counts rewinds: data of an earlier epoch is stale. */
  readonly epoch: number;
  readonly error: RunFailure | null;
  readonly stopped_by: WatchStop | null;
  /** Empty for a run of one process. */
  readonly replicas?: readonly Replica[];
  /** Null for a run of one process. */
  readonly terms?: Terms | null;
}

export interface RunEvent {
  readonly step: number;
  readonly kind:
    | "set"
    | "pause"
    | "resume"
    | "stop"
    | "rewind"
    | "fork"
    | "watch"
    | "failed"
    | "log";
  readonly text: string;
  readonly values?: Readonly<Record<string, HyperparameterValue>>;
}

/** Comes with f64 buffers: the steps, then the values of each name. */
export interface HistoryHeader {
  readonly run: string;
  readonly epoch: number;
  readonly names: readonly string[];
  readonly count: number;
  readonly events: readonly RunEvent[];
}

export interface RunUpdate {
  readonly run: string;
  readonly epoch: number;
  readonly status: RunStatus;
  readonly names: readonly string[];
  readonly events: readonly RunEvent[];
  /** Forget everything: this is the whole history. */
  readonly reset?: boolean;
}

/** The arguments of each command of a run. */
export interface Commands {
  pause: Record<string, never>;
  resume: Record<string, never>;
  stop: Record<string, never>;
  step: { readonly count: number };
  set: Readonly<Record<string, HyperparameterValue>>;
  rewind: { readonly step: number };
  snapshot: Record<string, never>;
  fork: {
    readonly step: number | null;
    readonly values: Readonly<Record<string, HyperparameterValue>>;
    readonly name: string | null;
  };
  watch: {
    readonly tensor: string;
    readonly when: "not finite" | "above" | "below";
    readonly threshold: number | null;
  };
  unwatch: { readonly watch: string };
}

export interface CommandResult {
  /** At which it took effect. */
  readonly step: number;
  /** The line that does the same. */
  readonly python?: string;
  /** The new run, of a fork. */
  readonly run?: string;
  /** The new watch. */
  readonly watch?: string;
}

export type OverlayChannel =
  | "time"
  | "memory"
  | "calls"
  | "mean"
  | "deviation"
  | "zeros"
  | "nonfinite"
  | "passes"
  | "taken";

/** Comes with one f32 buffer for each channel. */
export interface OverlayFrame {
  readonly run: string;
  readonly graph: string;
  readonly version: number;
  readonly step: number;
  readonly channels: readonly OverlayChannel[];
  /** Whose it is, of several pictures on one connection. */
  readonly subscription?: string | null;
}

/** Comes with four buffers, see decodeTap. */
export interface TapSample {
  readonly tap: string;
  readonly run: string;
  readonly tensor: string;
  readonly step: number;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly kind: "number" | "vector" | "image" | "matrix" | "histogram" | "text";
  readonly summary: Readonly<
    Record<
      "mean" | "deviation" | "minimum" | "maximum" | "zeros" | "nonfinite" | "size",
      WireNumber | null
    >
  > | null;
  readonly samples: number;
  readonly text: string | null;
  readonly images: number | null;
  readonly rows: number | null;
  readonly columns: number | null;
  readonly color: boolean | null;
}
