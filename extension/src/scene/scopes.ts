import { groupBy } from "./links.js";
import { findPrefixes, ROOT } from "./prefixes.js";
import { Kind, Role, type Graph } from "./types.js";

const CONDITIONAL = /^(Stateless)?If$/;

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
  /** Children in creation order; undefined for operations that cannot be opened. */
  readonly children: (number[] | undefined)[];
  top: number[];
}

/** A scope with less than this share of forward operations counts as what the others are. */
const FORWARD_SHARE = 0.02;

/**
 * Sort the operations into their name scopes.
 *
 * The operation `a` beside operations `a/...` belongs to the scope `a`. A scope around a single
 * thing is left out, and that thing gets a longer label: nobody wants to open `Read` to find
 * `ReadVariableOp`. What is in a body of a conditional or loop has scopes of its own there, and the
 * operation holds its bodies. Scopes come after the scopes around them.
 */
export function buildScopes(graph: Graph): Items {
  const { names } = graph;
  const operations = names.length;
  const items: Items = {
    graph,
    operations,
    parent: new Array<number>(operations).fill(ROOT),
    kind: new Array<number>(operations).fill(Kind.operation),
    role: new Array<number>(operations).fill(Role.forward),
    names: [...names],
    labels: new Array<string>(operations).fill(""),
    size: new Array<number>(operations).fill(1),
    first: new Array<number>(operations).fill(0),
    repeats: new Array<number>(operations).fill(1),
    aside: new Array<boolean>(operations).fill(false),
    children: new Array<undefined>(operations).fill(undefined),
    top: [],
  };
  for (let operation = 0; operation < operations; operation++) {
    items.role[operation] = graph.role[operation] & 3;
    items.first[operation] = operation;
  }
  const nesting = graph.nesting ?? { bodies: [], body: new Uint16Array(operations) };
  const { start, members } = groupBy(nesting.body, nesting.bodies.length + 1);
  const membersOf = (body: number): Int32Array => members.subarray(start[body], start[body + 1]);
  sortInto(items, ROOT, "", membersOf(0));
  nesting.bodies.forEach((body, index) => {
    const owner = body.operation;
    const isCondition = CONDITIONAL.test(graph.types[graph.type[owner]]);
    items.kind[owner] = isCondition ? Kind.condition : Kind.loop;
    items.children[owner] ??= [];
    const { part } = body;
    const name = `${names[owner]}/${part}`;
    const scope = addItem(items, { kind: Kind.scope, parent: owner, name, label: part });
    // Names inside begin as that of the operation does, but for its own last part.
    const around = names[owner].slice(0, names[owner].lastIndexOf("/") + 1);
    sortInto(items, scope, around, membersOf(index + 1));
  });
  listChildren(items);
  assignRoles(items);
  return items;
}

/** Sort operations into a scope and the name scopes in it; they have `around` in common. */
function sortInto(items: Items, into: number, around: string, members: Int32Array): void {
  const { names } = items;
  const base = into === ROOT ? "" : `${names[into]}/`;
  const inside = Array.from(members, (operation) =>
    names[operation].startsWith(around) ? names[operation].slice(around.length) : names[operation],
  );
  const prefixes = findPrefixes(inside);
  // The scope of each prefix, or the one around it where that is left out.
  const scopeOf: number[] = [];
  const nameIn = (scope: number): string => (scope === into ? "" : names[scope].slice(base.length));
  for (let prefix = 0; prefix < prefixes.names.length; prefix++) {
    const parent = prefixes.parent[prefix] === ROOT ? into : scopeOf[prefixes.parent[prefix]];
    const name = prefixes.names[prefix];
    const label = labelIn(nameIn(parent), name);
    const isLeftOut = prefixes.members[prefix] < 2;
    scopeOf.push(
      isLeftOut ? parent : addItem(items, { kind: Kind.scope, parent, name: base + name, label }),
    );
  }
  members.forEach((operation, index) => {
    const prefix = prefixes.of[index];
    const parent = prefix === ROOT ? into : scopeOf[prefix];
    items.parent[operation] = parent;
    items.labels[operation] = labelIn(nameIn(parent), inside[index]);
  });
}

/** What of a name its scope does not say already; the last part for the scope's own operation. */
function labelIn(scope: string, name: string): string {
  if (scope === "") return name;
  const around = scope.length;
  return (
    (name.length === around ? name.slice(name.lastIndexOf("/") + 1) : name.slice(around + 1)) ||
    name
  );
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
    // A body comes after all around its operation, which so has its size before it is counted.
    if (parent[scope] >= 0 && parent[scope] < operations) size[parent[scope]] += size[scope];
  }
}

/** A scope is there for what its operations are: forward if some are, else what most are. */
function assignRoles(items: Items): void {
  const { children, role, operations } = items;
  const counts = new Int32Array(4 * role.length);
  for (let operation = 0; operation < operations; operation++) {
    counts[4 * operation + role[operation]] = 1;
  }
  for (let scope = role.length - 1; scope >= operations; scope--) {
    for (const child of children[scope] as number[]) {
      for (let kind = 0; kind < 4; kind++) counts[4 * scope + kind] += counts[4 * child + kind];
    }
    const at = 4 * scope;
    role[scope] = mainRole(counts[at], counts[at + 1], counts[at + 2], counts[at + 3]);
  }
}

/** The role of something that holds these numbers of operations of each role. */
export function mainRole(forward: number, backward: number, update: number, auxiliary: number) {
  const total = forward + backward + update + auxiliary;
  if (forward > total * FORWARD_SHARE || total === 0) return Role.forward;
  if (backward >= update && backward >= auxiliary) return Role.backward;
  return update >= auxiliary ? Role.update : Role.auxiliary;
}
