import type { Hyperparameter, RunEvent, RunStatus } from "../src/protocol/messages.js";

/** A run's status with what matters to a test, and the rest as of any run. */
export function statusOf(given: Partial<RunStatus>): RunStatus {
  return {
    run: "a",
    name: "digits",
    state: "running",
    step: 10,
    steps: 100,
    rate: 50,
    eta: 1.8,
    seconds: 0.2,
    values: {},
    observer_cost: 0,
    hyperparameters: [],
    graph: null,
    folder: "runs/a",
    parent: null,
    live: true,
    epoch: 1,
    error: null,
    stopped_by: null,
    ...given,
  };
}

export function hyperparameterOf(given: Partial<Hyperparameter>): Hyperparameter {
  return {
    name: "lr",
    type: "float",
    value: 0.1,
    low: 1e-4,
    high: 1,
    log: true,
    choices: null,
    ...given,
  };
}

/** A change of lr, as the kernel tells it. */
export function changeAt(step: number, from: number, to: number): RunEvent {
  return { step, kind: "set", text: `lr ${from} -> ${to}`, values: { lr: to } };
}

export function columnsOf(steps: number[], values: Record<string, number[]>) {
  return {
    steps: Float64Array.from(steps),
    values: new Map(Object.entries(values).map(([name, of]) => [name, Float64Array.from(of)])),
  };
}
