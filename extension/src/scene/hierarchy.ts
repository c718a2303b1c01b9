import { foldLevels } from "./levels.js";
import { findDepths, liftEdges, type Links } from "./links.js";
import { buildScopes, type Items } from "./scopes.js";
import { ROOT } from "./prefixes.js";
import { hashStructure } from "./structure.js";
import { Kind, Status, type Graph } from "./types.js";

export { ROOT } from "./prefixes.js";

/** What loops and conditions are called in the scopes that are made for them. */
const OWN_NAME = /^(Stateless)?(While|If)(_\d+)?$/;

/** A graph in its name scopes, bodies, series and segments. Items are numbered as types.ts says. */
export interface Hierarchy {
  readonly graph: Graph;
  readonly operations: number;
  /** The number of items. */
  readonly count: number;
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly kind: Uint8Array;
  /** Kind.loop or Kind.condition for those and for name scopes made for one; else 0. */
  readonly mark: Uint8Array;
  readonly role: Uint8Array;
  /** 1 for what is set beside the flow of its level. */
  readonly aside: Uint8Array;
  /** For a scope what all it holds has become, or "changed" where that differs. */
  readonly status: Uint8Array;
  /** Operations in every item, and blocks in a series (else 1). */
  readonly size: Uint32Array;
  readonly repeats: Uint32Array;
  readonly names: readonly string[];
  readonly labels: readonly string[];
  /** Children of scope s in creation order: children[childStart[s + 1]] and on; ROOT is -1. */
  readonly childStart: Int32Array;
  readonly children: Int32Array;
  /** The place of every item among the children of its scope. */
  readonly place: Int32Array;
  /** All items, each scope before what it holds. */
  readonly order: Int32Array;
  /** Operations so that those of an item stand together, from `from` on; `size` tells how many. */
  readonly operationsInOrder: Int32Array;
  readonly from: Int32Array;
  readonly links: Links;
}

/** Sort operations into name scopes and fold what is long or repeated. */
export function buildHierarchy(graph: Graph): Hierarchy {
  const items = buildScopes(graph);
  const links = liftEdges(graph, items.parent);
  foldLevels(items, links, hashStructure(items, links));
  return freeze(items);
}

function freeze(items: Items): Hierarchy {
  const { graph, operations } = items;
  const count = items.parent.length;
  const parent = Int32Array.from(items.parent);
  const childStart = new Int32Array(count + 2);
  for (let scope = ROOT; scope < count; scope++) {
    const children = scope === ROOT ? items.top : items.children[scope];
    childStart[scope + 2] = childStart[scope + 1] + (children?.length ?? 0);
  }
  const children = new Int32Array(count);
  for (let scope = ROOT; scope < count; scope++) {
    const list = scope === ROOT ? items.top : items.children[scope];
    if (list !== undefined) children.set(list, childStart[scope + 1]);
  }
  const place = new Int32Array(count);
  for (let scope = ROOT; scope < count; scope++) {
    const first = childStart[scope + 1];
    for (let k = first; k < childStart[scope + 2]; k++) place[children[k]] = k - first;
  }
  const order = orderFromTop(count, childStart, children);
  const from = new Int32Array(count);
  const operationsInOrder = new Int32Array(operations);
  let placed = 0;
  for (const item of order) {
    from[item] = placed;
    if (item < operations) operationsInOrder[placed++] = item;
  }
  return {
    graph,
    operations,
    count,
    parent,
    depth: findDepths(parent),
    kind: Uint8Array.from(items.kind),
    mark: findMarks(items),
    role: Uint8Array.from(items.role),
    aside: Uint8Array.from(items.aside, Number),
    status: gatherStatus(graph, parent, order),
    size: Uint32Array.from(items.size),
    repeats: Uint32Array.from(items.repeats),
    names: items.names,
    labels: items.labels,
    childStart,
    children,
    place,
    order,
    operationsInOrder,
    from,
    links: liftEdges(graph, parent),
  };
}

/** Marks of loops and conditions, and of scopes that were made for one: `while` around `while/While`. */
function findMarks({ kind, parent, labels, operations }: Items): Uint8Array {
  const mark = new Uint8Array(kind.length);
  for (let operation = 0; operation < operations; operation++) {
    if (kind[operation] === Kind.operation) continue;
    mark[operation] = kind[operation];
    const scope = parent[operation];
    if (scope >= operations && OWN_NAME.test(labels[operation])) mark[scope] = kind[operation];
  }
  return mark;
}

/** Items so that each scope stands straight before all that it holds. */
function orderFromTop(count: number, childStart: Int32Array, children: Int32Array): Int32Array {
  const order = new Int32Array(count);
  const open = [ROOT];
  let placed = 0;
  for (let scope = open.pop(); scope !== undefined; scope = open.pop()) {
    if (scope !== ROOT) order[placed++] = scope;
    for (let k = childStart[scope + 2] - 1; k >= childStart[scope + 1]; k--) open.push(children[k]);
  }
  return order;
}

/** Statuses of scopes: what all of their operations are, or "changed" where they are not alike. */
function gatherStatus(graph: Graph, parent: Int32Array, order: Int32Array): Uint8Array {
  const status = new Uint8Array(parent.length);
  if (graph.status === null) return status;
  status.set(graph.status);
  const unset = 255;
  status.fill(unset, graph.names.length);
  for (let index = order.length - 1; index >= 0; index--) {
    const item = order[index];
    const scope = parent[item];
    if (scope === ROOT) continue;
    if (status[scope] === unset) status[scope] = status[item];
    else if (status[scope] !== status[item]) status[scope] = Status.changed;
  }
  return status;
}

/** Whether an item can be opened. */
export function isGroup(hierarchy: Hierarchy, item: number): boolean {
  return hierarchy.kind[item] !== Kind.operation;
}

/** The items around an item, outermost first, without it. */
export function ancestorsOf({ parent }: Hierarchy, item: number): number[] {
  const around: number[] = [];
  for (let scope = parent[item]; scope !== ROOT; scope = parent[scope]) around.push(scope);
  return around.reverse();
}

/** The operations in an item. */
export function operationsOf(hierarchy: Hierarchy, item: number): Int32Array {
  const from = hierarchy.from[item];
  return hierarchy.operationsInOrder.subarray(from, from + hierarchy.size[item]);
}

/** For each item, 1 if it is among `open`, a group, and all around it are open too. */
export function findOpen(hierarchy: Hierarchy, open: Iterable<number>): Uint8Array {
  const { order, parent, count } = hierarchy;
  const wanted = new Uint8Array(count);
  for (const item of open) if (item < count && isGroup(hierarchy, item)) wanted[item] = 1;
  for (const item of order) {
    if (parent[item] !== ROOT && !wanted[parent[item]]) wanted[item] = 0;
  }
  return wanted;
}

/** For each item the one that stands for it while those marked in `isOpen` are open. */
export function findVisible({ order, parent, count }: Hierarchy, isOpen: Uint8Array): Int32Array {
  const visible = new Int32Array(count);
  for (const item of order) {
    const scope = parent[item];
    visible[item] = scope === ROOT || isOpen[scope] ? item : visible[scope];
  }
  return visible;
}
