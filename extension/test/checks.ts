import assert from "node:assert/strict";

import type { Hierarchy } from "../src/scene/hierarchy.js";
import { BoxFlag, EdgeFlag, type Scene } from "../src/scene/types.js";

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Scenes hold single floats, which know a place in a large picture to a few hundredths. */
const TOLERANCE = 0.05;

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

export function boxRectangle(scene: Scene, box: number): Rectangle {
  return {
    x: scene.x[box],
    y: scene.y[box],
    width: scene.boxWidth[box],
    height: scene.boxHeight[box],
  };
}

/** Points of an edge as pairs. */
export function pointsOf(scene: Scene, edge: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let point = scene.pointStart[edge]; point < scene.pointStart[edge + 1]; point++) {
    pairs.push([scene.points[2 * point], scene.points[2 * point + 1]]);
  }
  return pairs;
}

/** Fail if anything that every scene promises does not hold. */
export function assertSound(hierarchy: Hierarchy, scene: Scene): void {
  const { graph, operations } = hierarchy;
  const picture = { x: 0, y: 0, width: scene.width, height: scene.height };
  const siblings = new Map<number, Rectangle[]>();
  const boxOf = new Map<number, number>();
  scene.item.forEach((item, box) => {
    const parent = scene.parent[box];
    assert.ok(parent < box, "a scope stands before what it holds");
    assert.ok(!boxOf.has(item), "an item has one box");
    boxOf.set(item, box);
    if (parent >= 0) assert.ok(scene.flag[parent] & BoxFlag.open, "only open scopes hold boxes");
    siblings.set(parent, [...(siblings.get(parent) ?? []), boxRectangle(scene, box)]);
    assertInside(boxRectangle(scene, box), parent < 0 ? picture : boxRectangle(scene, parent));
  });
  for (const boxes of siblings.values()) assertDisjoint(boxes);

  let seen = 0;
  scene.item.forEach((item, box) => {
    // A loop or condition that is open is an operation itself.
    if (!(scene.flag[box] & BoxFlag.open)) seen += scene.operations[box];
    else if (item < operations) seen++;
  });
  assert.equal(seen, operations, "every operation is seen exactly once");

  const between = new Set<string>();
  scene.edgeSource.forEach((source, edge) => {
    const target = scene.edgeTarget[edge];
    for (const end of [source, target]) {
      const isOperation = scene.item[end] < operations;
      assert.ok(isOperation || !(scene.flag[end] & BoxFlag.open), "no edge ends at an open scope");
    }
    assert.ok(!between.has(`${source} ${target}`), "two boxes have one edge at most");
    between.add(`${source} ${target}`);
    const points = pointsOf(scene, edge);
    const [first, last] = [points[0], points[points.length - 1]];
    assert.ok(points.length >= 2);
    const lower = scene.y[source] + scene.boxHeight[source];
    assert.ok(isClose(first[1], lower) && isClose(last[1], scene.y[target]), "from foot to head");
    assert.ok(first[0] >= scene.x[source] && first[0] <= scene.x[source] + scene.boxWidth[source]);
    assert.ok(last[0] >= scene.x[target] && last[0] <= scene.x[target] + scene.boxWidth[target]);
    if (scene.edgeFlag[edge] & EdgeFlag.quiet) return;
    for (const [x, y] of points) assertInside({ x, y, width: 0, height: 0 }, picture);
  });

  // Every edge of the graph is in one of the scene, unless both its ends are in one box.
  const boxOfOperation = new Map<number, number>();
  for (const item of hierarchy.order) {
    const parent = hierarchy.parent[item];
    const own = boxOf.get(item) ?? boxOfOperation.get(parent);
    assert.ok(own !== undefined, "an item is seen");
    boxOfOperation.set(item, own);
  }
  graph.edgeSource.forEach((from, edge) => {
    const to = graph.edgeTarget[edge];
    // What decides how a loop goes on stands in it: such an edge has no line.
    if (isAround(hierarchy, from, to) || isAround(hierarchy, to, from)) return;
    const source = boxOfOperation.get(from) as number;
    const target = boxOfOperation.get(to) as number;
    assert.ok(source === target || between.has(`${source} ${target}`), `edge ${edge} is drawn`);
  });
}

function isAround({ parent }: Hierarchy, outer: number, inner: number): boolean {
  for (let item = parent[inner]; item >= 0; item = parent[item]) if (item === outer) return true;
  return false;
}
