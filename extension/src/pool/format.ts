/** Sizes and shares as a person reads them; a dash where nothing is known. */

const NOTHING = "–";
const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** 812 B, 3.4 kB, 76 MB. */
export function bytes(count: number | null): string {
  if (count === null || !Number.isFinite(count)) return NOTHING;
  let unit = 0;
  let shown = count;
  while (shown >= 999.5 && unit < UNITS.length - 1) {
    shown /= 1000;
    unit++;
  }
  return `${shown < 9.95 && unit > 0 ? shown.toFixed(1) : shown.toFixed(0)} ${UNITS[unit]}`;
}

/** 3.4 kB/s */
export function bytesPerSecond(count: number | null): string {
  return count === null ? NOTHING : `${bytes(count)}/s`;
}

/** 0.124 is 12 %. */
export function share(part: number | null): string {
  return part === null || !Number.isFinite(part) ? NOTHING : `${Math.round(part * 100)} %`;
}

/** 12.4 ms, 3.1 s, 240 µs. */
export function shortTime(seconds: number): string {
  const [size, unit] = seconds >= 1 ? [1, "s"] : seconds >= 1e-3 ? [1e-3, "ms"] : [1e-6, "µs"];
  const shown = seconds / size;
  return `${shown < 9.95 ? shown.toFixed(1) : shown.toFixed(0)} ${unit}`;
}

/** "/job:worker/task:1/device:CPU:0" is "CPU:0". */
export function shortDevice(name: string): string {
  return name.slice(name.lastIndexOf("device:") + "device:".length) || name;
}

/** "CPU:0, CPU:1", and "4 devices" where they are more than can be read beside each other. */
export function devicesText(names: readonly string[]): string {
  return names.length > 2 ? `${names.length} devices` : names.map(shortDevice).join(", ");
}

/** 1 worker, 2 workers. */
export function workers(count: number): string {
  return `${count} worker${count === 1 ? "" : "s"}`;
}
