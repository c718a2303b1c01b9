/** Buffers and header of a `graph.get`, see docs/protocol.md. */
export interface GraphMessage {
  readonly header: Record<string, unknown>;
  readonly buffers: readonly ArrayBuffer[];
}

const TYPES = ["", "MatMul", "Add", "Relu", "Mul", "Conv2D"];
const SHAPES = ["", "float32[?,128]", "float32[?,64]"];
const BLOCK = 25;
const BLOCKS_OF_A_STAGE = 40;
const CONTROL = 65535;

/**
 * A graph for timing: blocks of 25 operations in stages of 40 blocks, branches and skips, the last
 * four tenths backward. `flat` leaves out the scopes, so that every operation is on the screen.
 */
export function generateGraph(name: string, operations: number, flat: boolean): GraphMessage {
  const random = randomNumbers(1);
  const below = (limit: number): number => Math.floor(random() * limit);
  const names: string[] = [];
  const edges: [number, number, number, number][] = [];
  const role = new Uint8Array(operations);
  const type = new Uint16Array(operations);
  for (let operation = 0; operation < operations; operation++) {
    const block = Math.floor(operation / BLOCK);
    const backward = operation > 0.6 * operations;
    type[operation] = 1 + (operation % (TYPES.length - 1));
    role[operation] = backward ? 1 : 0;
    const scope = `stage_${Math.floor(block / BLOCKS_OF_A_STAGE)}/block_${block % BLOCKS_OF_A_STAGE}/`;
    // Two stages may share a name in the two directions: one of them is inside `gradients`.
    const prefix = flat ? "" : (backward ? "gradients/" : "") + scope;
    names.push(`${prefix}${TYPES[type[operation]]}_${operation}`);
    if (operation === 0) continue;
    const sources = new Set([operation - 1 - below(Math.min(3, operation))]);
    if (random() < 0.3) sources.add(Math.max(0, operation - 2 - below(8)));
    if (random() < 0.05) sources.add(Math.max(0, operation - 1 - below(400)));
    const inputs = [...sources].filter((source) => source < operation);
    inputs.forEach((source, index) => {
      const control = index > 0 && random() < 0.1;
      edges.push([source, operation, control ? CONTROL : 0, control ? 0 : 1 + below(2)]);
    });
  }
  const column = (place: number): number[] => edges.map((edge) => edge[place]);
  return {
    header: {
      graph: name,
      version: 1,
      operations,
      edges: edges.length,
      types: TYPES,
      devices: ["", "/cpu:0", "/cpu:1"],
      shapes: SHAPES,
      against: null,
    },
    buffers: [
      new TextEncoder().encode(names.join("\n")).buffer,
      type.buffer,
      Uint16Array.from(names, (_, index) => 1 + Math.floor((2 * index) / operations)).buffer,
      role.buffer,
      Uint32Array.from(column(0)).buffer,
      Uint32Array.from(column(1)).buffer,
      Uint16Array.from(column(2)).buffer,
      Uint32Array.from(column(3)).buffer,
      new ArrayBuffer(0),
      new ArrayBuffer(0),
    ],
  };
}

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
