import assert from "node:assert/strict";
import { test } from "node:test";

import { findBackLinks, findComponents } from "../src/layout/cycles.js";
import { layoutLayered, type Layout, type Size } from "../src/layout/layered.js";
import { assignRanks } from "../src/layout/ranks.js";
import { assertDisjoint, assertInside, isClose } from "./checks.js";
import { randomGraph, randomNumbers } from "./random.js";

type Pairs = readonly (readonly [number, number])[];
const linksOf = (pairs: Pairs) => pairs.map(([source, target]) => ({ source, target }));
const same = (count: number): Size[] => new Array(count).fill({ width: 60, height: 28 });

function rectangles(layout: Layout, sizes: readonly Size[]) {
  return sizes.map((size, item) => ({ x: layout.left[item], y: layout.top[item], ...size }));
}

const RANKS: { name: string; count: number; pairs: Pairs; ranks: number[] }[] = [
  { name: "a chain", count: 3, pairs: [[0, 1], [1, 2]], ranks: [0, 1, 2] },
  { name: "a diamond", count: 4, pairs: [[0, 1], [0, 2], [1, 3], [2, 3]], ranks: [0, 1, 1, 2] },
  { name: "the longest path wins", count: 3, pairs: [[0, 1], [1, 2], [0, 2]], ranks: [0, 1, 2] },
  { name: "a late source", count: 4, pairs: [[0, 1], [1, 2], [3, 2]], ranks: [0, 1, 2, 1] },
  { name: "made in any order", count: 3, pairs: [[2, 1], [1, 0]], ranks: [2, 1, 0] },
  { name: "no links: rows of eight", count: 9, pairs: [], ranks: [0, 0, 0, 0, 0, 0, 0, 0, 1] },
  { name: "alone below the rest", count: 3, pairs: [[0, 1]], ranks: [0, 1, 2] },
];
for (const { name, count, pairs, ranks } of RANKS) {
  test(`ranks: ${name}`, () => {
    assert.deepEqual([...assignRanks(count, linksOf(pairs))], ranks);
  });
}

const BACK: { name: string; count: number; pairs: Pairs; back: boolean[] }[] = [
  {
    name: "none without a cycle",
    count: 3,
    pairs: [[2, 1], [1, 0], [2, 0]],
    back: [false, false, false],
  },
  { name: "the later item's link", count: 2, pairs: [[0, 1], [1, 0]], back: [false, true] },
  { name: "an item's own", count: 1, pairs: [[0, 0]], back: [true] },
  {
    name: "only inside the cycle",
    count: 4,
    pairs: [[3, 0], [0, 1], [1, 2], [2, 0]],
    back: [false, false, false, true],
  },
];
for (const { name, count, pairs, back } of BACK) {
  test(`back links: ${name}`, () => {
    assert.deepEqual(findBackLinks(count, linksOf(pairs)), back);
  });
}

test("components are those of mutual reachability", () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = randomNumbers(seed);
    const count = 12;
    const links = Array.from({ length: 16 }, () => ({
      source: Math.floor(random() * count),
      target: Math.floor(random() * count),
    }));
    const reach = Array.from({ length: count }, (_, one) =>
      Array.from({ length: count }, (_, other) => one === other),
    );
    for (const { source, target } of links) reach[source][target] = true;
    for (let k = 0; k < count; k++)
      for (let i = 0; i < count; i++)
        for (let j = 0; j < count; j++) reach[i][j] ||= reach[i][k] && reach[k][j];
    const component = findComponents(count, links);
    for (let i = 0; i < count; i++)
      for (let j = 0; j < count; j++)
        assert.equal(component[i] === component[j], reach[i][j] && reach[j][i]);
  }
});

test("nothing takes no space", () => {
  const layout = layoutLayered([], []);
  assert.deepEqual([layout.width, layout.height, layout.routes.length], [0, 0, 0]);
});

