export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Above what a scope holds stands its label; around it is some room. */
export const HEADER = 26;
export const PADDING = 14;

const NARROWEST = 56;
const WIDEST = 240;
const LETTER = 7;
const AROUND = 22;
/** Labels of groups are bold. */
const BOLD = 1.08;

/** The width of a text at the size of labels: the same without a browser. */
export function measureText(text: string): number {
  let letters = 0;
  // From here on (Hangul, Chinese, Japanese, emoji) letters are twice as wide.
  for (const letter of text) letters += (letter.codePointAt(0) as number) >= 0x1100 ? 2 : 1;
  return letters * LETTER;
}

/** The size of a closed box with a label and a mark; a series shows how often it repeats. */
export function measureBox(
  label: string,
  repeats: number,
  isGroup: boolean,
  markRoom: number,
): Size {
  const count = repeats > 1 ? measureText(` ×${repeats}`) + 6 : 0;
  const width = measureText(label) * (isGroup ? BOLD : 1) + count + markRoom + AROUND;
  return {
    width: Math.round(Math.min(WIDEST, Math.max(NARROWEST, width))),
    height: isGroup ? 32 : 28,
  };
}
