/** Size of labels at zoom 1, in CSS pixels. */
export const LABEL_SIZE = 12;
const ELLIPSIS = "…";
/** Texts whose widths are kept; a graph has fewer different labels than this, as a rule. */
const MOST_TEXTS = 20_000;

/** Knows how wide texts are and shortens those that are too wide. */
export class TextWidths {
  readonly #widths = new Map<string, number>();

  /** `measure` gives a text's width in pixels at LABEL_SIZE. */
  constructor(private readonly measure: (text: string) => number) {}

  /** In CSS pixels at zoom 1. */
  width(text: string): number {
    let width = this.#widths.get(text);
    if (width === undefined) {
      if (this.#widths.size > MOST_TEXTS) this.#widths.clear();
      width = this.measure(text);
      this.#widths.set(text, width);
    }
    return width;
  }

  /** The text, or as much of its beginning as fits; "" if hardly anything does. */
  fit(text: string, room: number): string {
    const width = this.width(text);
    if (width <= room) return text;
    const left = room - this.width(ELLIPSIS);
    let count = Math.floor((text.length * left) / width);
    while (count > 0 && this.width(text.slice(0, count)) > left) count--;
    return count < 2 ? "" : text.slice(0, count) + ELLIPSIS;
  }
}

/** Text widths as a canvas measures them. */
export function canvasWidths(context: CanvasRenderingContext2D, font: string): TextWidths {
  return new TextWidths((text) => {
    context.font = `${LABEL_SIZE}px ${font}`;
    return context.measureText(text).width;
  });
}
