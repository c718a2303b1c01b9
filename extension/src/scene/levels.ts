import { divideLevel } from "./aside.js";
import {
  contract,
  countCrossings,
  inputPlaces,
  orderAlongFlow,
  pick,
  type Wiring,
} from "./flow.js";
import { labelOfMany } from "./labels.js";
import type { Links } from "./links.js";
import { findRuns, type Run } from "./runs.js";
import { addItem, childrenOf, mainRole, ROOT, type Items } from "./scopes.js";
import { cutBySize, cutWhereNarrow, MOST_BOXES, singles } from "./segments.js";
import { hashText, mix, type Structure } from "./structure.js";
import { Kind } from "./types.js";

/** What is shown together in a scope: its members, and the links between them by their places. */
interface Level extends Wiring {
  readonly scope: number;
  readonly members: readonly number[];
}

/** Blocks of fewer operations are not worth folding. */
const SMALLEST_BLOCK = 3;

/**
 * Fold every level so that a person can look at it: set aside what is no part of its flow, put
 * repeated blocks into series, and cut what is still too long into segments.
 */
export function foldLevels(items: Items, links: Links, structure: Structure): void {
  const folder = new Folder(items, structure);
  folder.foldAll(listLevels(items, links));
}

/** The levels of more than one member. */
function listLevels(items: Items, links: Links): Level[] {
  const place = new Int32Array(items.parent.length);
  const levels: Level[] = [];
  for (let scope = ROOT; scope < items.parent.length; scope++) {
    if (scope >= 0 && scope < items.operations) continue;
    const members = childrenOf(items, scope);
    if (members.length < 2) continue;
    members.forEach((item, index) => (place[item] = index));
    const [from, to] = [links.start[scope + 1], links.start[scope + 2]];
    const source = links.source.subarray(from, to).map((item) => place[item]);
    const target = links.target.subarray(from, to).map((item) => place[item]);
    levels.push({ scope, members, count: members.length, source, target });
  }
  return levels;
}

class Folder {
  private readonly waiting: Level[] = [];
  private readonly named: number;
  private readonly usedNames = new Map<string, number>();

  constructor(
    private readonly items: Items,
    /** Grows with the items that folding makes. */
    private readonly structure: Structure,
  ) {
    this.named = items.parent.length;
  }

  /** Folding makes new levels, which are folded in turn. */
  foldAll(levels: readonly Level[]): void {
    this.waiting.push(...levels.toReversed());
    for (let level = this.waiting.pop(); level !== undefined; level = this.waiting.pop()) {
      this.fold(level);
    }
  }

  private fold(level: Level): void {
    const { items } = this;
    const { scope, members } = level;
    const inSeries = scope !== ROOT && items.kind[scope] === Kind.series;
    const { flow, groups } = inSeries
      ? { flow: singles(level.count), groups: [] }
      : divideLevel(items, level, scope, members);
    const children = groups.map(({ label, members: places }) => {
      const item =
        places.length === 1
          ? members[places[0]]
          : this.group(pickLevel(level, places), Kind.scope, label);
      items.aside[item] = true;
      return item;
    });
    const flowing = pickLevel(level, flow);
    const line = pickLevel(flowing, orderAlongFlow(flowing));
    const folded = inSeries ? line : this.foldRepeats(line);
    // Parts of a long series are series again: there is nothing else to fold in them.
    const kind = inSeries ? Kind.series : Kind.scope;
    children.push(...(folded.count > MOST_BOXES ? this.segment(folded, kind) : folded.members));
    this.setChildren(scope, children);
  }

  /** The line with repeated blocks, and segments between bottlenecks if it is long, as one each. */
  private foldRepeats(line: Level): Level {
    if (line.count < 3) return line;
    const crossing = countCrossings(line);
    const starts = line.count > MOST_BOXES ? cutWhereNarrow(crossing) : singles(line.count);
    const endOf = (block: number): number => starts[block] ?? line.count;
    const blockOf = new Int32Array(line.count);
    starts.forEach((start, block) => blockOf.fill(block, start, endOf(block + 1)));

    const runs = findRuns(
      this.looksOf(line, starts),
      inputPlaces(contract(line, blockOf, starts.length)),
      {
        crossing: starts.map((_, block) => crossing[endOf(block + 1) - 1]),
        worthwhile: (block, period) =>
          this.isWorthwhile(line, starts[block], endOf(block + period)),
      },
    );
    const members: number[] = [];
    const memberOf = new Int32Array(line.count);
    const put = (item: number, start: number, end: number): void => {
      memberOf.fill(members.push(item) - 1, start, end);
    };
    let run = 0;
    for (let block = 0; block < starts.length; ) {
      const next = runs[run] as Run | undefined;
      const start = starts[block];
      if (next?.start === block) {
        block += next.period * next.repeats;
        const parts = Array.from({ length: next.repeats }, (_, index) => {
          const first = next.start + index * next.period;
          return this.stretch(line, starts[first], endOf(first + next.period));
        });
        put(this.series(line, start, endOf(block), parts), start, endOf(block));
        run++;
      } else {
        block++;
        put(this.stretch(line, start, endOf(block)), start, endOf(block));
      }
    }
    return { ...contract(line, memberOf, members.length), scope: line.scope, members };
  }

