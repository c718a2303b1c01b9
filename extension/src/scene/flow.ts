import { findBackLinks } from "../layout/cycles.js";
import { groupBy, type Groups } from "./links.js";

/** Connections between `count` things, each named by its place in a list. */
export interface Wiring {
  readonly count: number;
  readonly source: Int32Array;
  readonly target: Int32Array;
}

/**
 * The order in which things are met along the flow: each after what it needs, ties as they were
 * made, and what needs nothing (weights, constants) just before its first use. Links that close a
 * cycle do not count.
 */
export function orderAlongFlow({ count, source, target }: Wiring): Int32Array {
  const back = findBackLinks(count, [...source], [...target]);
  const inputs = new Int32Array(count);
  let sorted = true;
  for (let link = 0; link < source.length; link++) {
    if (back[link]) continue;
    inputs[target[link]]++;
    sorted &&= source[link] < target[link];
  }
  const position = sorted ? null : earliestFirst(count, source, target, back, inputs);
  const key = Float64Array.from({ length: count }, (_, item) => position?.[item] ?? item);
  const firstUse = new Float64Array(count).fill(Infinity);
  for (let link = 0; link < source.length; link++) {
    if (!back[link]) firstUse[source[link]] = Math.min(firstUse[source[link]], key[target[link]]);
  }
  for (let item = 0; item < count; item++) {
    if (inputs[item] === 0 && firstUse[item] < Infinity) key[item] = firstUse[item] - 0.5;
  }
  const order = Int32Array.from({ length: count }, (_, item) => item);
  return order.sort((one, other) => key[one] - key[other] || one - other);
}

/** Positions in a topological order that prefers what was made first. */
function earliestFirst(
  count: number,
  source: Int32Array,
  target: Int32Array,
  back: readonly number[],
  inputs: Int32Array,
): Int32Array {
  const outgoing = groupBy(source, count);
  const waiting = inputs.slice();
  const position = new Int32Array(count);
  const ready = new Heap();
  for (let item = 0; item < count; item++) if (waiting[item] === 0) ready.push(item);
  let placed = 0;
  for (let item = ready.pop(); item !== undefined; item = ready.pop()) {
    position[item] = placed++;
    for (let k = outgoing.start[item]; k < outgoing.start[item + 1]; k++) {
      const link = outgoing.members[k];
      if (!back[link] && --waiting[target[link]] === 0) ready.push(target[link]);
    }
  }
  return position;
}

/** The least of some numbers, again and again. */
class Heap {
  private readonly values: number[] = [];

  push(value: number): void {
    let place = this.values.push(value) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.values[above] <= value) break;
      this.values[place] = this.values[above];
      place = above;
    }
    this.values[place] = value;
  }

  pop(): number | undefined {
    const least = this.values[0];
    const last = this.values.pop();
    if (last === undefined || this.values.length === 0) return least;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.values.length) break;
      if (this.values[below + 1] < this.values[below]) below++;
      if (this.values[below] >= last) break;
      this.values[place] = this.values[below];
      place = below;
    }
    this.values[place] = last;
    return least;
  }
}

/**
 * How many things are still needed across each gap of a line: crossing[i] counts those at or before
 * place i with a use behind it. What needs nothing itself counts only as far as its first use: it
 * could stand anywhere before that.
 */
export function countCrossings({ count, source, target }: Wiring): Int32Array {
  const hasInput = new Uint8Array(count);
  for (let link = 0; link < source.length; link++) hasInput[target[link]] = 1;
  const end = new Int32Array(count).fill(-1);
  for (let link = 0; link < source.length; link++) {
    const [from, to] = [source[link], target[link]];
    if (from >= to) continue;
    end[from] = hasInput[from] || end[from] < 0 ? Math.max(end[from], to) : Math.min(end[from], to);
  }
  const crossing = new Int32Array(count + 1);
  for (let place = 0; place < count; place++) {
    if (end[place] <= place) continue;
    crossing[place]++;
    crossing[end[place]]--;
  }
  for (let place = 0; place < count; place++) crossing[place + 1] += crossing[place];
  return crossing.subarray(0, count);
}

/** For each place of a line the places that what stands there needs, ascending. */
export function inputPlaces({ count, source, target }: Wiring): Groups {
  const bySource = groupBy(source, count).members;
  const groups = groupBy(
    bySource.map((link) => target[link]),
    count,
  );
  return { start: groups.start, members: groups.members.map((index) => source[bySource[index]]) };
}

/** The things at `places` as a line of their own, with the links among them. */
export function pick({ count, source, target }: Wiring, places: ArrayLike<number>): Wiring {
  const index = new Int32Array(count).fill(-1);
  for (let place = 0; place < places.length; place++) index[places[place]] = place;
  const from: number[] = [];
  const to: number[] = [];
  for (let link = 0; link < source.length; link++) {
    if (index[source[link]] < 0 || index[target[link]] < 0) continue;
    from.push(index[source[link]]);
    to.push(index[target[link]]);
  }
  return { count: places.length, source: Int32Array.from(from), target: Int32Array.from(to) };
}

/** Links among groups of things: each once, and none within a group. */
export function contract({ source, target }: Wiring, groupOf: Int32Array, count: number): Wiring {
  const from: number[] = [];
  const to: number[] = [];
  const bySource = groupBy(
    source.map((place) => groupOf[place]),
    count,
  );
  const noted = new Int32Array(count).fill(-1);
  for (let group = 0; group < count; group++) {
    for (let k = bySource.start[group]; k < bySource.start[group + 1]; k++) {
      const other = groupOf[target[bySource.members[k]]];
      if (other < 0 || other === group || noted[other] === group) continue;
      noted[other] = group;
      from.push(group);
      to.push(other);
    }
  }
  return { count, source: Int32Array.from(from), target: Int32Array.from(to) };
}
