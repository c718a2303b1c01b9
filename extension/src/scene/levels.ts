import { divideLevel } from "./aside.js";
import { countCrossings, inputPlaces, orderAlongFlow } from "./flow.js";
import { labelOfMany } from "./labels.js";
import { Level, levelOf } from "./level.js";
import type { Links } from "./links.js";
import { ROOT } from "./prefixes.js";
import { FEWEST_REPEATS, findRuns, type Run } from "./runs.js";
import { addItem, childrenOf, mainRole, type Items } from "./scopes.js";
import { cutBySize, cutWhereNarrow, MOST_BOXES, singles, SMALLEST_SEGMENT } from "./segments.js";
import { hashText, mix, type Structure } from "./structure.js";
import { Kind } from "./types.js";

/** Blocks of fewer operations are not worth folding. */
const SMALLEST_BLOCK = 3;

/**
 * Fold every level so that a person can look at it: set aside what is no part of its flow, put
 * repeated blocks into series, and cut what is still too long into segments.
 */
export function foldLevels(items: Items, links: Links, structure: Structure): void {
  const folder = new Folder(items, structure);
  const place = new Int32Array(items.parent.length);
  for (let scope = ROOT; scope < place.length; scope++) {
    if (scope >= 0 && scope < items.operations) continue;
    folder.foldAll(levelOf(scope, childrenOf(items, scope), links, place));
  }
}

class Folder {
  private readonly waiting: Level[] = [];
  private readonly named: number;
  private readonly usedNames = new Map<string, number>();
  private readonly stems = new Map<string, number>();

  constructor(
    private readonly items: Items,
    /** Grows with the items that folding makes. */
    private readonly structure: Structure,
  ) {
    this.named = items.parent.length;
  }

  /** Folding makes new levels, which are folded in turn. */
  foldAll(first: Level): void {
    this.waiting.push(first);
    for (let level = this.waiting.pop(); level !== undefined; level = this.waiting.pop()) {
      this.fold(level);
    }
  }

  private fold(level: Level): void {
    const { items } = this;
    const { scope, members } = level;
    const inSeries = scope !== ROOT && items.kind[scope] === Kind.series;
    const division = inSeries ? null : divideLevel(items, level);
    const flowing = division === null ? level : level.pick(division.flow);
    const groups = (division?.groups ?? []).map(({ label, members: places }) => {
      const [first] = places;
      const item =
        places.length === 1 ? members[first] : this.group(level.pick(places), Kind.scope, label);
      items.aside[item] = true;
      return item;
    });
    const folded = inSeries ? flowing : this.foldRepeats(flowing);
    // Parts of a long series are series again: there is nothing else to fold in them.
    const kind = inSeries ? Kind.series : Kind.scope;
    const flow = folded.count > MOST_BOXES ? this.segment(folded, kind) : folded.members;
    if (flow !== level.members) this.setChildren(scope, [...groups, ...flow]);
  }

  /** The line with repeated blocks, and segments between bottlenecks if it is long, as one each. */
  private foldRepeats(flowing: Level): Level {
    if (flowing.count <= MOST_BOXES && !this.mayRepeat(flowing)) return flowing;
    const line = flowing.pick(orderAlongFlow(flowing.wiring));
    const crossing = countCrossings(line.wiring);
    const starts = line.count > MOST_BOXES ? cutWhereNarrow(crossing) : singles(line.count);
    const endOf = (block: number): number => starts[block] ?? line.count;
    const blockOf = new Int32Array(line.count);
    starts.forEach((start, block) => blockOf.fill(block, start, endOf(block + 1)));
    const looks = this.looksOf(line, starts);
    const blocks = line.contract(blockOf, looks);
    const runs = findRuns(looks, inputPlaces(blocks.wiring), {
      crossing: starts.map((_, block) => crossing[endOf(block + 1) - 1]),
      worthwhile: (block, period) => this.isWorthwhile(line, starts[block], endOf(block + period)),
    });
    if (runs.length === 0 && starts.length === line.count) return flowing;
    return this.putTogether(line, starts, runs);
  }

