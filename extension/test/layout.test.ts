import assert from "node:assert/strict";
import { test } from "node:test";

import { findBackLinks, findComponents } from "../src/layout/cycles.js";
import { filled } from "../src/layout/lists.js";
import { layoutLayered, type Layout, type Sizes } from "../src/layout/layered.js";
import { assignRanks } from "../src/layout/ranks.js";
import { buildSkeleton, type Topology } from "../src/layout/skeleton.js";
import { assertDisjoint, assertInside, isClose, type Rectangle } from "./checks.js";
import { randomGraph, randomNumbers } from "./random.js";

type Pairs = readonly (readonly [number, number])[];

const ends = (pairs: Pairs): [number[], number[]] => [
  pairs.map(([source]) => source),
  pairs.map(([, target]) => target),
];

function topology(
  count: number,
  pairs: Pairs,
  entered: number[] = [],
  left: number[] = [],
): Topology {
  const [source, target] = ends(pairs);
  const mark = (things: number[]) =>
    Array.from({ length: count }, (_, thing) => (things.includes(thing) ? 1 : 0));
  return { count, source, target, entered: mark(entered), left: mark(left) };
}

function sizes(count: number, size: (thing: number) => [number, number] = () => [60, 28]): Sizes {
  const all = Array.from({ length: count }, (_, thing) => size(thing));
  const width = all.map(([one]) => one);
  const half = width.map((one) => one / 2);
  return { width, height: all.map(([, one]) => one), into: half, out: half };
}

function rectangles(layout: Layout, { width, height }: Sizes): Rectangle[] {
  return width.map((_, thing) => ({
    x: layout.left[thing],
    y: layout.top[thing],
    width: width[thing],
    height: height[thing],
  }));
}

function pointsOf(layout: Layout, link: number): { x: number; y: number }[] {
  const points = [];
  for (let point = layout.pointStart[link]; point < layout.pointStart[link + 1]; point++) {
    points.push({ x: layout.points[2 * point], y: layout.points[2 * point + 1] });
  }
  return points;
}

const chain = (count: number): [number, number][] =>
  Array.from({ length: count - 1 }, (_, thing) => [thing, thing + 1]);

const RANKS: { name: string; count: number; pairs: Pairs; ranks: number[] }[] = [
  { name: "a chain", count: 3, pairs: [[0, 1], [1, 2]], ranks: [0, 1, 2] }, // prettier-ignore
  { name: "a diamond", count: 4, pairs: [[0, 1], [0, 2], [1, 3], [2, 3]], ranks: [0, 1, 1, 2] }, // prettier-ignore
  { name: "the longest path wins", count: 3, pairs: [[0, 1], [1, 2], [0, 2]], ranks: [0, 1, 2] }, // prettier-ignore
  { name: "a late source", count: 4, pairs: [[0, 1], [1, 2], [3, 2]], ranks: [0, 1, 2, 1] }, // prettier-ignore
  { name: "a late source that is read", count: 5, pairs: [[0, 1], [1, 2], [3, 4], [4, 2]], ranks: [0, 1, 2, 0, 1] }, // prettier-ignore
  { name: "made in any order", count: 3, pairs: [[2, 1], [1, 0]], ranks: [2, 1, 0] }, // prettier-ignore
  { name: "no links: a block", count: 9, pairs: [], ranks: [0, 0, 0, 1, 1, 1, 1, 2, 2].map((_, k) => Math.floor((k * 3) / 9)) }, // prettier-ignore
  { name: "alone below the rest", count: 3, pairs: [[0, 1]], ranks: [0, 1, 2] },
];
for (const { name, count, pairs, ranks } of RANKS) {
  test(`ranks: ${name}`, () => {
    assert.deepEqual(
      assignRanks(count, ...ends(pairs), filled(pairs.length, 0), filled(count, 0)),
      ranks,
    );
  });
}

test("what is entered from outside stays above", () => {
  const [source, target] = ends([[0, 1], [1, 2], [3, 2]]); // prettier-ignore
  assert.deepEqual(assignRanks(4, source, target, [0, 0, 0], [1, 0, 0, 1]), [0, 1, 2, 0]);
});

test("what would be a very wide row becomes several", () => {
  const pairs = Array.from({ length: 100 }, (_, thing): [number, number] => [thing, 100]);
  const ranks = assignRanks(101, ...ends(pairs), filled(100, 0), filled(101, 0));
  const perRow = new Map<number, number>();
  for (const rank of ranks) perRow.set(rank, (perRow.get(rank) ?? 0) + 1);
  assert.ok(Math.max(...perRow.values()) <= 14);
  assert.equal(ranks[100], Math.max(...ranks));
});

