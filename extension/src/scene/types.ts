/**
 * What the parts of the graph view hand to each other. Everything here is plain data that a worker
 * can post: strings, numbers and typed arrays.
 *
 * An *item* is a number: operations are 0 to n - 1, those in bodies of conditionals and loops after
 * all others, in creation order; behind them come the name scopes, the bodies and the series
 * (repeated blocks folded into one). Items keep their numbers for the life of
 * a graph's hierarchy. A *box* is an item that a scene shows, by its index in that scene.
 */

import type { Finding } from "./finding.js";

/** What an operation is there for. */
export const Role = { forward: 0, backward: 1, update: 2, auxiliary: 3 } as const;

/** What became of an operation or edge in a diff. */
export const Status = { same: 0, added: 1, removed: 2, changed: 3 } as const;

/** A body of a conditional or loop: the operation that has it, and "then", "else", "cond" or "body". */
export interface Body {
  readonly operation: number;
  readonly part: string;
}

/** A graph as the kernel sends it, see docs/protocol.md. */
export interface Graph {
  readonly name: string;
  readonly version: number;
  /** Operation names in creation order; there are as many as operations. */
  readonly names: readonly string[];
  /** The tables that `type`, `device` and `edgeShape` point into. */
  readonly types: readonly string[];
  readonly devices: readonly string[];
  readonly shapes: readonly string[];
  readonly type: Uint16Array;
  readonly device: Uint16Array;
  readonly role: Uint8Array;
  readonly edgeSource: Uint32Array;
  readonly edgeTarget: Uint32Array;
  /** Output index at the source; 65535 for control edges. */
  readonly edgeOutput: Uint16Array;
  readonly edgeShape: Uint32Array;
  /** In a diff only: a Status for each operation and each edge. */
  readonly status: Uint8Array | null;
  readonly edgeStatus: Uint8Array | null;
  readonly nesting: Nesting | null;
}

/** What a graph with conditionals and loops has more; operations in bodies come after all others. */
export interface Nesting {
  /** Each after the one that its operation is in. */
  readonly bodies: readonly Body[];
  /** The body of each operation, counted from 1; 0 for what is in none. */
  readonly body: Uint16Array;
  /** Whose output `edgeOutput` counts: the source, or the conditional or loop around it. */
  readonly edgeOwner: Uint32Array;
  /** 1 for edges from one pass of a loop to the next. */
  readonly edgeBack: Uint8Array;
}

export const CONTROL = 65535;

/** Loops and conditions are operations that can be opened, as scopes and series can. */
export const Kind = { operation: 0, scope: 1, series: 2, loop: 3, condition: 4 } as const;

/** Bits of `Scene.flag`. */
export const BoxFlag = {
  open: 1,
  /** Taken out of the flow and set beside it: gradients, optimizer, saving. */
  aside: 2,
  /** Holds something added, removed or changed in a diff, see also `status`. */
  differs: 4,
} as const;

/** Bits of `Scene.edgeFlag`. */
export const EdgeFlag = {
  control: 1,
  /** Runs against the flow because it closes a cycle, or leads to the next pass of a loop. */
  back: 2,
  /** Leads to or from something set aside: drawn only for the selection or under the pointer. */
  quiet: 4,
} as const;

/**
 * The picture for one set of open scopes, as a struct of arrays. Boxes come with every scope before
 * what it holds, so that they can be painted in this order. Coordinates are in pixels at zoom 1.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly item: Uint32Array;
  /** Index of the box around it, -1 at the top. */
  readonly parent: Int32Array;
  readonly kind: Uint8Array;
  /** Kind.loop or Kind.condition for those and for name scopes made for one; else 0. */
  readonly mark: Uint8Array;
  readonly flag: Uint8Array;
  readonly role: Uint8Array;
  /** Status in a diff; for scopes the worst of what they hold. */
  readonly status: Uint8Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly boxWidth: Float32Array;
  readonly boxHeight: Float32Array;
  /** Operations inside (1 for an operation). */
  readonly operations: Uint32Array;
  /** Blocks in a series, else 1. */
  readonly repeats: Uint32Array;
  /** Full names, labels (the last part; "block_1..24" for a series) and types ("" for scopes). */
  readonly names: readonly string[];
  readonly labels: readonly string[];
  readonly types: readonly string[];
  /** Edges between boxes, each standing for all tensors between the two. */
  readonly edgeSource: Uint32Array;
  readonly edgeTarget: Uint32Array;
  readonly edgeFlag: Uint8Array;
  readonly edgeStatus: Uint8Array;
  /** Tensors it stands for, and an edge of the graph that is one of them. */
  readonly edgeTensors: Uint32Array;
  readonly edgeExample: Uint32Array;
  /** The shape of that tensor as text, "" for control edges. */
  readonly edgeLabels: readonly string[];
  /** Edge e runs through points[pointStart[e]] to points[pointStart[e + 1] - 1]; x and y in turn. */
  readonly pointStart: Uint32Array;
  readonly points: Float32Array;
}

/** A picture that things can be found in. */
export interface Scene extends Picture {
  readonly finding: Finding;
}

/** One hit of a search, best first. */
export interface Hit {
  readonly item: number;
  readonly name: string;
  readonly type: string;
}

/** Operations and edges (by index in the graph) found by a trace. */
export interface Trace {
  readonly operations: Uint32Array;
  readonly edges: Uint32Array;
}

/**
 * What the view asks of the engine, which runs in a worker (or in the page where there is none).
 * Every call answers with plain data.
 */
export interface Engine {
  /** Take a graph; answers with the items that are open at first. */
  load(
    graph: Graph,
    options: EngineOptions,
  ): Promise<{ readonly open: Uint32Array; readonly items: number }>;
  /** The scene with exactly these items open. */
  scene(open: Uint32Array): Promise<Scene>;
  /** Names or types that match: a substring, or /a regular expression/, or `type:MatMul`, `shape:128`. */
  search(query: string, most: number): Promise<readonly Hit[]>;
  /** The items to open, outermost first, so that `item` is seen. */
  reveal(item: number): Promise<Uint32Array>;
  /** For each operation the item that stands for it with these items open. */
  visible(open: Uint32Array): Promise<Uint32Array>;
  /** A shortest path from one item to another along edges, empty where there is none. */
  path(from: number, to: number): Promise<Trace>;
  /** All that an item needs, or all that needs it; `steps` limits how far (Infinity for all). */
  upstream(item: number, steps: number): Promise<Trace>;
  downstream(item: number, steps: number): Promise<Trace>;
  /** The children of an item (-1: the top) for the tree, in creation order. */
  children(item: number): Promise<readonly TreeEntry[]>;
  /** The scene as a stand-alone SVG document. */
  svg(open: Uint32Array, theme: "light" | "dark"): Promise<string>;
  dispose(): void;
}

export interface EngineOptions {
  /** Width over height that a picture of the whole should come near to. */
  readonly aspect: number;
}

export interface TreeEntry {
  readonly item: number;
  readonly kind: number;
  /** As in a picture. */
  readonly mark: number;
  readonly label: string;
  readonly name: string;
  readonly type: string;
  readonly operations: number;
  readonly role: number;
}
