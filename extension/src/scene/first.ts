import { ancestorsOf, isGroup, ROOT, type Hierarchy } from "./hierarchy.js";
import { Kind, Role, Status } from "./types.js";

/** A series of more blocks stays folded. */
const SHORT_SERIES = 6;

/** A first view should have about so many boxes, and in no case more. */
const FEW_BOXES = 10;
const MANY_BOXES = 40;

/** In a diff all of the forward part that differs is shown, as long as that many boxes suffice. */
const MOST_IN_DIFF = 100;

/**
 * The items to open at first: nothing where the top level says enough, the largest scopes of a
 * graph that is one box, all of a small one; in a diff, whatever leads to a difference of
 * the forward part.
 */
export function findFirstOpen(hierarchy: Hierarchy): Uint32Array {
  const { childStart, children, aside, kind, repeats, size } = hierarchy;
  const open = new Set<number>();
  const childrenOf = (scope: number) =>
    children.subarray(childStart[scope + 1], childStart[scope + 2]);
  const isShown = (item: number): boolean => !aside[item];
  let shown = childrenOf(ROOT).filter(isShown).length;
  const candidates = [...childrenOf(ROOT)];
  while (shown < FEW_BOXES) {
    let best = -1;
    candidates.forEach((item, index) => {
      if (!isShown(item) || !isGroup(hierarchy, item) || repeats[item] > SHORT_SERIES) return;
      // What a loop does is another level of detail: who wants to see it opens it.
      if (kind[item] === Kind.loop || kind[item] === Kind.condition) return;
      const grown = shown - 1 + childrenOf(item).filter(isShown).length;
      if (grown > MANY_BOXES) return;
      if (best < 0 || size[item] > size[candidates[best]]) best = index;
    });
    if (best < 0) break;
    const [item] = candidates.splice(best, 1);
    open.add(item);
    const inside = childrenOf(item);
    shown += inside.filter(isShown).length - 1;
    // Of equal blocks all are open, or none.
    if (kind[item] !== Kind.series) candidates.push(...inside);
  }
  if (hierarchy.graph.status !== null) openDifferences(hierarchy, open);
  return Uint32Array.from(open);
}

function openDifferences(hierarchy: Hierarchy, open: Set<number>): void {
  const { childStart, status, role, operations, kind } = hierarchy;
  let boxes = childStart[ROOT + 2];
  for (const item of open) boxes += childStart[item + 2] - childStart[item + 1];
  for (let operation = 0; operation < operations; operation++) {
    // Where the forward part differs, gradients and initialisers do too: that says nothing new.
    if (status[operation] === Status.same || role[operation] !== Role.forward) continue;
    // What is new or gone as a whole need not be opened to be seen.
    const around = ancestorsOf(hierarchy, operation).filter(
      (scope) => !open.has(scope) && status[scope] === Status.changed,
    );
    let more = 0;
    for (const scope of around) more += childStart[scope + 2] - childStart[scope + 1];
    if (boxes + more > MOST_IN_DIFF) continue;
    boxes += more;
    for (const scope of around) if (kind[scope] !== Kind.operation) open.add(scope);
  }
}
