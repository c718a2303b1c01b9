import { float64 } from "../protocol/decode.js";

/** The kinds of what a worker does, by their numbers. */
export const KINDS = ["compute", "exchange", "wait"] as const;
export type Kind = (typeof KINDS)[number];

/** A stretch of time in which a worker did one thing; it may lie within another one. */
export interface Span {
  readonly kind: Kind;
  /** Tells the worker's threads apart. */
  readonly lane: number;
  /** In how many other spans it lies. */
  readonly depth: number;
  /** The step; -1 where that is not known. */
  readonly step: number;
  /** In seconds of one clock, the same for all workers. */
  readonly begins: number;
  readonly ends: number;
}

/** Numbers in a row of a worker's buffer. */
const COLUMNS = 6;

/** A worker's buffer of the notification `pools`; what is no span is left out. */
export function decodeSpans(view: DataView | undefined): Span[] {
  if (!view) return [];
  const numbers = float64(view);
  const spans: Span[] = [];
  for (let at = 0; at + COLUMNS <= numbers.length; at += COLUMNS) {
    const [kind, lane, depth, step, begins, ends] = numbers.subarray(at, at + COLUMNS);
    const name = KINDS[kind];
    if (name && ends >= begins) spans.push({ kind: name, lane, depth, step, begins, ends });
  }
  return spans;
}
