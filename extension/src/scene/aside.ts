import type { Wiring } from "./flow.js";
import { ROOT, type Items } from "./scopes.js";
import { Role } from "./types.js";

/** Members of a level that are set beside its flow, in one box of this label. */
export interface AsideGroup {
  readonly label: string;
  /** By their place in the level. */
  readonly members: readonly number[];
}

export interface Division {
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
 */
export function divideLevel(
  items: Items,
  level: Wiring,
  scope: number,
  members: readonly number[],
): Division {
  const role = scope === ROOT ? Role.forward : items.role[scope];
  const isHub = findHubs(level);
  const lists: number[][] = [[], [], [], []];
  const flow: number[] = [];
  members.forEach((item, place) => {
    const other = role === Role.forward && items.role[item] !== Role.forward;
    if (other) lists[items.role[item]].push(place);
    else if (isHub[place]) lists[Role.forward].push(place);
    else flow.push(place);
  });
  const everythingAside = flow.length === 0;
  if (everythingAside) return { flow: members.map((_, place) => place), groups: [] };
  const groups = lists.flatMap((list, index) => {
    if (list.length < SMALLEST_GROUP) {
      return list.map((place) => ({ label: items.labels[members[place]], members: [place] }));
    }
    return [{ label: LABELS[index], members: list }];
  });
  return { flow, groups };
}

function findHubs({ count, source, target }: Wiring): Uint8Array {
  const inputs = new Int32Array(count);
  const outputs = new Int32Array(count);
  for (let link = 0; link < source.length; link++) {
    outputs[source[link]]++;
    inputs[target[link]]++;
  }
  return Uint8Array.from({ length: count }, (_, place) => {
    const spreads = inputs[place] === 0 && outputs[place] >= HUB_LINKS;
    const gathers = outputs[place] === 0 && inputs[place] >= HUB_LINKS;
    return spreads || gathers ? 1 : 0;
  });
}
