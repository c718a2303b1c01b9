import { toNumber } from "../protocol/decode.js";
import type { HyperparameterValue, RunStatus } from "../protocol/messages.js";
import { count, exact, value as shortValue } from "./format.js";

/** One line of the table that compares runs: a text for each run. */
export interface ComparisonRow {
  readonly name: string;
  readonly group: "hyperparameter" | "value" | "run";
  readonly texts: readonly string[];
  /** False where all runs say the same. */
  readonly differs: boolean;
  /** The run with the least and the greatest number, -1 where the row has no numbers. */
  readonly least: number;
  readonly greatest: number;
}

/** What runs have in common and where they differ; hyperparameters first. */
export function compare(runs: readonly RunStatus[]): ComparisonRow[] {
  const hyperparameters = union(runs.map((run) => run.hyperparameters.map(({ name }) => name)));
  const tracked = union(runs.map((run) => Object.keys(run.values)));
  const rows = [
    ...hyperparameters.map((name) =>
      row(name, "hyperparameter", runs, (run) => {
        const found = run.hyperparameters.find((one) => one.name === name);
        return found ? textOf(found.value) : null;
      }),
    ),
    ...tracked.map((name) => {
      const numbers = runs.map((run) => (name in run.values ? toNumber(run.values[name]) : NaN));
      return {
        ...row(name, "value", runs, (run) =>
          name in run.values ? shortValue(toNumber(run.values[name])) : null,
        ),
        least: best(numbers, (one, other) => one < other),
        greatest: best(numbers, (one, other) => one > other),
      };
    }),
    row("steps", "run", runs, (run) => count(run.step)),
    row("state", "run", runs, (run) => run.state),
    row("forked from", "run", runs, (run) =>
      run.parent ? `${nameOf(run.parent.run, runs)}, step ${count(run.parent.step)}` : null,
    ),
  ];
  return rows.filter(({ texts }) => texts.some((text) => text !== ""));
}

/** True if a run's name, state or hyperparameters hold every word of the filter. */
export function matches(run: RunStatus, filter: string): boolean {
  const settings = run.hyperparameters.map(({ name, value }) => `${name}=${textOf(value)}`);
  const text = [run.name, run.state, run.run, ...settings].join(" ").toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** A hyperparameter's value in a line of text. */
export function textOf(value: HyperparameterValue): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return exact(value);
  return value;
}

function nameOf(id: string, runs: readonly RunStatus[]): string {
  return runs.find(({ run }) => run === id)?.name ?? id;
}

function row(
  name: string,
  group: ComparisonRow["group"],
  runs: readonly RunStatus[],
  read: (run: RunStatus) => string | null,
): ComparisonRow {
  const texts = runs.map((run) => read(run) ?? "");
  return { name, group, texts, differs: new Set(texts).size > 1, least: -1, greatest: -1 };
}

function best(numbers: readonly number[], better: (one: number, other: number) => boolean): number {
  let found = -1;
  for (const [index, number] of numbers.entries()) {
    if (Number.isFinite(number) && (found < 0 || better(number, numbers[found]))) found = index;
  }
  return found;
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())];
}
