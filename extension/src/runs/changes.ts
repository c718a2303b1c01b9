import type { RunEvent } from "../protocol/messages.js";

/** The share of a run's length within which two changes are drawn at the same place. */
const NEAR = 1 / 60;

/**
 * Events with each drag of a slider as one: a change for every pixel says less than where it began
 * and where it ended. Changes belong together that follow each other, change the same and lie nearer
 * than a chart can tell apart.
 */
export function withDragsJoined(events: readonly RunEvent[], length: number): RunEvent[] {
  const joined: RunEvent[] = [];
  for (const event of events) {
    const before = joined.at(-1);
    const belongs =
      before?.kind === "set" &&
      event.kind === "set" &&
      event.step >= before.step &&
      event.step - before.step <= length * NEAR &&
      namesOf(before) === namesOf(event);
    if (belongs) joined[joined.length - 1] = { ...event, text: span(before.text, event.text) };
    else joined.push(event);
  }
  return joined.map((event) => ({ ...event, text: event.text.replaceAll(" -> ", " → ") }));
}

function namesOf({ values }: RunEvent): string {
  return JSON.stringify(Object.keys(values ?? {}).sort());
}

/** "lr 0.1 -> 0.05" and "lr 0.05 -> 0.02" are "lr 0.1 -> 0.02"; other texts are not joined. */
function span(first: string, last: string): string {
  const [from, to] = [first.split(" -> "), last.split(" -> ")];
  return from.length === 2 && to.length === 2 ? `${from[0]} -> ${to[1]}` : last;
}