const BACK: { name: string; count: number; pairs: Pairs; back: number[] }[] = [
  { name: "none without a cycle", count: 3, pairs: [[2, 1], [1, 0], [2, 0]], back: [0, 0, 0] }, // prettier-ignore
  { name: "the later thing's link", count: 2, pairs: [[0, 1], [1, 0]], back: [0, 1] }, // prettier-ignore
  { name: "a thing's own", count: 1, pairs: [[0, 0]], back: [1] },
  { name: "only inside the cycle", count: 4, pairs: [[3, 0], [0, 1], [1, 2], [2, 0]], back: [0, 0, 0, 1] }, // prettier-ignore
];
for (const { name, count, pairs, back } of BACK) {
  test(`back links: ${name}`, () => {
    assert.deepEqual(findBackLinks(count, ...ends(pairs)), back);
  });
}

test("components are those of mutual reachability", () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = randomNumbers(seed);
    const count = 12;
    const one = () => Math.floor(random() * count);
    const pairs = Array.from({ length: 16 }, (): [number, number] => [one(), one()]);
    const reach = Array.from({ length: count }, (_, a) =>
      Array.from({ length: count }, (_, b) => a === b),
    );
    for (const [a, b] of pairs) reach[a][b] = true;
    for (let k = 0; k < count; k++) {
      for (let a = 0; a < count; a++) {
        for (let b = 0; b < count; b++) reach[a][b] ||= reach[a][k] && reach[k][b];
      }
    }
    const component = findComponents(count, ...ends(pairs));
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        assert.equal(component[a] === component[b], reach[a][b] && reach[b][a]);
      }
    }
  }
});

test("nothing takes no space", () => {
  const layout = layoutLayered(buildSkeleton(topology(0, [])), sizes(0), 1);
  assert.deepEqual([layout.width, layout.height], [0, 0]);
});

test("a chain stands in a straight line", () => {
  const layout = layoutLayered(
    buildSkeleton(topology(5, chain(5))),
    sizes(5, (thing) => [40 + 20 * thing, 28]),
    1,
  );
  const middles = Array.from(layout.left, (left, thing) => left + 20 + 10 * thing);
  for (const middle of middles) assert.ok(isClose(middle, middles[0]));
  for (let link = 0; link < 4; link++) {
    assert.equal(new Set(pointsOf(layout, link).map(({ x }) => x)).size, 1, "one straight line");
  }
});

test("a link past several rows is straight beside them", () => {
  const pairs: [number, number][] = [...chain(5), [0, 4]];
  const layout = layoutLayered(buildSkeleton(topology(5, pairs)), sizes(5), 1);
  const between = pointsOf(layout, 4).slice(1, -1);
  assert.equal(new Set(between.map(({ x }) => x)).size, 1);
});

test("very long links run in a lane outside the boxes", () => {
  const pairs: [number, number][] = [...chain(12), [0, 11]];
  const layout = layoutLayered(buildSkeleton(topology(12, pairs)), sizes(12), 0.1);
  const around = Math.max(...pointsOf(layout, 11).map(({ x }) => x));
  assert.ok(around > 60, "outside all boxes");
  assert.ok(around <= layout.width, "inside the picture");
});

test("links to and from outside run through the ports", () => {
  const layout = layoutLayered(buildSkeleton(topology(3, chain(3), [0, 2], [1, 2])), sizes(3), 1);
  const skeleton = buildSkeleton(topology(3, chain(3), [0, 2], [1, 2]));
  const entry = pointsOf(layout, skeleton.entry[2]);
  assert.ok(isClose(entry[0].x, layout.into) && isClose(entry[0].y, 0));
  assert.ok(isClose(entry[entry.length - 1].y, layout.top[2]));
  const exit = pointsOf(layout, skeleton.exit[1]);
  assert.ok(isClose(exit[exit.length - 1].x, layout.out));
  assert.ok(isClose(exit[exit.length - 1].y, layout.height));
  assert.deepEqual([skeleton.entry[1], skeleton.exit[0]], [-1, -1]);
});

for (const [count, aspect] of [
  [40, 1],
  [40, 2],
  [300, 1.5],
  [2000, 1],
]) {
  test(`a chain of ${count} is wrapped to an aspect near ${aspect}`, () => {
    const layout = layoutLayered(
      buildSkeleton(topology(count, chain(count))),
      sizes(count),
      aspect,
    );
    const found = layout.width / layout.height / aspect;
    assert.ok(found > 0.6 && found < 1.7, `${layout.width} x ${layout.height}`);
    assertDisjoint(rectangles(layout, sizes(count)));
  });
}

