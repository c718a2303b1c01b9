import assert from "node:assert/strict";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Layouts add and subtract halves of sizes, which costs the last bits. */
const TOLERANCE = 1e-6;

/** Fail if two rectangles overlap: a sweep from the left, so that thousands are no matter. */
export function assertDisjoint(rectangles: readonly Rectangle[]): void {
  let beside: Rectangle[] = [];
  for (const next of [...rectangles].sort((one, other) => one.x - other.x)) {
    beside = beside.filter((open) => open.x + open.width > next.x + TOLERANCE);
    for (const open of beside) {
      const apart =
        open.y + open.height <= next.y + TOLERANCE || next.y + next.height <= open.y + TOLERANCE;
      assert.ok(apart, `${JSON.stringify(open)} overlaps ${JSON.stringify(next)}`);
    }
    beside.push(next);
  }
}

export function assertInside(inner: Rectangle, outer: Rectangle): void {
  const inside =
    inner.x >= outer.x - TOLERANCE &&
    inner.y >= outer.y - TOLERANCE &&
    inner.x + inner.width <= outer.x + outer.width + TOLERANCE &&
    inner.y + inner.height <= outer.y + outer.height + TOLERANCE;
  assert.ok(inside, `${JSON.stringify(inner)} leaves ${JSON.stringify(outer)}`);
}

export function isClose(one: number, other: number): boolean {
  return Math.abs(one - other) <= TOLERANCE;
}
