import { filled, groupPlaces, type Numbers } from "./lists.js";

/**
 * The strongly connected component of every item, as a number per item.
 *
 * Tarjan's algorithm with a stack of its own: a chain of operations is as long as the user likes,
 * and the engine's call stack is not.
 */
export function findComponents(count: number, source: Numbers, target: Numbers): Numbers {
  const outgoing = groupPlaces(source, count);
  const component = filled(count, -1);
  const found = filled(count, -1);
  const low = filled(count, 0);
  const cursor = outgoing.start.slice();
  const open: number[] = [];
  let discovered = 0;
  let components = 0;
  for (let root = 0; root < count; root++) {
    if (found[root] >= 0) continue;
    const path = [root];
    while (path.length > 0) {
      const item = path[path.length - 1];
      if (found[item] < 0) {
        found[item] = low[item] = discovered++;
        open.push(item);
      }
      if (cursor[item] < outgoing.start[item + 1]) {
        const next = target[outgoing.members[cursor[item]++]];
        if (found[next] < 0) path.push(next);
        else if (component[next] < 0) low[item] = Math.min(low[item], found[next]);
        continue;
      }
      path.pop();
      if (path.length > 0) {
        const parent = path[path.length - 1];
        low[parent] = Math.min(low[parent], low[item]);
      }
      if (low[item] === found[item]) {
        let member: number;
        do {
          member = open.pop() as number;
          component[member] = components;
        } while (member !== item);
        components++;
      }
    }
  }
  return component;
}

/**
 * Mark the links that have to run upwards with 1: those that are `given`, and of the others those
 * against the creation order inside a cycle.
 *
 * Without them the rest is acyclic, and a graph without cycles has none of them, in whatever order
 * its items were made.
 */
export function findBackLinks(
  count: number,
  source: Numbers,
  target: Numbers,
  given: Numbers = [],
): Numbers {
  const forward = given.flatMap((isBack, link) => (isBack ? [] : [link]));
  if (forward.length < given.length) {
    const others = (ends: Numbers): Numbers => forward.map((link) => ends[link]);
    const back = filled(source.length, 1);
    findBackLinks(count, others(source), others(target)).forEach((isBack, index) => {
      back[forward[index]] = isBack;
    });
    return back;
  }
  const back = filled(source.length, 0);
  let sorted = true;
  for (let link = 0; link < source.length; link++) sorted &&= source[link] < target[link];
  if (sorted) return back;
  const component = findComponents(count, source, target);
  for (let link = 0; link < source.length; link++) {
    const inCycle = component[source[link]] === component[target[link]];
    if (inCycle && source[link] >= target[link]) back[link] = 1;
  }
  return back;
}
