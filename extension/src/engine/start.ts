import workerText from "workbench:worker";

import { EngineClient, type WorkerLike } from "./client.js";

/** An engine for one view, in a worker of its own where the page allows one. */
export function startEngine(): EngineClient {
  return new EngineClient({ makeWorker });
}

/** From a Blob, so that no address is needed: it works under any base URL, and in a single file. */
function makeWorker(): WorkerLike | null {
  if (typeof Worker === "undefined") {
    return null;
  }
  const address = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
  try {
    return new Worker(address);
  } finally {
    // Long after the worker has read it.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
}
