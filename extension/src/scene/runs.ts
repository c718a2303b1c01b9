import type { Groups } from "./links.js";
import { mix } from "./structure.js";

/** `repeats` times `period` neighbours of equal looks and equal wiring, from place `start` on. */
export interface Run {
  readonly start: number;
  readonly period: number;
  readonly repeats: number;
}

export interface RunOptions {
  /** Whether blocks of this many neighbours from this place on may be folded. */
  readonly worthwhile: (start: number, period: number) => boolean;
  /** The lower, the better it is to begin or end a block behind this place. */
  readonly crossing: ArrayLike<number>;
}

export const FEWEST_REPEATS = 3;
/** Longer blocks are not looked for: the search takes time in proportion to it. */
const LONGEST_PERIOD = 400;

/**
 * Find blocks that follow each other at least three times, those that cover most first; runs do not
 * overlap and come by their start.
 *
 * `looks` says what stands at each place. Blocks agree in their wiring if their parts need parts of
 * the same block, and of the block before, at the same distance.
 */
export function findRuns(looks: ArrayLike<number>, inputs: Groups, options: RunOptions): Run[] {
  const placed = findStretches(looks, inputs).map((stretch) => placeRun(stretch, options));
  const covered = (run: Run): number => run.period * run.repeats;
  placed.sort((a, b) => covered(b) - covered(a) || a.period - b.period || a.start - b.start);
  const taken = new Uint8Array(looks.length);
  const runs: Run[] = [];
  for (const run of placed) {
    const rest = trim(run, taken);
    if (rest === null || !options.worthwhile(rest.start, rest.period)) continue;
    taken.fill(1, rest.start, rest.start + covered(rest));
    runs.push(rest);
  }
  return runs.sort((a, b) => a.start - b.start);
}

/** Places from `start` to `end` - 1, each of which agrees with that one period later. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly period: number;
}

function findStretches(looks: ArrayLike<number>, inputs: Groups): Stretch[] {
  const count = looks.length;
  const found: Stretch[] = [];
  // The shortest stretch at each place: what repeats every 2 also repeats every 4, which is no news.
  const shortest = new Int32Array(count).fill(-1);
  const most = Math.min(LONGEST_PERIOD, Math.floor(count / FEWEST_REPEATS));
  for (let period = 1; period <= most; period++) {
    const add = (start: number, end: number): void => {
      if (end - start < FEWEST_REPEATS * period) return;
      for (let place = start; place < end; place++)
        if (shortest[place] < 0) shortest[place] = found.length;
      found.push({ start, end, period });
    };
    let length = 0; // of the places just before `place` that look the same one period later
    for (let place = 0; place + period <= count; place++) {
      if (place + period < count && looks[place] === looks[place + period]) {
        length++;
        continue;
      }
      const start = place - length;
      const end = place + period;
      if (length >= (FEWEST_REPEATS - 1) * period) {
        const known = shortest[start];
        const isNews =
          known < 0 || shortest[end - 1] !== known || period % found[known].period !== 0;
        if (isNews) splitByWiring(start, end, period, inputs, add);
      }
      length = 0;
    }
  }
  return found;
}

/** Split the places from `start` to `end`, which look alike, where the wiring differs. */
function splitByWiring(
  start: number,
  end: number,
  period: number,
  inputs: Groups,
  add: (start: number, end: number) => void,
): void {
  let from = start;
  for (let place = start; place + period < end; place++) {
    // The first block's inputs from before the run are whatever comes before the run.
    const reach = Math.min(place - from, period);
    if (wiringAt(place, reach, inputs) === wiringAt(place + period, reach, inputs)) continue;
    add(from, place + period);
    from = place + 1;
  }
  add(from, end);
}

/** A number for the distances, up to `reach`, at which a place has its inputs. */
function wiringAt(place: number, reach: number, { start, members }: Groups): number {
  let hash = 1;
  for (let k = start[place]; k < start[place + 1]; k++) {
    const distance = place - members[k];
    if (distance <= reach) hash = mix(hash, distance);
  }
  return hash;
}

/** Begin where fewest lines are cut: a stretch may be a few places longer than its blocks. */
function placeRun({ start, end, period }: Stretch, { crossing }: RunOptions): Run {
  const repeats = Math.floor((end - start) / period);
  let best = start;
  let least = Infinity;
  for (let from = start; from + repeats * period <= end; from++) {
    let cut = 0;
    for (let place = from - 1; place < end; place += period) {
      if (place >= 0 && place <= from + repeats * period) cut += crossing[place];
    }
    if (cut < least) {
      least = cut;
      best = from;
    }
  }
  return { start: best, period, repeats };
}

/** What is left of a run beside the places that are taken, null if that is too little. */
function trim({ start, period, repeats }: Run, taken: Uint8Array): Run | null {
  const end = start + period * repeats;
  let from = start;
  let bestStart = start;
  let bestRepeats = 0;
  for (let place = start; place <= end; place++) {
    if (place < end && !taken[place]) continue;
    // Whole blocks only, counted from the run's own start so that they stay the same blocks.
    const first = start + Math.ceil((from - start) / period) * period;
    const left = Math.floor((place - first) / period);
    if (left > bestRepeats) {
      bestStart = first;
      bestRepeats = left;
    }
    from = place + 1;
  }
  return bestRepeats < FEWEST_REPEATS ? null : { start: bestStart, period, repeats: bestRepeats };
}
