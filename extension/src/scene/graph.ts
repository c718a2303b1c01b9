/** A GraphDef as the scene needs it: operations by index in creation order, and their edges. */
export interface Graph {
  readonly names: readonly string[];
  readonly types: readonly string[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphEdge {
  readonly source: number;
  readonly target: number;
  /** Orders the two, carries no tensor. */
  readonly control: boolean;
}

/**
 * Read a GraphDef in protobuf's JSON form: `{"node": [{"name", "op", "input": [...]}, ...]}`.
 *
 * Inputs are `name`, `name:2` (the third output) or `^name` (control). Throws an Error that names
 * the node if the value is not a GraphDef, a name is taken twice or an input names no node.
 */
export function readGraph(value: unknown): Graph {
  const nodes = isRecord(value) ? (value["node"] ?? []) : undefined;
  if (!Array.isArray(nodes)) throw new Error('A GraphDef is an object with a list "node".');
  const names: string[] = [];
  const types: string[] = [];
  const inputs: unknown[][] = [];
  const index = new Map<string, number>();
  for (const [position, node] of nodes.entries()) {
    const { name, op, input = [] } = isRecord(node) ? node : {};
    if (typeof name !== "string" || name === "" || typeof op !== "string") {
      throw new Error(`Node ${position} of the GraphDef needs a "name" and an "op".`);
    }
    if (!Array.isArray(input)) throw new Error(`The "input" of node "${name}" is not a list.`);
    if (index.has(name)) throw new Error(`Two nodes of the GraphDef have the name "${name}".`);
    index.set(name, position);
    names.push(name);
    types.push(op);
    inputs.push(input);
  }
  const edges = inputs.flatMap((list, target) =>
    list.map((input): GraphEdge => {
      const control = typeof input === "string" && input.startsWith("^");
      const source = index.get(String(input).replace(/^\^/, "").replace(/:\d+$/, ""));
      if (source === undefined) {
        throw new Error(`Node "${names[target]}" has the input "${input}", which names no node.`);
      }
      return { source, target, control };
    }),
  );
  return { names, types, edges };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
