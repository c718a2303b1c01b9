import type { Commands, HyperparameterValue } from "../protocol/messages.js";

/** The line of Python that does the same as a command; `run` is what the user called the run. */
export function pythonLine<Name extends keyof Commands>(
  command: Name,
  given: Commands[Name],
): string {
  const parameters = Object.entries(given as Record<string, unknown>).flatMap(([name, value]) => {
    if (value === null) return [];
    // A fork's values are its keywords, as those of set are.
    if (name === "values") return keywords(value as Record<string, HyperparameterValue>);
    return [`${name}=${literal(value)}`];
  });
  if (command === "step" || command === "unwatch") {
    return `run.${command}(${Object.values(given).map(literal).join(", ")})`;
  }
  const call = `run.${command}(${parameters.join(", ")})`;
  return command === "fork" ? `other = ${call}` : call;
}

function keywords(values: Readonly<Record<string, HyperparameterValue>>): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${literal(value)}`);
}

function literal(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === "NaN") return 'float("nan")';
  if (value === "Infinity") return 'float("inf")';
  if (value === "-Infinity") return 'float("-inf")';
  return JSON.stringify(value) ?? "None";
}
