import type { RunEvent, RunStatus } from "../protocol/messages.js";
import type { Curves } from "./curves.js";
import { withDragsJoined } from "./changes.js";
import { smooth } from "./smoothing.js";

/** A run as it enters the charts. */
export interface ChartRun {
  readonly run: string;
  readonly label: string;
  readonly color: string;
  readonly curves: Curves;
  readonly events: readonly RunEvent[];
  readonly parent: RunStatus["parent"];
}

/** One curve. `raw` is what was recorded, `values` what is drawn; they differ when smoothed. */
export interface ChartLine {
  readonly run: string;
  readonly label: string;
  readonly color: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
  readonly raw: readonly number[];
  /** Another one whenever earlier points have changed: points can only be added otherwise. */
  readonly generation: string;
}

/** Something that happened at a step. */
export interface Marker {
  readonly run: string;
  readonly step: number;
  readonly text: string;
  readonly color: string;
  readonly kind: RunEvent["kind"];
}

/** All curves of one tracked name. */
export interface Figure {
  readonly name: string;
  readonly lines: readonly ChartLine[];
  readonly markers: readonly Marker[];
}

/** What is worth a mark on the curves; pauses and log lines are in the list of events. */
const MARKED: ReadonlySet<RunEvent["kind"]> = new Set(["set", "fork", "watch", "failed"]);

/** Marks in one chart: more cannot be told apart. */
const MOST_MARKERS = 60;

/** A figure for each name that any of the runs tracks, in the order of the first run. */
export function figuresOf(runs: readonly ChartRun[], smoothing: number): Figure[] {
  const names = [...new Set(runs.flatMap(({ curves }) => curves.names))];
  const markers = runs.flatMap((run) => markersOf(run, branching(run, runs) ?? 0));
  return names.map((name) => ({
    name,
    markers,
    lines: runs.flatMap((run) => lineOf(run, name, runs, smoothing)),
  }));
}

/** Marks of a run from a step on: what a fork shares with its parent is marked there. */
function markersOf({ run, color, events, curves }: ChartRun, first: number): Marker[] {
  return withDragsJoined(events, curves.steps.at(-1) ?? 0)
    .filter(({ kind, step }) => MARKED.has(kind) && step >= first)
    .slice(-MOST_MARKERS)
    .map(({ step, text, kind }) => ({ run, step, text, kind, color }));
}

function lineOf(
  run: ChartRun,
  name: string,
  runs: readonly ChartRun[],
  smoothing: number,
): ChartLine[] {
  const recorded = run.curves.of(name);
  if (recorded.length === 0) return [];
  const begin = branching(run, runs);
  const smoothed = smooth(recorded, smoothing);
  const first = begin === null ? 0 : firstIndexFrom(run.curves.steps, begin);
  let [steps, raw, values] = [
    run.curves.steps.slice(first),
    recorded.slice(first),
    smoothed.slice(first),
  ];
  if (begin !== null && steps[0] !== begin) {
    // The fork's own record begins after the step it shares: its line begins on the parent's curve.
    const parent = runs.find((other) => other.run === run.parent?.run)!;
    const at = firstIndexFrom(parent.curves.steps, begin + 1) - 1;
    const past = parent.curves.of(name);
    if (at >= 0 && past.length > at) {
      steps = [begin, ...steps];
      raw = [past[at], ...raw];
      values = [smooth(past.slice(0, at + 1), smoothing).at(-1)!, ...values];
    }
  }
  const generation = `${run.curves.generation} ${smoothing} ${begin ?? ""} ${steps[0] ?? ""}`;
  return [{ run: run.run, label: run.label, color: run.color, steps, values, raw, generation }];
}

/** The step at which a fork leaves its parent, if the parent is drawn as well. */
function branching(run: ChartRun, runs: readonly ChartRun[]): number | null {
  const { parent } = run;
  return parent && runs.some((other) => other.run === parent.run) ? parent.step : null;
}

/** The index of the first step that is not below `step`; steps ascend. */
export function firstIndexFrom(steps: readonly number[], step: number): number {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the step nearest to one, -1 where there is none. */
export function nearestIndex(steps: readonly number[], step: number): number {
  const after = Math.min(firstIndexFrom(steps, step), steps.length - 1);
  const before = Math.max(after - 1, 0);
  if (after < 0) return -1;
  return step - steps[before] < steps[after] - step ? before : after;
}
