/** What the methods and notifications of docs/protocol.md carry. */

/** JSON has no word for these three, so they travel as text. */
export type WireNumber = number | "NaN" | "Infinity" | "-Infinity";

export interface Hello {
  readonly protocol: number;
  readonly version: string;
  /** Another one after a restart. */
  readonly kernel: string;
  readonly graphs: readonly GraphSummary[];
  readonly runs: readonly RunStatus[];
}

export interface GraphSummary {
  readonly graph: string;
  readonly operations: number;
  readonly version: number;
}

/** Comes with fourteen buffers, see decodeGraph. */
export interface GraphHeader {
  readonly graph: string;
  readonly version: number;
  readonly operations: number;
  readonly edges: number;
  readonly types: readonly string[];
  readonly devices: readonly string[];
  /** The devices that operations run on, whatever they ask for; the last buffer has that of each. */
  readonly places?: readonly string[];
  readonly shapes: readonly string[];
  readonly against: string | null;
  /** Bodies of conditionals and loops; the last three buffers are empty where there are none. */
  readonly bodies?: readonly {
    readonly operation: number;
    readonly part: string;
    readonly signature: number;
  }[];
}

/** A line of the user's. */
export interface Line {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly cell: string | null;
}

export interface NodeDetails {
  readonly name: string;
  readonly type: string;
  /** That it asks for. */
  readonly device: string;
  /** Where it runs, and why; null in a diff. */
  readonly runs_on?: { readonly device: string; readonly why: string } | null;
  readonly role: number;
  readonly inputs: readonly { readonly tensor: string; readonly shape: string }[];
  readonly outputs: readonly {
    readonly tensor: string;
    readonly shape: string;
    readonly consumers: readonly string[];
  }[];
  readonly control_inputs: readonly string[];
  readonly attributes: readonly (readonly [string, string])[];
  readonly line: Line | null;
  /** The conditional or loop around it, and which of its bodies it is in. */
  readonly inside?: { readonly operation: string; readonly part: string } | null;
  readonly was: {
    readonly type?: string;
    readonly device?: string;
    readonly attributes?: readonly (readonly [string, string])[];
    readonly inputs?: NodeDetails["inputs"];
    readonly outputs?: NodeDetails["outputs"];
  } | null;
  /** In a diff: what is another than it was, in words. */
  readonly changes?: readonly string[];
}

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
    Record<"sent" | "received" | "shared" | "total_sent" | "total_received", number | null>
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

interface LogPlace {
  readonly pool: string;
  readonly worker: number | null;
}

type Nothing = Record<string, never>;

/** What can be asked for: parameters and result of every method. */
export interface Methods {
  hello: { params: Nothing; result: Hello };
  received: { params: { readonly sequence: number }; result: Nothing };
  "graph.get": {
    params: { readonly graph: string; readonly against?: string | null };
    result: GraphHeader;
  };
  "graph.node": {
    params: {
      readonly graph: string;
      readonly node: number;
      /** Of which of a view's pictures of that name the node is. */
      readonly against: string | null;
      readonly version: number;
    };
    result: NodeDetails;
  };
  "runs.list": { params: Nothing; result: { readonly runs: readonly RunStatus[] } };
  "runs.subscribe": { params: Nothing; result: Nothing };
  "runs.delete": { params: { readonly run: string }; result: Nothing };
  "run.subscribe": {
    params: { readonly run: string; readonly points?: number };
    result: HistoryHeader;
  };
  "run.unsubscribe": { params: { readonly run: string }; result: Nothing };
  "run.history": {
    params: {
      readonly run: string;
      readonly points?: number;
      readonly first?: number | null;
      readonly last?: number | null;
    };
    result: HistoryHeader;
  };
  "run.command": {
    params: {
      [Name in keyof Commands]: {
        readonly run: string;
        readonly command: Name;
        readonly arguments: Commands[Name];
      };
    }[keyof Commands];
    result: CommandResult;
  };
  "bokeh.script": { params: Nothing; result: { readonly version: string } };
  "overlay.subscribe": {
    params: {
      readonly run: string;
      readonly channels: readonly OverlayChannel[];
      readonly subscription?: string;
    };
    result: { readonly channels: readonly OverlayChannel[]; readonly rate: number };
  };
  "overlay.unsubscribe": {
    params: { readonly run: string; readonly subscription?: string };
    result: Nothing;
  };
  "tap.open": {
    params: { readonly run: string; readonly tensor: string };
    result: { readonly tap: string };
  };
  "tap.close": { params: { readonly tap: string }; result: Nothing };
  "pools.subscribe": { params: Nothing; result: Nothing };
  "pools.unsubscribe": { params: Nothing; result: Nothing };
  "pool.start": {
    params: {
      readonly name: string | null;
      readonly workers: number;
      readonly devices: number;
    };
    result: { readonly pool: string; readonly python: string };
  };
  "pool.restart": {
    params: { readonly pool: string };
    result: { readonly python: string };
  };
  "pool.scale": {
    params: { readonly pool: string; readonly workers: number };
    result: { readonly python: string };
  };
  "pool.stop": {
    /** `despite`: the runs that go on there, as far as the user knows of them. */
    params: { readonly pool: string; readonly despite: readonly string[] };
    result: { readonly python: string };
  };
  "log.subscribe": { params: LogPlace; result: Nothing };
  "log.unsubscribe": { params: LogPlace; result: Nothing };
}

/** What comes unasked. */
export interface Notifications {
  "graph.changed": GraphSummary;
  runs: { readonly runs: readonly RunStatus[] };
  "run.update": RunUpdate;
  overlay: OverlayFrame;
  tap: TapSample;
  /** Comes with a buffer for each worker. */
  pools: { readonly pools: readonly PoolStatus[] };
  log: LogLines;
}
