import type { Graph, GraphEdge } from "../src/scene/graph.js";

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

/** Chains with branches and skips, in scopes two deep; `cycles` adds edges against the order. */
export function randomGraph(count: number, seed: number, cycles = 0): Graph {
  const random = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const names: string[] = [];
  const edges: GraphEdge[] = [];
  for (let item = 0; item < count; item++) {
    const block = Math.floor(item / 25);
    const scope = ["", `block_${block}/`, `stage_${block >> 3}/block_${block}/`][below(3)];
    names.push(`${scope}op_${item}`);
    if (item === 0 || random() < 0.1) continue;
    const inputs = [item - 1 - below(Math.min(3, item))];
    if (random() < 0.3) inputs.push(Math.max(0, item - 2 - below(8)));
    if (random() < 0.05) inputs.push(below(item));
    for (const source of inputs) {
      edges.push({ source, target: item, control: random() < 0.1 });
    }
  }
  for (let extra = 0; extra < cycles; extra++) {
    const target = below(count);
    edges.push({ source: target + below(count - target), target, control: false });
  }
  return { names, types: names.map(() => "Identity"), edges };
}
