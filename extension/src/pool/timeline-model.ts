import type { Kind, Span } from "./spans.js";

/** A stretch of time, in seconds. */
export interface Stretch {
  readonly begins: number;
  readonly ends: number;
}

/** So many steps are shown, as far as they last no longer than is shown at most. */
const STEPS = 4;
const SHORTEST = 1e-4;
const LONGEST = 10;
/** Seconds by which what a worker has told of may lie behind the rest before they go on without. */
const PATIENCE = 1;

/**
 * The time that the lines of a pool show: that of the last few steps of the quickest worker, up to
 * where all are known. It is the same for all, so that who waits stands below whom it waits for.
 * Null where nobody has taken a step.
 */
export function shownStretch(workers: readonly (readonly Span[])[]): Stretch | null {
  const told = workers.map(lastSteps).filter((one) => one !== null);
  const newest = Math.max(...told.map(({ ends }) => ends));
  const shown = told.filter(({ ends }) => newest - ends <= PATIENCE);
  if (shown.length === 0) return null;
  const ends = Math.min(...shown.map((one) => one.ends));
  const took = Math.min(...shown.map((one) => one.ends - one.begins));
  return { begins: ends - Math.min(Math.max(took, SHORTEST), LONGEST), ends };
}

/** From where the last steps of a worker began to where what is known of it ends. */
function lastSteps(spans: readonly Span[]): Stretch | null {
  const steps = beginnings(spans);
  if (steps.length === 0) return null;
  const ends = Math.max(...spans.map((span) => span.ends));
  return { begins: steps[Math.max(0, steps.length - STEPS)], ends };
}

/** When the steps of a worker's busiest thread began, in their order. */
function beginnings(spans: readonly Span[]): number[] {
  const lanes = new Map<number, number[]>();
  for (const { depth, lane, begins } of spans) {
    if (depth === 0) lanes.set(lane, [...(lanes.get(lane) ?? []), begins]);
  }
  const busiest = [...lanes.values()].sort((one, other) => other.length - one.length)[0] ?? [];
  return busiest.sort((one, other) => one - other);
}

/** A piece of a line, in shares of its width; `row` of so many, one for each thread. */
export interface Piece {
  readonly kind: Kind;
  readonly step: number;
  readonly from: number;
  readonly to: number;
  readonly row: number;
}

export interface Line {
  readonly rows: number;
  /** In the order in which they are painted: what lies within another comes after it. */
  readonly pieces: readonly Piece[];
}

/** At most so many threads of a worker are told apart. */
const ROWS = 3;

/** What of a worker's spans is seen in a stretch of time. */
export function lineOf(spans: readonly Span[], { begins, ends }: Stretch): Line {
  const seen = spans.filter((span) => span.ends > begins && span.begins < ends);
  const lanes = [...new Set(seen.map(({ lane }) => lane))].sort((one, other) => one - other);
  const share = (time: number) => Math.min(Math.max((time - begins) / (ends - begins), 0), 1);
  const pieces = [...seen]
    .sort((one, other) => one.depth - other.depth || one.begins - other.begins)
    .map((span) => ({
      kind: span.kind,
      step: span.step,
      from: share(span.begins),
      to: share(span.ends),
      row: Math.min(lanes.indexOf(span.lane), ROWS - 1),
    }));
  return { rows: Math.min(Math.max(lanes.length, 1), ROWS), pieces };
}
