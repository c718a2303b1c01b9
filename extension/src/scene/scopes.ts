import { Kind, Role, type Graph } from "./types.js";

/** The parent of what stands at the top. */
export const ROOT = -1;

/**
 * The items of a graph while its hierarchy is built: operations first, then scopes, then whatever
 * the levels are folded into. Lists are indexed by item, `children` by scope (ROOT has its own).
 */
export interface Items {
  readonly graph: Graph;
  readonly operations: number;
  readonly parent: number[];
  readonly kind: number[];
  readonly role: number[];
  /** Full names without a slash at the end, and what a box says. */
  readonly names: string[];
  readonly labels: string[];
  /** The number of operations in every item, and the first of them in creation order. */
  readonly size: number[];
  readonly first: number[];
  /** Blocks in a series, else 1. */
  readonly repeats: number[];
  /** Taken out of the flow of its level. */
  readonly aside: boolean[];
  /** Children in creation order; undefined for operations. */
  readonly children: (number[] | undefined)[];
  top: number[];
}

/** A scope with less than this share of forward operations counts as what the others are. */
const FORWARD_SHARE = 0.02;

/**
 * Sort the operations into their name scopes.
 *
 * The operation `a` beside operations `a/...` belongs to the scope `a`. Scopes come after the
 * scopes around them.
 */
export function buildScopes(graph: Graph): Items {
  const operations = graph.names.length;
  const labelOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1) || name;
  const items: Items = {
    graph,
    operations,
    parent: new Array<number>(operations).fill(ROOT),
    kind: new Array<number>(operations).fill(Kind.operation),
    role: Array.from(graph.role, (role) => role & 3),
    names: [...graph.names],
    labels: graph.names.map(labelOf),
    size: new Array<number>(operations).fill(1),
    first: Array.from(graph.names, (_, operation) => operation),
    repeats: new Array<number>(operations).fill(1),
    aside: new Array<boolean>(operations).fill(false),
    children: new Array<undefined>(operations).fill(undefined),
    top: [],
  };
  const scopes = new Map<string, number>();
  const missing: string[] = [];
  for (let operation = 0; operation < operations; operation++) {
    let prefix = parentName(graph.names[operation]);
    while (prefix !== "" && !scopes.has(prefix)) {
      missing.push(prefix);
      prefix = parentName(prefix);
    }
    let scope = scopes.get(prefix) ?? ROOT;
    for (let name = missing.pop(); name !== undefined; name = missing.pop()) {
      scope = addItem(items, { kind: Kind.scope, parent: scope, name, label: labelOf(name) });
      scopes.set(name, scope);
    }
    items.parent[operation] = scope;
  }
  for (let operation = 0; operation < operations; operation++) {
    const own = scopes.get(graph.names[operation]);
    if (own !== undefined) items.parent[operation] = own;
  }
  listChildren(items);
  assignRoles(items);
  return items;
}

export interface NewItem {
  readonly kind: number;
  readonly parent: number;
  readonly name: string;
  readonly label: string;
}

/** Add a scope or series without operations so far; answers with its number. */
export function addItem(items: Items, { kind, parent, name, label }: NewItem): number {
  items.parent.push(parent);
  items.kind.push(kind);
  items.role.push(Role.forward);
  items.names.push(name);
  items.labels.push(label);
  items.size.push(0);
  items.first.push(-1);
  items.repeats.push(1);
  items.aside.push(false);
  return items.children.push([]) - 1;
}

/** The children of a scope, ROOT for what stands at the top. */
export function childrenOf(items: Items, scope: number): readonly number[] {
  return scope === ROOT ? items.top : (items.children[scope] as number[]);
}

/** Everything before the last slash that has a name before it, "" for the top. */
function parentName(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

function listChildren(items: Items): void {
  const { parent, children, first, size, operations } = items;
  for (let operation = 0; operation < operations; operation++) {
    let item = operation;
    let scope = parent[item];
    // Up to the first scope that has been met before; each is listed when its first operation is.
    while (scope !== ROOT) {
      (children[scope] as number[]).push(item);
      if (first[scope] >= 0) break;
      first[scope] = operation;
      item = scope;
      scope = parent[item];
    }
    if (scope === ROOT) items.top.push(item);
  }
  for (let scope = size.length - 1; scope >= operations; scope--) {
    for (const child of children[scope] as number[]) size[scope] += size[child];
  }
}

/** A scope is there for what its operations are: forward if some are, else what most are. */
function assignRoles(items: Items): void {
  const { children, role, operations } = items;
  const counts = new Float64Array(4 * role.length);
  for (let operation = 0; operation < operations; operation++)
    counts[4 * operation + role[operation]] = 1;
  for (let scope = role.length - 1; scope >= operations; scope--) {
    for (const child of children[scope] as number[]) {
      for (let kind = 0; kind < 4; kind++) counts[4 * scope + kind] += counts[4 * child + kind];
    }
    role[scope] = mainRole(counts.subarray(4 * scope, 4 * scope + 4));
  }
}

/** The role of something that holds these numbers of operations of each role. */
export function mainRole(counts: ArrayLike<number>): number {
  const total = counts[0] + counts[1] + counts[2] + counts[3];
  if (counts[0] > total * FORWARD_SHARE || total === 0) return Role.forward;
  let main: number = Role.backward;
  for (const role of [Role.update, Role.auxiliary]) if (counts[role] > counts[main]) main = role;
  return main;
}
