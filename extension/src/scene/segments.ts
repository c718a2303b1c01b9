/** A level with more boxes than this is cut into segments. */
export const MOST_BOXES = 60;

const FEWEST_SEGMENTS = 6;
const MOST_SEGMENTS = 40;

/** Cutting off single things again and again would leave all the rest in one segment. */
const LARGEST_SHARE = 0.8;

/** A segment of fewer is not worth a click, where there is room for its parts. */
export const SMALLEST_SEGMENT = 4;

/**
 * Cut a line wherever it is narrowest: after a bottleneck that all further flow comes from.
 *
 * `crossing` says for each place how much is needed across the gap behind it. Answers with the
 * first place of each segment; each place is a segment of its own where this is no help.
 */
export function cutWhereNarrow(crossing: ArrayLike<number>): number[] {
  const count = crossing.length;
  let narrowest = Infinity;
  for (let place = 0; place + 1 < count; place++) {
    if (crossing[place] > 0) narrowest = Math.min(narrowest, crossing[place]);
  }
  const starts = [0];
  for (let place = 0; place + 1 < count; place++) {
    if (crossing[place] <= narrowest) starts.push(place + 1);
  }
  let largest = 0;
  starts.forEach((start, index) => {
    largest = Math.max(largest, (starts[index + 1] ?? count) - start);
  });
  if (largest > count * LARGEST_SHARE) return singles(count);
  return starts;
}

export function singles(count: number): number[] {
  return Array.from({ length: count }, (_, place) => place);
}

/** Cut a line into some segments of about the same length, each cut where it is narrow nearby. */
export function cutBySize(crossing: ArrayLike<number>): number[] {
  const count = crossing.length;
  const wanted = Math.round(Math.sqrt(count));
  const size = count / Math.min(MOST_SEGMENTS, Math.max(FEWEST_SEGMENTS, wanted));
  const starts = [0];
  for (let start = 0; count - start > 1.5 * size; ) {
    let best = -1;
    let least = Infinity;
    const middle = start + size;
    const last = Math.min(count - 1, Math.floor(start + 1.4 * size));
    for (let next = Math.max(start + 1, Math.ceil(start + 0.6 * size)); next <= last; next++) {
      const cost = crossing[next - 1] + Math.abs(next - middle) / size;
      if (cost < least) {
        least = cost;
        best = next;
      }
    }
    starts.push(best);
    start = best;
  }
  return starts;
}
