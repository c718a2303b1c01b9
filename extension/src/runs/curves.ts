import type { Columns } from "../protocol/decode.js";

/** Points that a view keeps of a run; a chart has fewer pixels. */
const LIMIT = 4000;

/**
 * The recorded values of a run as far as a view needs them: every name has a value (or NaN) at every
 * step kept. Grows with the run and thins itself, least and greatest values staying.
 */
export class Curves {
  steps: number[] = [];
  readonly values = new Map<string, number[]>();
  /** Another one whenever what was there before has changed, not only grown. */
  generation = 0;

  constructor(private readonly limit = LIMIT) {}

  get names(): string[] {
    return [...this.values.keys()];
  }

  get length(): number {
    return this.steps.length;
  }

  of(name: string): readonly number[] {
    return this.values.get(name) ?? [];
  }

  /** The last value that was recorded under a name, NaN if none was. */
  last(name: string): number {
    return this.of(name).at(-1) ?? NaN;
  }

  /** Forget everything and take these. */
  reset(columns: Columns): void {
    this.generation++;
    this.steps = [];
    this.values.clear();
    this.append(columns);
  }

  /** Take what was recorded since; steps that are known already are left out. */
  append({ steps, values }: Columns): void {
    const known = this.steps.at(-1) ?? -Infinity;
    let first = 0;
    while (first < steps.length && steps[first] <= known) first++;
    for (const name of values.keys()) {
      if (this.values.has(name)) continue;
      // A name that was not tracked before has no value there.
      this.values.set(name, new Array<number>(this.steps.length).fill(NaN));
      if (this.steps.length > 0) this.generation++;
    }
    for (let index = first; index < steps.length; index++) this.steps.push(steps[index]);
    for (const [name, column] of this.values) {
      const added = values.get(name);
      for (let index = first; index < steps.length; index++) column.push(added?.[index] ?? NaN);
    }
    if (this.steps.length > this.limit) this.#thin();
  }

  /** Keep half: of each stretch of steps those with the least and greatest value of the first name. */
  #thin(): void {
    this.generation++;
    const keep = extremes(this.steps, this.of(this.names[0] ?? ""), this.limit / 2);
    this.steps = keep.map((index) => this.steps[index]);
    for (const [name, column] of this.values) {
      this.values.set(
        name,
        keep.map((index) => column[index]),
      );
    }
  }
}

/**
 * The indices of at most `most` points that draw the same curve: from equal stretches of steps, so
 * that what was thinned before and what is new end up equally dense. The first and last stay.
 */
export function extremes(
  steps: readonly number[],
  values: readonly number[],
  most: number,
): number[] {
  const length = steps.length;
  if (length <= most) return [...steps.keys()];
  const stretches = Math.max(1, Math.floor((most - 2) / 2));
  const [begin, end] = [steps[0], steps[length - 1]];
  const width = (end - begin) / stretches || 1;
  const keep = new Set<number>([0]);
  let index = 0;
  for (let stretch = 1; stretch <= stretches; stretch++) {
    const limit = stretch === stretches ? Infinity : begin + stretch * width;
    let [least, greatest] = [-1, -1];
    for (; index < length && steps[index] < limit; index++) {
      const value = values[index] ?? NaN;
      // The first stands in where nothing is a number: a curve of NaN has a place too.
      if (least < 0 || value < values[least] || Number.isNaN(values[least])) least = index;
      if (greatest < 0 || value > values[greatest] || Number.isNaN(values[greatest])) {
        greatest = index;
      }
    }
    if (least >= 0) keep.add(least).add(greatest);
  }
  keep.add(length - 1);
  return [...keep].sort((one, other) => one - other);
}
