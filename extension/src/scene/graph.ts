import { CONTROL, type Body, type Graph } from "./types.js";

/** What a graph is made of where no kernel sends it; whatever is left out is the same for all. */
export interface GraphParts {
  readonly name?: string;
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly roles?: readonly number[];
  readonly statuses?: readonly number[];
  readonly edges: readonly EdgeParts[];
  /** Bodies of conditionals and loops, and for each operation which one it is in (0 for none). */
  readonly bodies?: readonly Body[];
  readonly body?: readonly number[];
}

export interface EdgeParts {
  readonly source: number;
  readonly target: number;
  /** Output index at the source; CONTROL orders the two and carries no tensor. */
  readonly output?: number;
  readonly shape?: string;
  readonly status?: number;
  /** Whose output it is, where that is not the source. */
  readonly owner?: number;
  /** Whether it leads to the next pass of a loop. */
  readonly back?: boolean;
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
    nesting:
      parts.bodies === undefined
        ? null
        : {
            bodies: parts.bodies,
            body: Uint16Array.from(parts.names, (_, operation) => parts.body?.[operation] ?? 0),
            edgeOwner: Uint32Array.from(edges, ({ source, owner }) => owner ?? source),
            edgeBack: Uint8Array.from(edges, ({ back }) => Number(back ?? false)),
          },
  };
}

/**
 * Read a GraphDef in protobuf's JSON form: `{"node": [{"name", "op", "input": [...]}, ...]}`.
 *
 * Inputs are `name`, `name:2` (the third output) or `^name` (control). A node may have a "role" and
 * a "status" (numbers, see types.ts), and be "inside" a body, `["while", "body"]`, which GraphDefs of
 * TensorFlow do not have. There an input may be `{"from": "name", "of": "while:1", "back": true}`: whose
 * output it is, and whether it leads to the next pass. Throws an Error that names the node if the
 * value is not a GraphDef, a name is taken twice or an input names no node.
 */
export function readGraph(value: unknown): Graph {
  const nodes = isRecord(value) ? (value["node"] ?? []) : undefined;
  if (!Array.isArray(nodes)) throw new Error('A GraphDef is an object with a list "node".');
  const names: string[] = [];
  const types: string[] = [];
  const roles: number[] = [];
  const statuses: number[] = [];
  const inputs: unknown[][] = [];
  const places: (readonly [string, string] | null)[] = [];
  const index = new Map<string, number>();
  for (const [position, node] of nodes.entries()) {
    const { name, op, input = [], role = 0, status = 0, inside } = isRecord(node) ? node : {};
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
    places.push(Array.isArray(inside) ? [String(inside[0]), String(inside[1])] : null);
  }
  const find = (reference: string, target: number) => {
    const [, from, output] = /^\^?(.*?)(?::(\d+))?$/.exec(reference) as RegExpExecArray;
    const operation = index.get(from);
    if (operation === undefined) {
      throw new Error(`Node "${names[target]}" has the input "${reference}", which names no node.`);
    }
    return { operation, output: reference.startsWith("^") ? CONTROL : Number(output ?? 0) };
  };
  const edges = inputs.flatMap((list, target) =>
    list.map((input): EdgeParts => {
      const drawn = isRecord(input) ? input : { from: input, of: input };
      const { operation: source } = find(String(drawn["from"]), target);
      const { operation: owner, output } = find(String(drawn["of"] ?? drawn["from"]), target);
      const status = Math.max(statuses[source], statuses[target]);
      return { source, target, output, status, owner, back: drawn["back"] === true };
    }),
  );
  const bodies: Body[] = [];
  const body = places.map((place, target) => {
    if (place === null) return 0;
    const { operation } = find(place[0], target);
    const known = bodies.findIndex(
      (each) => each.operation === operation && each.part === place[1],
    );
    return known < 0 ? bodies.push({ operation, part: place[1] }) : known + 1;
  });
  const differs = statuses.some((status) => status !== 0);
  const nesting = bodies.length > 0 ? { bodies, body } : {};
  return makeGraph({ names, types, roles, edges, ...nesting, ...(differs ? { statuses } : {}) });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
