import { contract, pick, type Wiring } from "./flow.js";
import { groupBy, type Groups, type Links } from "./links.js";

/**
 * What is shown together in a scope (or ROOT): its members, and the links between them by their
 * places. Most levels are small and need no look at their links, so those are found when asked for.
 */
export class Level {
  private known: Wiring | null = null;
  private byTarget: Groups | null = null;

  constructor(
    readonly scope: number,
    readonly members: readonly number[],
    private readonly findWiring: () => Wiring,
  ) {}

  get wiring(): Wiring {
    return (this.known ??= this.findWiring());
  }

  get count(): number {
    return this.members.length;
  }

  /** The members at some places as a level of their own. */
  pick(places: ArrayLike<number>, scope: number = this.scope): Level {
    const members = Array.from(places, (place) => this.members[place]);
    return new Level(scope, members, () => pick(this.wiring, places));
  }

  /** The members from one place to before another one, in time for those alone. */
  slice(start: number, end: number): Level {
    return new Level(this.scope, this.members.slice(start, end), () => {
      const { source } = this.wiring;
      const { start: first, members: links } = this.linksByTarget();
      const from: number[] = [];
      const to: number[] = [];
      for (let place = start; place < end; place++) {
        for (let k = first[place]; k < first[place + 1]; k++) {
          const other = source[links[k]];
          if (other < start || other >= end) continue;
          from.push(other - start);
          to.push(place - start);
        }
      }
      return { count: end - start, source: Int32Array.from(from), target: Int32Array.from(to) };
    });
  }

  private linksByTarget(): Groups {
    return (this.byTarget ??= groupBy(this.wiring.target, this.count));
  }

  /** Other members in the place of these: `groupOf` says which, -1 for none. */
  contract(groupOf: Int32Array, members: readonly number[]): Level {
    return new Level(this.scope, members, () => contract(this.wiring, groupOf, members.length));
  }

  /** The same members in another scope. */
  within(scope: number): Level {
    return new Level(scope, this.members, () => this.wiring);
  }
}

/** The level of a scope as its operations' names make it. `place` is scratch, by item. */
export function levelOf(
  scope: number,
  members: readonly number[],
  links: Links,
  place: Int32Array,
): Level {
  return new Level(scope, members, () => {
    for (let index = 0; index < members.length; index++) place[members[index]] = index;
    const [from, to] = [links.start[scope + 1], links.start[scope + 2]];
    return {
      count: members.length,
      source: links.source.slice(from, to).map((item) => place[item]),
      target: links.target.slice(from, to).map((item) => place[item]),
    };
  });
}