  /** Cut a line that is still too long into segments of about the same length. */
  private segment(line: Level, kind: number): number[] {
    const starts = cutBySize(countCrossings(line));
    return starts.map((start, index) => {
      const end = starts[index + 1] ?? line.count;
      const item = this.stretch(line, start, end, kind);
      if (kind === Kind.series && end - start > 1) this.items.repeats[item] = end - start;
      return item;
    });
  }

  /** One item for a stretch of a line: what stands there, or a scope of its own around several. */
  private stretch(line: Level, start: number, end: number, kind: number = Kind.scope): number {
    if (end - start === 1) return line.members[start];
    const level = pickLevel(line, range(start, end));
    return this.group(level, kind, this.labelOf(level.members));
  }

  /** A series of parts, which are the stretches of a line between two places. */
  private series(line: Level, start: number, end: number, parts: readonly number[]): number {
    const { labels, repeats } = this.items;
    const single = parts.length === end - start;
    const label = single
      ? labelOfMany(parts.map((part) => labels[part]))
      : this.labelOf(line.members.slice(start, end));
    const partOf = new Int32Array(line.count).fill(-1);
    const length = (end - start) / parts.length;
    for (let place = start; place < end; place++)
      partOf[place] = Math.floor((place - start) / length);
    const wiring = contract(line, partOf, parts.length);
    const item = this.group({ ...wiring, scope: line.scope, members: parts }, Kind.series, label);
    repeats[item] = parts.length;
    return item;
  }

  private labelOf(members: readonly number[]): string {
    const { labels } = this.items;
    return labelOfMany([labels[members[0]], labels[members[members.length - 1]]]);
  }

  /** A new item around the members of a level, which will be folded in turn. */
  private group(level: Level, kind: number, label: string): number {
    const { items, structure } = this;
    const name = this.uniqueName(level.scope, label);
    const item = addItem(items, { kind, parent: level.scope, name, label });
    const counts = [0, 0, 0, 0];
    let hash = kind;
    for (const member of level.members) {
      items.size[item] += items.size[member];
      counts[items.role[member]] += items.size[member];
      hash = mix(hash, structure[member]);
    }
    items.role[item] = mainRole(counts);
    structure[item] = hash;
    this.setChildren(item, level.members);
    this.waiting.push({ ...level, scope: item });
    return item;
  }

  private setChildren(scope: number, children: readonly number[]): void {
    const { items } = this;
    const sorted = [...children].sort((one, other) => items.first[one] - items.first[other]);
    for (const child of sorted) items.parent[child] = scope;
    if (scope === ROOT) {
      items.top = sorted;
    } else {
      items.children[scope] = sorted;
      items.first[scope] = items.first[sorted[0]];
    }
  }

  /** The name of the nearest name scope, then the label; numbered where that is taken. */
  private uniqueName(scope: number, label: string): string {
    let around = scope;
    while (around >= this.named) around = this.items.parent[around];
    const name = around === ROOT ? label : `${this.items.names[around]}/${label}`;
    const used = (this.usedNames.get(name) ?? 0) + 1;
    this.usedNames.set(name, used);
    return used === 1 ? name : `${name} (${used})`;
  }

  /** A number for each block of a line: equal where types, wiring inside and names agree. */
  private looksOf(line: Level, starts: readonly number[]): number[] {
    const inputs = inputPlaces(line);
    return starts.map((start, block) => {
      const end = starts[block + 1] ?? line.count;
      let hash = end - start;
      for (let place = start; place < end; place++) {
        const item = line.members[place];
        // Numbers in a name tell one block from the next; the rest of it says what it is.
        const stem = this.items.labels[item].replace(/_?\d+/g, "");
        hash = mix(mix(hash, this.structure[item]), hashText(stem));
        for (let k = inputs.start[place]; k < inputs.start[place + 1]; k++) {
          if (inputs.members[k] >= start) hash = mix(hash, place - inputs.members[k]);
        }
      }
      return hash;
    });
  }

  private isWorthwhile(line: Level, start: number, end: number): boolean {
    let size = 0;
    for (let place = start; place < end; place++) size += this.items.size[line.members[place]];
    return size >= SMALLEST_BLOCK || (end - start === 1 && size > 1);
  }
}

function pickLevel(level: Level, places: ArrayLike<number>): Level {
  const members = Array.from(places, (place) => level.members[place]);
  return { ...pick(level, places), scope: level.scope, members };
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
