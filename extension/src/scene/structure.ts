import type { Links } from "./links.js";
import type { Items } from "./scopes.js";
import { Role } from "./types.js";

/** A number for each item; items with equal numbers look the same inside (types and edges). */
export type Structure = number[];

/** Join a number to a hash (FNV-1a over 32 bits with a final mix, so that order matters). */
export function mix(hash: number, value: number): number {
  let mixed = Math.imul(hash ^ value, 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

/**
 * Hashes of what scopes hold: types, nesting and edges in creation order, but no names. What a
 * forward scope holds beside its flow does not count: the first block of a network has no gradient
 * towards its input, and is a block like the others.
 */
export function hashStructure(items: Items, links: Links): Structure {
  const { graph, operations, children, kind, role, parent } = items;
  const hashes: Structure = new Array<number>(kind.length).fill(0);
  const typeHash = graph.types.map(hashText);
  for (let operation = 0; operation < operations; operation++) {
    hashes[operation] = mix(role[operation] + 1, typeHash[graph.type[operation]]);
  }
  const place = new Int32Array(kind.length);
  for (let scope = kind.length - 1; scope >= operations; scope--) {
    let hash = role[scope] + 11;
    let index = 0;
    for (const child of children[scope] as number[]) {
      const counts = role[scope] !== Role.forward || role[child] === Role.forward;
      place[child] = counts ? index++ : -1;
      if (counts) hash = mix(hash, hashes[child]);
    }
    for (let link = links.start[scope + 1]; link < links.start[scope + 2]; link++) {
      const [from, to] = [place[links.source[link]], place[links.target[link]]];
      if (from >= 0 && to >= 0) hash = mix(mix(hash, from), to);
    }
    hashes[scope] = hash;
    // What an operation looks like is what its bodies do, too; they come after all around it.
    const owner = parent[scope];
    if (owner >= 0 && owner < operations) hashes[owner] = mix(hashes[owner], hash);
  }
  return hashes;
}

/** A hash of a text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = mix(hash, text.charCodeAt(index));
  return hash;
}
