import type { GraphSummary, RunStatus } from "../protocol/messages.js";

/**
 * The graph that a panel shows when it was asked for none: that of the run that goes on, else the
 * kernel's default graph, else (where that is empty) the one that was named last.
 */
export function firstGraph(graphs: readonly GraphSummary[], runs: readonly RunStatus[]): string {
  const busy = runs.filter(
    ({ live, state }) => live && (state === "running" || state === "paused"),
  );
  const trained = busy.map(({ graph }) => graph).filter((graph) => graph !== null);
  const filled = graphs.filter(({ operations }) => operations > 0).map(({ graph }) => graph);
  const others = filled.filter((graph) => graph !== "default");
  return trained.at(-1) ?? (filled.includes("default") ? "default" : others.at(-1)) ?? "default";
}
