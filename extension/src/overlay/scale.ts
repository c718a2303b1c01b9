import type { Channel } from "./channels.js";
import { PALETTE_SIZE } from "./colours.js";

/** A logarithmic scale shows this many times less than the most; what is less is palest. */
const LOG_RANGE = 1000;
/** How fast the range follows values that shrink, at each update: colours must not flicker. */
const DECAY = 0.97;
/** The first colour of what is wrong: the palest ones would look like what is right. */
const FIRST_ALARM = 12;

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** The range that a channel's values span; with the last range it grows at once and shrinks slowly. */
export function rangeOf(channel: Channel, values: Float32Array, last: Range | null): Range {
  if (channel.unit === "share") return { low: 0, high: 1 };
  let most = 0;
  for (const value of values) {
    const size = Math.abs(value);
    if (size > most && size !== Infinity) most = size;
  }
  const kept = last === null ? 0 : last.high * DECAY;
  const high = Math.max(most, kept) || 1;
  if (channel.scale === "diverging") return { low: -high, high };
  return { low: channel.scale === "logarithmic" ? high / LOG_RANGE : 0, high };
}

/** Where a value stands in its range: 0 to 1, for bars and colours. NaN stays NaN. */
export function shareOf(channel: Channel, value: number, { low, high }: Range): number {
  if (channel.scale === "logarithmic") {
    if (value <= low) return 0;
    return Math.min(1, Math.log(value / low) / Math.log(high / low));
  }
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** The index into the channel's palette of a value that is known. */
export function colourIndex(channel: Channel, value: number, range: Range): number {
  if (channel.scale === "alarm") {
    if (value <= 0) return 0;
    const share = Math.log1p(value) / Math.log1p(Math.max(value, range.high));
    return FIRST_ALARM + Math.round(share * (PALETTE_SIZE - 1 - FIRST_ALARM));
  }
  return Math.round(shareOf(channel, value, range) * (PALETTE_SIZE - 1));
}
