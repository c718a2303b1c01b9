import type { Engine } from "../scene/types.js";

export type Method = Exclude<keyof Engine, "dispose">;

/** What the page sends to the worker: requests are numbered, each is answered once. */
export interface Request {
  readonly id: number;
  readonly method: Method;
  readonly given: readonly unknown[];
}

/** What the worker answers: one of the two. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The buffers of the typed arrays in an answer: they move to the page instead of being copied. */
export function buffersOf(result: unknown): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const look = (part: unknown): void => {
    if (ArrayBuffer.isView(part)) {
      if (part.buffer instanceof ArrayBuffer) buffers.add(part.buffer);
    } else if (typeof part === "object" && part !== null && !Array.isArray(part)) {
      Object.values(part).forEach(look);
    }
  };
  look(result);
  return [...buffers];
}
