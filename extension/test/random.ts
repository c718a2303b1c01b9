import { makeGraph, type EdgeParts } from "../src/scene/graph.js";
import { CONTROL, type Graph } from "../src/scene/types.js";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

export interface RandomOptions {
  readonly count: number;
  readonly seed: number;
  /** Edges against the order. */
  readonly cycles?: number;
  /** The share of operations that are not forward. */
  readonly aside?: number;
  /** All operations at the top. */
  readonly flat?: boolean;
  readonly differs?: boolean;
}

const TYPES = ["Identity", "Add", "MatMul", "Relu", "Const", "Reshape"];

/** Chains with branches and skips, in scopes two deep; blocks are alike here and there. */
export function randomGraph(options: RandomOptions): Graph {
  const { count, seed, cycles = 0, aside = 0, flat = false, differs = false } = options;
  const random = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const names: string[] = [];
  const types: string[] = [];
  const roles: number[] = [];
  const statuses: number[] = [];
  const edges: EdgeParts[] = [];
  for (let item = 0; item < count; item++) {
    const block = Math.floor(item / 25);
    const scope = flat
      ? ""
      : ["", `block_${block}/`, `stage_${block >> 3}/block_${block}/`][below(3)];
    names.push(`${scope}op_${item}`);
    types.push(TYPES[below(TYPES.length)]);
    roles.push(random() < aside ? 1 + below(3) : 0);
    statuses.push(differs && random() < 0.1 ? 1 + below(3) : 0);
    if (item === 0 || random() < 0.1) continue;
    const inputs = [item - 1 - below(Math.min(3, item))];
    if (random() < 0.3) inputs.push(Math.max(0, item - 2 - below(8)));
    if (random() < 0.05) inputs.push(below(item));
    for (const source of inputs) {
      edges.push({ source, target: item, output: random() < 0.1 ? CONTROL : 0 });
    }
  }
  for (let extra = 0; extra < cycles; extra++) {
    const target = below(count);
    edges.push({ source: target + below(count - target), target });
  }
  return makeGraph({ names, types, roles, edges, ...(differs ? { statuses } : {}) });
}
