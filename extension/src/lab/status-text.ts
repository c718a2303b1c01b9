import type { RunState, RunStatus } from "../protocol/messages.js";

/** The run that the status bar tells of: one that runs, else one that waits, else the last. */
export function runToTell(runs: readonly RunStatus[]): RunStatus | null {
  const live = runs.filter((run) => run.live);
  const order: RunState[] = ["running", "paused", "failed"];
  for (const state of order) {
    const found = live.filter((run) => run.state === state).at(-1);
    if (found) {
      return found;
    }
  }
  return live.at(-1) ?? null;
}

/** One short line: `digits running 512/2000 | 812 steps/s | watching 0.4 %`. */
export function statusText(runs: readonly RunStatus[]): string {
  const run = runToTell(runs);
  if (!run) {
    return "";
  }
  const steps = run.steps === null ? `${run.step}` : `${run.step}/${run.steps}`;
  const parts = [`${run.name} ${run.state} ${steps}`];
  if (run.state === "running") {
    if (run.rate !== null) {
      parts.push(`${formatRate(run.rate)} steps/s`);
    }
    parts.push(`watching ${formatShare(run.observer_cost)}`);
  }
  const others = runs.filter((one) => one.live && one.state === "running" && one !== run).length;
  return parts.join(" | ") + (others > 0 ? ` | ${others} more` : "");
}

function formatRate(rate: number): string {
  return rate >= 100 ? String(Math.round(rate)) : rate.toPrecision(2);
}

/** A share of the step time, in percent. */
function formatShare(share: number): string {
  const percent = share * 100;
  return percent > 0 && percent < 0.1 ? "< 0.1 %" : `${percent.toFixed(1)} %`;
}
