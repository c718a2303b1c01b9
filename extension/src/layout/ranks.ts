import { groupLinks, type Link } from "./adjacency.js";

/**
 * The row of every item: below all that it depends on, by the longest path.
 *
 * `links` must be acyclic. Sources (constants, variables, placeholders) are drawn down to just
 * above their first use. Items without any link fill rows of their own at the end, in a block as
 * wide as high, since one row of thousands could not be looked at.
 */
export function assignRanks(count: number, links: readonly Link[]): Int32Array {
  const outgoing = groupLinks(count, links, "source");
  const waiting = new Int32Array(count);
  for (const link of links) waiting[link.target]++;
  const isSource = Array.from(waiting, (inputs) => inputs === 0);
  const rank = new Int32Array(count);
  const ready: number[] = [];
  for (let item = 0; item < count; item++) if (isSource[item]) ready.push(item);
  for (let index = 0; index < ready.length; index++) {
    const item = ready[index];
    for (let k = outgoing.start[item]; k < outgoing.start[item + 1]; k++) {
      const { target } = links[outgoing.links[k]];
      rank[target] = Math.max(rank[target], rank[item] + 1);
      if (--waiting[target] === 0) ready.push(target);
    }
  }

  const alone: number[] = [];
  let rows = 0;
  for (let item = 0; item < count; item++) {
    const uses = outgoing.links.subarray(outgoing.start[item], outgoing.start[item + 1]);
    if (isSource[item] && uses.length === 0) {
      alone.push(item);
      continue;
    }
    if (isSource[item]) {
      rank[item] = uses.reduce((row, link) => Math.min(row, rank[links[link].target] - 1), count);
    }
    rows = Math.max(rows, rank[item] + 1);
  }
  const perRow = Math.max(8, Math.ceil(Math.sqrt(alone.length)));
  alone.forEach((item, index) => {
    rank[item] = rows + Math.floor(index / perRow);
  });
  return rank;
}
