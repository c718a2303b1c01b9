import type { BokehSource } from "./bokeh-page.js";
import type { ChartLine } from "./chart-model.js";

/**
 * A line's points from an index on, under the names that the source's columns have: the steps, what
 * was recorded, and everything else is what is drawn.
 */
export function fieldsOf(
  { data }: Pick<BokehSource, "data">,
  line: ChartLine,
  from: number,
): Record<string, number[]> {
  const names = data instanceof Map ? [...data.keys()] : Object.keys(data);
  const columns: Record<string, number[]> = {};
  for (const name of names) {
    const column = isSteps(name) ? line.steps : isRecorded(name) ? line.raw : line.values;
    columns[name] = column.slice(from);
  }
  return columns;
}

function isSteps(name: string): boolean {
  return name === "step" || name === "steps" || name === "x";
}

function isRecorded(name: string): boolean {
  return name === "raw" || name === "recorded";
}
