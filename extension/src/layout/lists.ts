/**
 * Lists of numbers for layouts. Plain arrays on purpose: most levels have a handful of things, and
 * there typed arrays cost more to make than the whole layout takes.
 */
export type Numbers = number[];

/** A list of one number, so many times. */
export function filled(count: number, value: number): Numbers {
  const list = new Array<number>(count);
  for (let index = 0; index < count; index++) list[index] = value;
  return list;
}

export interface Groups {
  /** The members of group g are members[start[g]] to members[start[g + 1] - 1], in their order. */
  readonly start: Numbers;
  readonly members: Numbers;
}

/** The positions in `keys` by key, from 0 to `count` - 1. */
export function groupPlaces(keys: Numbers, count: number): Groups {
  const start = filled(count + 1, 0);
  for (const key of keys) start[key + 1]++;
  for (let key = 0; key < count; key++) start[key + 1] += start[key];
  const next = start.slice();
  const members = filled(keys.length, 0);
  for (let index = 0; index < keys.length; index++) members[next[keys[index]]++] = index;
  return { start, members };
}
