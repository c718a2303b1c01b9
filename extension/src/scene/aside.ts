import type { Level } from "./level.js";
import { ROOT } from "./prefixes.js";
import type { Items } from "./scopes.js";
import { Role } from "./types.js";

/** Members of a level that are set beside its flow, in one box of this label. */
export interface AsideGroup {
  readonly label: string;
  /** By their place in the level. */
  readonly members: readonly number[];
}

export interface Division {
  /** Places in the level. */
  readonly flow: readonly number[];
  readonly groups: readonly AsideGroup[];
}

const LABELS = ["shared", "gradients", "updates", "auxiliary"];

/** Something with so many uses, or needing so many, would only spread lines over the picture. */
const HUB_LINKS = 12;

/** Fewer than this are set aside each for itself. */
const SMALLEST_GROUP = 3;

/**
 * Tell what flows through a level from what is set beside it: gradients, updates and the auxiliary
 * among forward operations, and hubs (a constant that all share, the end of an initialisation).
 * Null if all of it flows.
 */
export function divideLevel(items: Items, level: Level): Division | null {
  const { scope, members } = level;
  const { role } = items;
  const isForward = scope === ROOT || role[scope] === Role.forward;
  const differs = isForward && members.some((item) => role[item] !== Role.forward);
  const isHub = level.count > HUB_LINKS ? findHubs(level) : null;
  if (!differs && isHub === null) return null;
  const lists: number[][] = [[], [], [], []];
  const flow: number[] = [];
  members.forEach((item, place) => {
    if (isForward && role[item] !== Role.forward) lists[role[item]].push(place);
    else if (isHub?.[place]) lists[Role.forward].push(place);
    else flow.push(place);
  });
  if (flow.length === 0) return null;
  const groups = lists.flatMap((list, index): AsideGroup[] => {
    if (list.length >= SMALLEST_GROUP) return [{ label: LABELS[index], members: list }];
    return list.map((place) => ({ label: items.labels[members[place]], members: [place] }));
  });
  return { flow, groups };
}

/** A mark for each hub of a level, null where there is none. */
function findHubs({ wiring: { count, source, target } }: Level): Uint8Array | null {
  const inputs = new Int32Array(count);
  const outputs = new Int32Array(count);
  for (let link = 0; link < source.length; link++) {
    outputs[source[link]]++;
    inputs[target[link]]++;
  }
  const isHub = new Uint8Array(count);
  let hubs = 0;
  for (let place = 0; place < count; place++) {
    const spreads = inputs[place] === 0 && outputs[place] >= HUB_LINKS;
    const gathers = outputs[place] === 0 && inputs[place] >= HUB_LINKS;
    if (!spreads && !gathers) continue;
    isHub[place] = 1;
    hubs++;
  }
  return hubs > 0 ? isHub : null;
}
