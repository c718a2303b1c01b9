/**
 * What a box says that stands for several: "block_1..24" where the labels differ in one number,
 * else the first and the last.
 */
export function labelOfMany(labels: readonly string[]): string {
  const first = labels[0];
  const last = labels[labels.length - 1];
  if (first === last) return first;
  const numbered = labels.map(splitNumber);
  const [before, , after] = numbered[0];
  if (numbered.every(([head, , tail]) => head === before && tail === after)) {
    return `${first.slice(0, first.length - after.length)}..${numbered[labels.length - 1][1]}${after}`;
  }
  // TensorFlow numbers from the second on: dense, dense_1, dense_2.
  const rest = labels.slice(1).map(splitNumber);
  if (rest.every(([head, , tail]) => head === `${first}_` && tail === "")) {
    return `${first}..${rest[rest.length - 1][1]}`;
  }
  return `${first} … ${last}`;
}

/** A label in three parts: before its last number, the number, and what follows it. */
function splitNumber(label: string): [string, string, string] {
  const found = /^(.*?)(\d+)(\D*)$/s.exec(label);
  return found ? [found[1], found[2], found[3]] : [label, "", ""];
}
