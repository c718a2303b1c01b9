import type { Line } from "../protocol/messages.js";
import { element, link } from "./dom.js";

/** Shows a line of the notebook. */
export type OpenCell = (cell: string, line: number) => void;

/** The user's line that made something, and where it stands: a link where it can be gone to. */
export function lineElement(line: Line, open: OpenCell | null): HTMLElement {
  const where = `${line.file}, line ${line.line}`;
  const { cell } = line;
  const place =
    cell !== null && open !== null
      ? link(where, () => open(cell, line.line), "Go to this line")
      : element("span", "faint", {}, where);
  return element("div", null, {}, place, element("code", "source", {}, line.text));
}
