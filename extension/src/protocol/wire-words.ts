/** What messages of every kind are made of. */

/** JSON has no word for these three, so they travel as text. */
export type WireNumber = number | "NaN" | "Infinity" | "-Infinity";

/** A line of the user's. */
export interface Line {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly cell: string | null;
}
