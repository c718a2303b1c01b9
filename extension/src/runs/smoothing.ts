/**
 * An exponential moving average that starts at the first value instead of at zero.
 *
 * `weight` is what stays of the past at each point, from 0 (the values themselves) to below 1. What
 * is not finite is passed on where it stands and forgotten after it.
 */
export function smooth(values: readonly number[], weight: number): number[] {
  if (weight <= 0) return [...values];
  let average = 0;
  let mass = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    average = weight * average + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return average / mass;
  });
}
