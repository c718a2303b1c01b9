/** A directed connection between two items, each named by its index. */
export interface Link {
  readonly source: number;
  readonly target: number;
}

/** Links grouped by one of their ends: those of item `i` stand in `links` from `start[i]` on. */
export interface Adjacency {
  readonly start: Int32Array;
  readonly links: Int32Array;
}

/** Group the indices of `links` by source or by target, each group in the order of the links. */
export function groupLinks(
  count: number,
  links: readonly Link[],
  end: "source" | "target",
): Adjacency {
  const start = new Int32Array(count + 1);
  for (const link of links) start[link[end] + 1]++;
  for (let item = 0; item < count; item++) start[item + 1] += start[item];
  const next = start.slice(0, count);
  const grouped = new Int32Array(links.length);
  links.forEach((link, index) => {
    grouped[next[link[end]]++] = index;
  });
  return { start, links: grouped };
}
