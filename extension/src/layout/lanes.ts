export const LANE_GAP = 7;
/** Beyond these, lines share the outermost lane: a picture that is mostly lanes shows nothing. */
const MOST_LANES = 12;

interface Stretch {
  readonly key: number;
  low: number;
  high: number;
  lane: number;
}

/**
 * The vertical lines in the gutters beside columns. Lines of one key (of one source) share a lane,
 * so that what feeds many is drawn as one line with branches.
 */
export class Lanes {
  private readonly gutters: Map<number, Stretch>[] = [];

  constructor(gutters: number) {
    for (let gutter = 0; gutter < gutters; gutter++) this.gutters.push(new Map());
  }

  reserve(gutter: number, key: number, from: number, to: number): void {
    const [low, high] = from < to ? [from, to] : [to, from];
    const known = this.gutters[gutter].get(key);
    if (known === undefined) {
      this.gutters[gutter].set(key, { key, low, high, lane: 0 });
    } else {
      known.low = Math.min(known.low, low);
      known.high = Math.max(known.high, high);
    }
  }

  /** Give every line the first lane that is free along it, short ones first; answers with widths. */
  assign(): number[] {
    return this.gutters.map((gutter) => {
      const stretches = [...gutter.values()].sort(
        (one, other) => one.high - one.low - (other.high - other.low) || one.key - other.key,
      );
      const taken: Stretch[][] = [];
      for (const stretch of stretches) {
        let lane = taken.findIndex((others) =>
          others.every((other) => stretch.high < other.low || other.high < stretch.low),
        );
        if (lane < 0) lane = Math.min(taken.length, MOST_LANES - 1);
        (taken[lane] ??= []).push(stretch);
        stretch.lane = lane;
      }
      return taken.length * LANE_GAP;
    });
  }

  /** How far into its gutter a line stands, once lanes are assigned. */
  offset(gutter: number, key: number): number {
    return LANE_GAP * ((this.gutters[gutter].get(key)?.lane ?? 0) + 1);
  }
}