test("a chain is a straight line", () => {
  const layout = layoutLayered(same(5), linksOf([[0, 1], [1, 2], [2, 3], [3, 4]]));
  assert.deepEqual([...layout.left], [0, 0, 0, 0, 0]);
  assert.deepEqual([...layout.top], [16, 76, 136, 196, 256]);
  for (const { points } of layout.routes) assert.ok(points.every(({ x }) => x === 30));
});

test("a diamond is symmetrical", () => {
  const layout = layoutLayered(same(4), linksOf([[0, 1], [0, 2], [1, 3], [2, 3]]));
  assert.ok(layout.left[1] < layout.left[2], "creation order from left to right");
  assert.ok(isClose(layout.left[0], layout.left[3]));
  assert.ok(isClose(layout.left[0] * 2, layout.left[1] + layout.left[2]));
});

test("crossed pairs are uncrossed", () => {
  const layout = layoutLayered(same(6), linksOf([[0, 4], [1, 3], [0, 5], [1, 2]]));
  const order = [2, 3, 4, 5].sort((one, other) => layout.left[one] - layout.left[other]);
  const left = new Set(order.slice(0, 2));
  assert.ok(left.has(2) === left.has(3), "the uses of one source stand together");
  assert.equal(left.has(4), layout.left[0] < layout.left[1]);
});

test("a link over many rows goes round the side", () => {
  const chain: [number, number][] = Array.from({ length: 11 }, (_, item) => [item, item + 1]);
  const layout = layoutLayered(same(12), linksOf([...chain, [0, 11]]));
  const around = Math.max(...layout.routes[11].points.map(({ x }) => x));
  assert.ok(around > 60, "outside all boxes");
  assert.ok(around <= layout.width, "inside the picture");
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
  test(`random graph of ${count} with ${cycles} cycles: disjoint, downwards, stable`, () => {
    const random = randomNumbers(seed);
    const { edges } = randomGraph(count, seed, cycles);
    const sizes = Array.from({ length: count }, () => ({
      width: 40 + Math.floor(random() * 100),
      height: 20 + Math.floor(random() * 60),
    }));
    const layout = layoutLayered(sizes, edges);
    const boxes = rectangles(layout, sizes);
    assertDisjoint(boxes);
    const picture = { x: 0, y: 0, width: layout.width, height: layout.height };
    for (const box of boxes) assertInside(box, picture);
    let backwards = 0;
    edges.forEach(({ source, target }, index) => {
      const { points, back } = layout.routes[index];
      assert.deepEqual(points[0].y, boxes[source].y + boxes[source].height);
      assert.deepEqual(points[points.length - 1].y, boxes[target].y);
      for (const point of points) assertInside({ ...point, width: 0, height: 0 }, picture);
      if (back) backwards++;
      else assert.ok(points[0].y < points[points.length - 1].y, `link ${index} runs upwards`);
    });
    assert.equal(backwards > 0, cycles > 0);
    assert.deepEqual(layoutLayered(sizes, edges), layout);
  });
}

test("lines through the rows keep out of the boxes", () => {
  const { edges } = randomGraph(200, 8);
  const sizes = same(200);
  const layout = layoutLayered(sizes, edges);
  const boxes = rectangles(layout, sizes);
  for (const { points } of layout.routes) {
    for (let k = 1; k + 2 < points.length; k += 2) {
      const [upper, lower] = [points[k], points[k + 1]];
      if (upper.x !== lower.x) continue;
      for (const box of boxes) {
        const crosses = upper.x > box.x && upper.x < box.x + box.width;
        assert.ok(!crosses || lower.y <= box.y || upper.y >= box.y + box.height);
      }
    }
  }
});

test("a chain of 50,000 needs no call stack", () => {
  const count = 50_000;
  const links = linksOf(Array.from({ length: count - 1 }, (_, item) => [item, item + 1]));
  const layout = layoutLayered(same(count), [...links, { source: count - 1, target: 0 }]);
  assert.equal(layout.routes[count - 1].back, true);
  assert.equal(layout.top[count - 1], 16 + 60 * (count - 1));
});
