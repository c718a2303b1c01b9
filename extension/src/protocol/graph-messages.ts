/** What messages about graphs carry. */

import type { Line } from "./wire-words.js";

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
