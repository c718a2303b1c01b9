/** The parent of what stands at the top. */
export const ROOT = -1;

/** What names have in common before their slashes, each after what it begins with itself. */
export interface Prefixes {
  readonly names: readonly string[];
  /** The prefix around each prefix, and around each name; ROOT at the top. */
  readonly parent: readonly number[];
  readonly of: Int32Array;
  /** How many prefixes and names each is directly around. */
  readonly members: readonly number[];
}

/** Find all prefixes of names, as in `a` and `a/b` of `a/b/c`; `a` itself belongs to the prefix `a`. */
export function findPrefixes(operationNames: readonly string[]): Prefixes {
  const names: string[] = [];
  const parent: number[] = [];
  const members: number[] = [];
  const known = new Map<string, number>();
  const of = new Int32Array(operationNames.length);
  const missing: string[] = [];
  for (let operation = 0; operation < operationNames.length; operation++) {
    let name = before(operationNames[operation]);
    let around = name === "" ? ROOT : known.get(name);
    while (around === undefined) {
      missing.push(name);
      name = before(name);
      around = name === "" ? ROOT : known.get(name);
    }
    for (let next = missing.pop(); next !== undefined; next = missing.pop()) {
      if (around !== ROOT) members[around]++;
      parent.push(around);
      members.push(0);
      around = names.push(next) - 1;
      known.set(next, around);
    }
    of[operation] = around;
  }
  for (let operation = 0; operation < operationNames.length; operation++) {
    const own = known.get(operationNames[operation]);
    if (own !== undefined) of[operation] = own;
    if (of[operation] !== ROOT) members[of[operation]]++;
  }
  return { names, parent, of, members };
}

/** Everything before the last slash, "" for the top. */
function before(name: string): string {
  const slash = name.lastIndexOf("/");
  return slash <= 0 ? "" : name.slice(0, slash);
}
