import { CONTROL, type Graph } from "./types.js";

/** What a graph is made of where no kernel sends it; whatever is left out is the same for all. */
export interface GraphParts {
  readonly name?: string;
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly roles?: readonly number[];
  readonly statuses?: readonly number[];
  readonly edges: readonly EdgeParts[];
}

export interface EdgeParts {
  readonly source: number;
  readonly target: number;
  /** Output index at the source; CONTROL orders the two and carries no tensor. */
  readonly output?: number;
  readonly shape?: string;
  readonly status?: number;
}

/** A table of strings that numbers its entries in the order in which they are first met. */
class Table {
  readonly entries: string[] = [""];
  private readonly index = new Map<string, number>([["", 0]]);

  number(entry: string): number {
    let found = this.index.get(entry);
    if (found === undefined) {
      found = this.entries.push(entry) - 1;
      this.index.set(entry, found);
    }
    return found;
  }
}

/** Put a graph together from lists; edges are given their place by target, in the given order. */
export function makeGraph(parts: GraphParts): Graph {
  const types = new Table();
  const shapes = new Table();
  const edges = [...parts.edges].sort((one, other) => one.target - other.target);
  const differs = parts.statuses !== undefined;
  return {
    name: parts.name ?? "graph",
    version: 1,
    names: parts.names,
    type: Uint16Array.from(parts.types, (type) => types.number(type)),
    types: types.entries,
    devices: [""],
    device: new Uint16Array(parts.names.length),
    role: Uint8Array.from(parts.names, (_, operation) => parts.roles?.[operation] ?? 0),
    edgeSource: Uint32Array.from(edges, ({ source }) => source),
    edgeTarget: Uint32Array.from(edges, ({ target }) => target),
    edgeOutput: Uint16Array.from(edges, ({ output }) => output ?? 0),
    edgeShape: Uint32Array.from(edges, ({ shape }) => shapes.number(shape ?? "")),
    shapes: shapes.entries,
    status: differs ? Uint8Array.from(parts.statuses) : null,
    edgeStatus: differs ? Uint8Array.from(edges, ({ status }) => status ?? 0) : null,
  };
}

/**
 * Read a GraphDef in protobuf's JSON form: `{"node": [{"name", "op", "input": [...]}, ...]}`.
 *
 * Inputs are `name`, `name:2` (the third output) or `^name` (control). A node may have a "role" and
 * a "status" (numbers, see types.ts), which GraphDefs of TensorFlow do not have. Throws an Error
 * that names the node if the value is not a GraphDef, a name is taken twice or an input names no
 * node.
 */
export function readGraph(value: unknown): Graph {
  const nodes = isRecord(value) ? (value["node"] ?? []) : undefined;
  if (!Array.isArray(nodes)) throw new Error('A GraphDef is an object with a list "node".');
  const names: string[] = [];
  const types: string[] = [];
  const roles: number[] = [];
  const statuses: number[] = [];
  const inputs: unknown[][] = [];
  const index = new Map<string, number>();
  for (const [position, node] of nodes.entries()) {
    const { name, op, input = [], role = 0, status = 0 } = isRecord(node) ? node : {};
    if (typeof name !== "string" || name === "" || typeof op !== "string") {
      throw new Error(`Node ${position} of the GraphDef needs a "name" and an "op".`);
    }
    if (!Array.isArray(input)) throw new Error(`The "input" of node "${name}" is not a list.`);
    if (index.has(name)) throw new Error(`Two nodes of the GraphDef have the name "${name}".`);
    index.set(name, position);
    names.push(name);
    types.push(op);
    roles.push(Number(role));
    statuses.push(Number(status));
    inputs.push(input);
  }
  const edges = inputs.flatMap((list, target) =>
    list.map((input): EdgeParts => {
      const control = typeof input === "string" && input.startsWith("^");
      const [, from, output] = /^\^?(.*?)(?::(\d+))?$/.exec(String(input)) as RegExpExecArray;
      const source = index.get(from);
      if (source === undefined) {
        throw new Error(
          `Node "${names[target]}" has the input "${String(input)}", which names no node.`,
        );
      }
      const status = Math.max(statuses[source], statuses[target]);
      return { source, target, output: control ? CONTROL : Number(output ?? 0), status };
    }),
  );
  const differs = statuses.some((status) => status !== 0);
  return makeGraph({ names, types, roles, edges, ...(differs ? { statuses } : {}) });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
