import { groupPlaces, type Groups, type Numbers } from "./lists.js";

/** Pieces of links, each from a vertex to one in the next row. */
export interface Segments {
  readonly upper: Numbers;
  readonly lower: Numbers;
  /** Segments by their upper and by their lower vertex. */
  readonly below: Groups;
  readonly above: Groups;
}

/** Put segments together from their ends. */
export function makeSegments(vertices: number, upper: Numbers, lower: Numbers): Segments {
  return {
    upper,
    lower,
    below: groupPlaces(upper, vertices),
    above: groupPlaces(lower, vertices),
  };
}
