import assert from "node:assert/strict";
import test from "node:test";

import {
  between,
  firstView,
  fitRectangle,
  keepInReach,
  toScene,
  toStage,
  zoomAt,
} from "../src/paint/camera.js";

const STAGE = { width: 1000, height: 600 };

test("zooming leaves the point under the pointer where it is", () => {
  const before = { x: 37, y: -12, zoom: 0.8 };
  const at = { x: 410, y: 222 };
  const after = zoomAt(before, at, 1.7);
  assert.ok(Math.abs(after.zoom - 1.36) < 1e-9);
  for (const axis of ["x", "y"] as const) {
    assert.ok(Math.abs(toScene(after, at)[axis] - toScene(before, at)[axis]) < 1e-9);
  }
});

test("the zoom has limits", () => {
  const camera = { x: 0, y: 0, zoom: 1 };
  assert.equal(zoomAt(camera, { x: 0, y: 0 }, 1e9).zoom, 4);
  assert.ok(zoomAt(camera, { x: 0, y: 0 }, 1e-9).zoom > 0);
});

test("a rectangle that is fitted stands in the middle, all of it", () => {
  const rectangle = { x: 100, y: 50, width: 4000, height: 500 };
  const seen = toStage(fitRectangle(rectangle, STAGE), rectangle);
  assert.ok(seen.x >= 0 && seen.y >= 0);
  assert.ok(seen.x + seen.width <= STAGE.width && seen.y + seen.height <= STAGE.height);
  assert.ok(Math.abs(seen.x + seen.width / 2 - STAGE.width / 2) < 1e-6);
});

test("a first view shows all of what can be read, else its beginning at a readable zoom", () => {
  const start = { x: 4000, y: 0, width: 100, height: 28 };
  const cases: [number, number][] = [
    [300, 200],
    [900, 9000],
    [1250, 9000],
    [50_000, 300],
    [50_000, 80_000],
  ];
  for (const [width, height] of cases) {
    const camera = firstView({ width, height }, start, STAGE);
    assert.ok(camera.zoom >= 0.7 && camera.zoom <= 1, `${width} x ${height}: ${camera.zoom}`);
    const seen = toStage(camera, { x: 0, y: 0, width, height });
    assert.ok(seen.y >= 0 && seen.y < STAGE.height, "the top is in sight");
    if (width * camera.zoom <= STAGE.width - 47) {
      assert.ok(seen.x >= 0 && seen.x + seen.width <= STAGE.width, "the width fits");
    } else {
      const { x } = toStage(camera, start);
      assert.ok(x > 0 && x < STAGE.width, "the start is in sight");
    }
  }
});

test("the picture cannot be moved out of sight", () => {
  const scene = { width: 500, height: 500 };
  for (const far of [-1e6, 1e6]) {
    const seen = toStage(keepInReach({ x: far, y: far, zoom: 1 }, scene, STAGE), {
      x: 0,
      y: 0,
      ...scene,
    });
    assert.ok(seen.x < STAGE.width && seen.x + seen.width > 0);
    assert.ok(seen.y < STAGE.height && seen.y + seen.height > 0);
  }
});

test("a move between two cameras begins and ends at them, and goes straight", () => {
  const from = { x: 0, y: 0, zoom: 1 };
  const to = { x: -300, y: 80, zoom: 2 };
  assert.deepEqual(between(from, to, 0), from);
  assert.ok(Math.abs(between(from, to, 1).x - to.x) < 1e-9);
  const middle = between(from, to, 0.5);
  assert.ok(Math.abs(middle.zoom - Math.SQRT2) < 1e-9);
  assert.ok(Math.abs(middle.x / middle.y - to.x / to.y) < 1e-9);
});
