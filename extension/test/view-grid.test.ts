import assert from "node:assert/strict";
import test from "node:test";

import { Grid } from "../src/paint/grid.js";
import { makeGridTable } from "../src/scene/grid-table.js";
import { randomNumbers } from "./random.js";

test("a grid finds what a plain search finds, in order", () => {
  const random = randomNumbers(3);
  const count = 2000;
  const [width, height] = [5000, 700];
  const [left, top, right, bottom] = Array.from({ length: 4 }, () => new Float32Array(count));
  for (let item = 0; item < count; item++) {
    left[item] = random() * width;
    top[item] = random() * height;
    // Some are wide, some are points.
    right[item] = left[item] + (item % 50 === 0 ? random() * width : random() * 40);
    bottom[item] = top[item] + (item % 7 === 0 ? 0 : random() * 30);
  }
  const grid = new Grid(makeGridTable({ left, top, right, bottom }, width, height));
  for (let round = 0; round < 200; round++) {
    const x = random() * width - 100;
    const y = random() * height - 100;
    const [farX, farY] = [x + random() * 900, y + random() * 300];
    const expected: number[] = [];
    for (let item = 0; item < count; item++) {
      const across = left[item] <= farX && right[item] >= x;
      if (across && top[item] <= farY && bottom[item] >= y) expected.push(item);
    }
    assert.deepEqual([...grid.find(x, y, farX, farY)], expected);
  }
});

test("a grid of nothing finds nothing", () => {
  const none = new Float32Array();
  const edges = { left: none, top: none, right: none, bottom: none };
  assert.equal(new Grid(makeGridTable(edges, 0, 0)).find(0, 0, 10, 10).length, 0);
});
