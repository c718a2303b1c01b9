import { Kind, type Engine } from "../scene/types.js";

/** A body of more boxes is opened for itself. */
const MOST_AT_ONCE = 60;

/** What is kept of a view of a graph: names, because numbers change when a graph grows. */
export interface Kept {
  /** Full names of the open scopes, series, loops and conditions. */
  readonly open: readonly string[];
  readonly selection: string | null;
  readonly camera: { readonly x: number; readonly y: number; readonly zoom: number } | null;
}

/** The part of the page's storage that a view needs. */
export interface ViewStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** The items of these names that can be reached through each other, outermost first. */
export async function itemsNamed(engine: Engine, names: readonly string[]): Promise<Uint32Array> {
  const wanted = new Set(names);
  const found: number[] = [];
  if (wanted.size === 0) return new Uint32Array();
  let parents = [-1];
  while (parents.length > 0) {
    const families = await Promise.all(parents.map((parent) => engine.children(parent)));
    parents = families
      .flat()
      .filter((entry) => entry.kind !== Kind.operation && wanted.has(entry.name))
      .map((entry) => entry.item);
    found.push(...parents);
  }
  return Uint32Array.from(found);
}

/** All that can be opened in an item, outermost first; -1 is the whole graph. */
export async function groupsInside(engine: Engine, item: number): Promise<number[]> {
  const found: number[] = [];
  let parents = [item];
  while (parents.length > 0) {
    const families = await Promise.all(parents.map((parent) => engine.children(parent)));
    parents = families
      .flat()
      .filter((entry) => entry.kind !== Kind.operation)
      .map((entry) => entry.item);
    found.push(...parents);
  }
  return found;
}

/**
 * What to open with a loop or condition, or with the scope that was made for one: itself and those
 * of its bodies that can be taken in at a glance.
 */
export async function bodiesOf(engine: Engine, item: number): Promise<number[]> {
  const children = await engine.children(item);
  const [own] = children.filter(({ kind }) => kind === Kind.loop || kind === Kind.condition);
  if (own !== undefined) return [own.item, ...(await bodiesOf(engine, own.item))];
  const families = await Promise.all(children.map((child) => engine.children(child.item)));
  return children.flatMap((body, index) =>
    body.kind !== Kind.operation && families[index].length <= MOST_AT_ONCE ? [body.item] : [],
  );
}

/** What was kept under a key; null if nothing was, or nothing that can be used. */
export function readKept(storage: ViewStorage | null, key: string): Kept | null {
  try {
    const kept = JSON.parse(storage?.getItem(key) ?? "null") as Partial<Kept> | null;
    if (kept === null || !Array.isArray(kept.open)) return null;
    const camera = kept.camera ?? null;
    const numbers = camera === null ? [] : [camera.x, camera.y, camera.zoom];
    const usable = numbers.every((value) => Number.isFinite(value)) && (camera?.zoom ?? 1) > 0;
    return {
      open: kept.open.filter((name) => typeof name === "string"),
      selection: typeof kept.selection === "string" ? kept.selection : null,
      camera: usable ? camera : null,
    };
  } catch {
    return null; // another version's, or damaged: begin anew
  }
}

export function writeKept(storage: ViewStorage | null, key: string, kept: Kept): void {
  try {
    storage?.setItem(key, JSON.stringify(kept));
  } catch {
    // Full or forbidden: the view works without, it only forgets.
  }
}
