/** The methods and notifications of docs/protocol.md. */

import type { GraphHeader, GraphSummary, NodeDetails } from "./graph-messages.js";
import type { LogLines, LogPlace, PoolStatus } from "./pool-messages.js";
import type {
  CommandResult,
  Commands,
  HistoryHeader,
  OverlayChannel,
  OverlayFrame,
  RunStatus,
  RunUpdate,
  TapSample,
} from "./run-messages.js";

export type * from "./graph-messages.js";
export type * from "./pool-messages.js";
export type * from "./run-messages.js";
export type * from "./wire-words.js";

export interface Hello {
  readonly protocol: number;
  readonly version: string;
  /** Another one after a restart. */
  readonly kernel: string;
  readonly graphs: readonly GraphSummary[];
  readonly runs: readonly RunStatus[];
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
