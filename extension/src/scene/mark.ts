import { measureText } from "./measure.js";
import { Kind } from "./types.js";

/** What a loop or condition is marked with: a word, and a sign before it. */
export const MARKS: Readonly<Record<number, string>> = {
  [Kind.loop]: "loop",
  [Kind.condition]: "condition",
};

/** How large the word is beside a label, and the room of the sign. */
export const MARK_SIZE = 0.85;
export const SIGN_ROOM = 15;

/** The room that the mark of a kind needs beside a label, 0 for those without. */
export function markRoom(kind: number): number {
  const word = MARKS[kind];
  return word === undefined ? 0 : measureText(word) * MARK_SIZE + SIGN_ROOM + 8;
}

/** What of a canvas a sign needs. */
export interface Strokes {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

const RADIUS = 4.2;
const STEPS = 14;
/** An arrow that goes round begins and ends at the right, above. */
const BEGIN = -0.2 * Math.PI;
const TURN = -1.6 * Math.PI;

/** Add the sign of a kind around a point: an arrow that goes round, or a diamond where ways part. */
export function addSign(path: Strokes, kind: number, x: number, y: number, scale: number): void {
  if (kind === Kind.condition) {
    const reach = (RADIUS + 0.8) * scale;
    path.moveTo(x, y - reach);
    path.lineTo(x + reach, y);
    path.lineTo(x, y + reach);
    path.lineTo(x - reach, y);
    path.lineTo(x, y - reach);
    return;
  }
  const radius = RADIUS * scale;
  for (let step = 0; step <= STEPS; step++) {
    const angle = BEGIN + (TURN * (STEPS - step)) / STEPS;
    const [toX, toY] = [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    if (step === 0) path.moveTo(toX, toY);
    else path.lineTo(toX, toY);
  }
  const [tipX, tipY] = [x + radius * Math.cos(BEGIN), y + radius * Math.sin(BEGIN)];
  path.moveTo(tipX - 3.6 * scale, tipY + 0.2 * scale);
  path.lineTo(tipX, tipY);
  path.lineTo(tipX + 0.6 * scale, tipY - 3.6 * scale);
}