  /** A line with its runs as series and its other blocks as segments. */
  private putTogether(line: Level, starts: readonly number[], runs: readonly Run[]): Level {
    const endOf = (block: number): number => starts[block] ?? line.count;
    const runAt = new Map(runs.map((run) => [run.start, run]));
    const pieces: { start: number; end: number; run: Run | undefined }[] = [];
    for (let block = 0; block < starts.length; ) {
      const run = runAt.get(block);
      const next = block + (run === undefined ? 1 : run.period * run.repeats);
      pieces.push({ start: starts[block], end: endOf(next), run });
      block = next;
    }
    const isSmall = ({ start, end, run }: (typeof pieces)[0]): boolean =>
      run === undefined && end - start < SMALLEST_SEGMENT;
    let boxes = 0;
    for (const piece of pieces) boxes += isSmall(piece) ? piece.end - piece.start : 1;
    const members: number[] = [];
    const memberOf = new Int32Array(line.count);
    for (const piece of pieces) {
      const { start, end, run } = piece;
      if (isSmall(piece) && boxes <= MOST_BOXES) {
        for (let place = start; place < end; place++) {
          memberOf[place] = members.push(line.members[place]) - 1;
        }
      } else if (run === undefined) {
        memberOf.fill(members.push(this.stretch(line, start, end)) - 1, start, end);
      } else {
        const bounds = Array.from({ length: run.repeats + 1 }, (_, part) =>
          endOf(run.start + part * run.period),
        );
        memberOf.fill(members.push(this.series(line, bounds)) - 1, start, end);
      }
    }
    return line.contract(memberOf, members);
  }

  /** Whether enough members look alike for a series: most levels have none, and need no more. */
  private mayRepeat({ members }: Level): boolean {
    if (members.length < FEWEST_REPEATS) return false;
    const counts = new Map<number, number>();
    return members.some((item) => {
      const count = (counts.get(this.structure[item]) ?? 0) + 1;
      counts.set(this.structure[item], count);
      return count >= FEWEST_REPEATS;
    });
  }

  /** Cut a line that is still too long into segments of about the same length. */
  private segment(flowing: Level, kind: number): number[] {
    const line = flowing.pick(orderAlongFlow(flowing.wiring));
    const starts = cutBySize(countCrossings(line.wiring));
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
    const level = line.slice(start, end);
    return this.group(level, kind, this.labelOf(level.members));
  }

  /** A series of parts, which stand between the places in `bounds`. */
  private series(line: Level, bounds: readonly number[]): number {
    const { labels, repeats } = this.items;
    const count = bounds.length - 1;
    const parts = Array.from({ length: count }, (_, part) =>
      this.stretch(line, bounds[part], bounds[part + 1]),
    );
    const partOf = new Int32Array(line.count).fill(-1);
    parts.forEach((_, part) => partOf.fill(part, bounds[part], bounds[part + 1]));
    const single = parts.length === bounds[count] - bounds[0];
    const label = single
      ? labelOfMany(parts.map((part) => labels[part]))
      : this.labelOf(line.members.slice(bounds[0], bounds[count]));
    const item = this.group(line.contract(partOf, parts), Kind.series, label);
    repeats[item] = parts.length;
    return item;
  }

  private labelOf(members: readonly number[]): string {
    const ends = [members[0], members[members.length - 1]];
    // Which part of a thing it begins with does not matter.
    return labelOfMany(ends.map((item) => this.items.labels[item].split("/")[0]));
  }

  /** A new item around the members of a level, which will be folded in turn. */
  private group(level: Level, kind: number, label: string): number {
    const { items, structure } = this;
    const name = this.uniqueName(level.scope, label);
    const item = addItem(items, { kind, parent: level.scope, name, label });
    const counts: [number, number, number, number] = [0, 0, 0, 0];
    let hash: number = kind;
    for (const member of level.members) {
      items.size[item] += items.size[member];
      counts[items.role[member]] += items.size[member];
      hash = mix(hash, structure[member]);
    }
    items.role[item] = mainRole(...counts);
    structure[item] = hash;
    this.setChildren(item, level.members);
    this.waiting.push(level.within(item));
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
    const inputs = inputPlaces(line.wiring);
    return starts.map((start, block) => {
      const end = starts[block + 1] ?? line.count;
      let hash = end - start;
      for (let place = start; place < end; place++) {
        const item = line.members[place];
        hash = mix(mix(hash, this.structure[item]), this.stemOf(this.items.labels[item]));
        for (let k = inputs.start[place]; k < inputs.start[place + 1]; k++) {
          if (inputs.members[k] >= start) hash = mix(hash, place - inputs.members[k]);
        }
      }
      return hash;
    });
  }

  /** Numbers in a label tell one block from the next; the rest of it says what it is. */
  private stemOf(label: string): number {
    let stem = this.stems.get(label);
    if (stem === undefined) {
      stem = hashText(label.replace(/_?\d+/g, ""));
      this.stems.set(label, stem);
    }
    return stem;
  }

  private isWorthwhile(line: Level, start: number, end: number): boolean {
    let size = 0;
    for (let place = start; place < end; place++) size += this.items.size[line.members[place]];
    return size >= SMALLEST_BLOCK || (end - start === 1 && size > 1);
  }
}
