import type { Graph } from "./graph.js";

/** The parent of what stands at the top. */
export const ROOT = -1;

/**
 * The operations of a graph in their name scopes.
 *
 * Items are the operations (0 to operations - 1, as in the graph) and then the scopes, each of
 * which comes after its parent. The operation `a` beside operations `a/...` is an item of its own
 * next to the scope of the same name.
 */
export interface Hierarchy {
  readonly graph: Graph;
  /** Full names, without a slash at the end. */
  readonly names: readonly string[];
  readonly parent: readonly number[];
  /** Children of every scope in creation order; `children.get(ROOT)` stands at the top. */
  readonly children: ReadonlyMap<number, readonly number[]>;
  /** The number of operations in every item. */
  readonly size: readonly number[];
  /** Connections between the children of each scope, with the edges of the graph in each. */
  readonly connections: ReadonlyMap<number, readonly Connection[]>;
}

export interface Connection {
  readonly source: number;
  readonly target: number;
  readonly edges: readonly number[];
}

/** Sort the operations into scopes, and every edge into the scope in which its ends part. */
export function buildHierarchy(graph: Graph): Hierarchy {
  const names = [...graph.names];
  const parent: number[] = new Array(names.length).fill(ROOT);
  const depth: number[] = new Array(names.length).fill(0);
  const size: number[] = new Array(names.length).fill(1);
  const children = new Map<number, number[]>([[ROOT, []]]);
  const scopes = new Map<string, number>();
  const join = (item: number, scope: number): void => {
    parent[item] = scope;
    depth[item] = scope === ROOT ? 0 : depth[scope] + 1;
    (children.get(scope) as number[]).push(item);
  };
  graph.names.forEach((name, operation) => {
    let scope = ROOT;
    for (let slash = name.indexOf("/"); slash >= 0; slash = name.indexOf("/", slash + 1)) {
      const prefix = name.slice(0, slash);
      let inner = scopes.get(prefix);
      if (inner === undefined) {
        inner = names.push(prefix) - 1;
        size.push(0);
        scopes.set(prefix, inner);
        children.set(inner, []);
        join(inner, scope);
      }
      size[inner]++;
      scope = inner;
    }
    join(operation, scope);
  });

  type Group = Map<string, { source: number; target: number; edges: number[] }>;
  const groups = new Map<number, Group>();
  graph.edges.forEach((edge, index) => {
    let { source, target } = edge;
    while (depth[source] > depth[target]) source = parent[source];
    while (depth[target] > depth[source]) target = parent[target];
    while (parent[source] !== parent[target]) {
      source = parent[source];
      target = parent[target];
    }
    const scope = parent[source];
    const group: Group = groups.get(scope) ?? new Map();
    groups.set(scope, group);
    const key = `${source} ${target}`;
    const connection = group.get(key) ?? { source, target, edges: [] };
    group.set(key, connection);
    connection.edges.push(index);
  });
  const connections = new Map([...groups].map(([scope, group]) => [scope, [...group.values()]]));
  return { graph, names, parent, children, size, connections };
}
