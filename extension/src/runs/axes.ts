/** Places and texts of the ticks of an axis. */
export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** About `most` round numbers from `low` to `high`. */
export function linearTicks(low: number, high: number, most: number): Tick[] {
  if (!(high > low) || most < 1) return [];
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999)!;
  const digits = Math.max(0, -Math.floor(Math.log10(unit) + 1e-9));
  const ticks: Tick[] = [];
  for (let index = Math.ceil(low / unit - 1e-9); index * unit <= high + unit * 1e-9; index++) {
    // Not minus zero.
    const value = index * unit + 0;
    ticks.push({ value, label: label(value, digits) });
  }
  return ticks;
}

/** Powers of ten, with 2 and 5 between where there are few of them. */
export function logTicks(low: number, high: number, most: number): Tick[] {
  if (!(low > 0) || !(high > low)) return [];
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const factors = last - first <= 2 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil((last - first) / most));
  const ticks: Tick[] = [];
  for (let power = first; power <= last; power += stride) {
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (value >= low * 0.999 && value <= high * 1.001) {
        ticks.push({ value, label: label(value, Math.max(0, -power)) });
      }
    }
  }
  return ticks;
}

/** The least and greatest finite value (positive, for a log scale), or null where there is none. */
export function extent(
  columns: readonly (readonly number[])[],
  log: boolean,
): readonly [number, number] | null {
  let [low, high] = [Infinity, -Infinity];
  for (const column of columns) {
    for (const value of column) {
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/** A little room around a range, and some where it has no width. */
export function padded([low, high]: readonly [number, number], log: boolean): [number, number] {
  if (log) {
    const room = Math.max((high / low) ** 0.06, 1.05);
    return [low / room, high * room];
  }
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

function label(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  if (size !== 0 && size < 1e-3) return value.toExponential(0);
  return value.toFixed(Math.min(digits, 6)).replace("-", "−");
}
