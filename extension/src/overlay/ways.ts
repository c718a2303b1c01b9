import type { Nesting, Scene } from "../scene/types.js";

/** Which ways the last observed step went, for each operation; NaN where nothing is known. */
export interface Ways {
  /** Passes of loops. */
  readonly passes: Float32Array;
  /** The share of times that a condition held. */
  readonly taken: Float32Array;
}

/** What is written at a box. */
export interface Note {
  readonly box: number;
  readonly text: string;
}

/** What is known of a loop or condition, as a note: "×28", "then"; null where that is nothing. */
export function noteOf({ passes, taken }: Ways, operation: number): string | null {
  const [count, share] = [passes[operation] ?? NaN, taken[operation] ?? NaN];
  if (!Number.isNaN(count)) return `×${count}`;
  if (Number.isNaN(share)) return null;
  return share === 1 ? "then" : share === 0 ? "else" : `then ${Math.round(100 * share)} %`;
}

/** The same as a sentence. */
export function sentenceOf({ passes, taken }: Ways, operation: number): string | null {
  const [count, share] = [passes[operation] ?? NaN, taken[operation] ?? NaN];
  if (!Number.isNaN(count)) return count === 1 ? "1 pass" : `${count} passes`;
  if (Number.isNaN(share)) return null;
  if (share === 1) return "the condition held: then";
  if (share === 0) return "the condition did not hold: else";
  return `the condition held in ${Math.round(100 * share)} % of its turns`;
}

/**
 * The notes at the loops and conditions of a scene, or at closed scopes that were made for one.
 * `visible` has the item that stands for each operation.
 */
export function findNotes(
  ways: Ways,
  nesting: Nesting,
  visible: Uint32Array,
  scene: Scene,
): readonly Note[] {
  const notes = new Map<number, string>();
  for (const operation of new Set(nesting.bodies.map((body) => body.operation))) {
    const box = scene.finding.boxOf[visible[operation]] ?? -1;
    const text = noteOf(ways, operation);
    if (box >= 0 && text !== null && scene.mark[box] !== 0 && !notes.has(box)) notes.set(box, text);
  }
  return Array.from(notes, ([box, text]) => ({ box, text }));
}