test("columns are cut where few links cross", () => {
  // Blocks of six, dense inside, each joined to the next by one link.
  const pairs: [number, number][] = [];
  for (let block = 0; block < 12; block++) {
    for (let a = 0; a < 6; a++)
      for (let b = a + 1; b < 6; b++) pairs.push([6 * block + a, 6 * block + b]);
    if (block > 0) pairs.push([6 * block - 1, 6 * block]);
  }
  const layout = layoutLayered(buildSkeleton(topology(72, pairs)), sizes(72), 1.5);
  const upwards = pairs.filter(([from, to]) => layout.top[to] < layout.top[from]);
  assert.ok(upwards.length > 0, "there are columns");
  for (const [from, to] of upwards) assert.ok(from % 6 === 5 && to % 6 === 0, `${from} to ${to}`);
});

for (const [count, seed, cycles] of [
  [1, 1, 0],
  [30, 2, 0],
  [30, 3, 4],
  [300, 4, 0],
  [300, 5, 40],
  [2000, 6, 0],
  [2000, 7, 300],
]) {
  for (const aspect of [0.001, 1.5]) {
    test(`random graph of ${count}, ${cycles} cycles, aspect ${aspect}: disjoint, downwards, stable`, () => {
      const random = randomNumbers(seed);
      const graph = randomGraph({ count, seed, cycles });
      const pairs = Array.from(graph.edgeSource, (source, edge): [number, number] => [
        source,
        graph.edgeTarget[edge],
      ]);
      const all = sizes(count, () => [
        40 + Math.floor(random() * 100),
        20 + Math.floor(random() * 60),
      ]);
      const skeleton = buildSkeleton(topology(count, pairs));
      const layout = layoutLayered(skeleton, all, aspect);
      const boxes = rectangles(layout, all);
      assertDisjoint(boxes);
      const picture = { x: 0, y: 0, width: layout.width, height: layout.height };
      for (const box of boxes) assertInside(box, picture);
      pairs.forEach(([source, target], link) => {
        const points = pointsOf(layout, link);
        assert.ok(isClose(points[0].y, boxes[source].y + boxes[source].height));
        assert.ok(isClose(points[points.length - 1].y, boxes[target].y));
        for (const point of points) assertInside({ ...point, width: 0, height: 0 }, picture);
        // In one column only links that close a cycle run upwards.
        if (aspect < 1 && !skeleton.back[link]) {
          assert.ok(points[0].y < points[points.length - 1].y, `link ${link} runs upwards`);
        }
      });
      assert.equal(skeleton.back.includes(1), cycles > 0);
      assert.deepEqual(layoutLayered(buildSkeleton(topology(count, pairs)), all, aspect), layout);
    });
  }
}

test("lines through the rows keep out of the boxes", () => {
  const graph = randomGraph({ count: 200, seed: 8 });
  const pairs = Array.from(graph.edgeSource, (source, edge): [number, number] => [
    source,
    graph.edgeTarget[edge],
  ]);
  for (const aspect of [0.001, 1.5]) {
    const layout = layoutLayered(buildSkeleton(topology(200, pairs)), sizes(200), aspect);
    const boxes = rectangles(layout, sizes(200));
    pairs.forEach((_, link) => {
      const points = pointsOf(layout, link);
      for (let k = 1; k + 2 < points.length; k++) {
        const [one, other] = [points[k], points[k + 1]];
        if (one.x !== other.x && one.y !== other.y) continue;
        for (const box of boxes) {
          const outside =
            Math.max(one.x, other.x) <= box.x ||
            Math.min(one.x, other.x) >= box.x + box.width ||
            Math.max(one.y, other.y) <= box.y ||
            Math.min(one.y, other.y) >= box.y + box.height;
          assert.ok(outside, `link ${link} runs through a box`);
        }
      }
    });
  }
});

test("a chain of 50,000 needs no call stack", () => {
  const count = 50_000;
  const pairs: [number, number][] = [...chain(count), [count - 1, 0]];
  const skeleton = buildSkeleton(topology(count, pairs));
  const layout = layoutLayered(skeleton, sizes(count), 1);
  assert.equal(skeleton.back[count - 1], 1);
  assert.ok(layout.width / layout.height > 0.4);
});
