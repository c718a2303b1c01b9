import type { Channel } from "./channels.js";

/** Of an item whose operations are on several devices. */
export const MIXED = 65535;

/**
 * One value for each item from one for each operation, in one pass. `visible` says which item
 * stands for each operation; NaN means "not known" on both sides.
 *
 * Means are weighted: `weights` has the size of each operation's results.
 */
export function aggregate(
  combine: Channel["combine"],
  values: Float32Array,
  visible: Uint32Array,
  items: number,
  weights: Float32Array,
): Float32Array {
  const result = new Float32Array(items).fill(NaN);
  const operations = Math.min(values.length, visible.length);
  if (combine === "mean") {
    const total = new Float64Array(items);
    const weight = new Float64Array(items);
    for (let operation = 0; operation < operations; operation++) {
      const value = values[operation];
      if (Number.isNaN(value)) continue;
      total[visible[operation]] += value * weights[operation];
      weight[visible[operation]] += weights[operation];
    }
    for (let item = 0; item < items; item++) {
      if (weight[item] > 0) result[item] = total[item] / weight[item];
    }
    return result;
  }
  for (let operation = 0; operation < operations; operation++) {
    const value = values[operation];
    if (Number.isNaN(value)) continue;
    const item = visible[operation];
    const known = result[item];
    if (Number.isNaN(known)) result[item] = value;
    else result[item] = combine === "sum" ? known + value : Math.max(known, value);
  }
  return result;
}

/** The device of each item, by index; MIXED where there are several, 0 where none is known. */
export function aggregateDevices(
  device: Uint16Array,
  visible: Uint32Array,
  items: number,
): Uint16Array {
  const result = new Uint16Array(items);
  for (let operation = 0; operation < device.length; operation++) {
    const item = visible[operation];
    if (device[operation] === 0) continue;
    if (result[item] === 0) result[item] = device[operation];
    else if (result[item] !== device[operation]) result[item] = MIXED;
  }
  return result;
}
