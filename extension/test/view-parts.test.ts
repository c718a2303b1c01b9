import assert from "node:assert/strict";
import test from "node:test";

import { emphasisOf } from "../src/paint/emphasis.js";
import { Geometry } from "../src/paint/geometry.js";
import { compact } from "../src/paint/labels.js";
import { TextWidths } from "../src/paint/text.js";
import { lightness, makeTheme, parse } from "../src/scene/palette.js";
import { GraphEngine } from "../src/engine/engine.js";
import { CONTROL, type Graph } from "../src/scene/types.js";
import { neighbourOf, nearestBox } from "../src/view/neighbours.js";
import { Past } from "../src/view/past.js";
import { groupsInside, itemsNamed, readKept, writeKept } from "../src/view/restore.js";
import { describe } from "../src/view/tap.js";
import { bestColumns, spread } from "../src/view/value.js";

/** x -> layer/a -> layer/b -> y, and x -> y for order. */
const GRAPH: Graph = {
  name: "small",
  version: 1,
  names: ["x", "layer/a", "layer/b", "y"],
  types: ["", "Placeholder", "Relu"],
  devices: [""],
  shapes: ["", "float32[2]"],
  type: Uint16Array.of(1, 2, 2, 2),
  device: new Uint16Array(4),
  role: new Uint8Array(4),
  edgeSource: Uint32Array.of(0, 1, 2, 0),
  edgeTarget: Uint32Array.of(1, 2, 3, 3),
  edgeOutput: Uint16Array.of(0, 0, 0, CONTROL),
  edgeShape: Uint32Array.of(1, 1, 1, 0),
  status: null,
  edgeStatus: null,
  nesting: null,
};

async function shown(open: boolean) {
  const engine = new GraphEngine();
  await engine.load(GRAPH, { aspect: 1.5 });
  const items = open ? await itemsNamed(engine, ["layer"]) : new Uint32Array();
  const geometry = new Geometry(await engine.scene(items));
  return { engine, items, geometry, visible: await engine.visible(items) };
}

function boxNamed(geometry: Geometry, name: string): number {
  return geometry.scene.names.indexOf(name);
}

test("what is in the middle of a box is that box, or the innermost one in it", async () => {
  const { geometry } = await shown(true);
  const { scene } = geometry;
  for (const name of ["x", "layer/a", "layer/b", "y"]) {
    const box = boxNamed(geometry, name);
    const { x, y, width, height } = geometry.rectangle(box);
    assert.equal(geometry.boxAt(x + width / 2, y + height / 2), box);
  }
  const layer = boxNamed(geometry, "layer");
  assert.equal(geometry.boxAt(scene.x[layer] + 2, scene.y[layer] + 2), layer);
  assert.equal(geometry.boxAt(-50, -50), -1);
});

test("an edge is found along its way and nowhere else", async () => {
  const { geometry } = await shown(false);
  const edge = geometry.edgeBetween(boxNamed(geometry, "x"), boxNamed(geometry, "layer"));
  assert.ok(edge >= 0);
  const { pointStart, points } = geometry.scene;
  const [first, next] = [2 * pointStart[edge], 2 * pointStart[edge] + 2];
  const x = (points[first] + points[next]) / 2;
  const y = (points[first + 1] + points[next + 1]) / 2;
  assert.equal(geometry.edgeAt(x, y, 1), edge);
  assert.equal(geometry.edgeAt(x + 500, y, 1), -1);
});

test("arrows follow edges, and go into open scopes", async () => {
  const { geometry } = await shown(true);
  const go = (name: string, direction: "up" | "down"): string =>
    geometry.scene.names[neighbourOf(geometry, boxNamed(geometry, name), direction)];
  assert.equal(go("x", "down"), "layer/a");
  assert.equal(go("layer/a", "down"), "layer/b");
  assert.equal(go("layer/b", "up"), "layer/a");
  assert.equal(go("layer", "down"), "layer/a");
  const { x, y } = geometry.rectangle(boxNamed(geometry, "y"));
  assert.equal(nearestBox(geometry, x, y), boxNamed(geometry, "y"));
});

test("a trace stands out with the scopes around it, open or closed", async () => {
  for (const open of [false, true]) {
    const { engine, geometry, visible } = await shown(open);
    const trace = await engine.upstream(2, Infinity);
    const { boxes, edges } = emphasisOf(trace, GRAPH, visible, geometry);
    const names = geometry.scene.names.filter((_, box) => boxes[box] === 1).sort();
    assert.deepEqual(names, open ? ["layer", "layer/a", "layer/b", "x"] : ["layer", "x"]);
    assert.equal(boxes[boxNamed(geometry, "y")], 0);
    assert.equal(
      edges.reduce((sum, mark) => sum + mark, 0),
      open ? 2 : 1,
    );
  }
});

test("one comes back to where one was, and ahead until one goes elsewhere", () => {
  const past = new Past<string>();
  assert.equal(past.back(), null);
  for (const place of ["a", "b", "c"]) past.visit(place);
  past.amend("c, scrolled");
  assert.equal(past.back(), "b");
  assert.equal(past.back(), "a");
  assert.equal(past.back(), null);
  assert.equal(past.forward(), "b");
  past.visit("d");
  assert.equal(past.canGoForward, false);
  assert.equal(past.back(), "b");
});

test("what is open is found again by its names", async () => {
  const { engine } = await shown(false);
  assert.deepEqual(
    [...(await itemsNamed(engine, ["layer", "gone"]))],
    await groupsInside(engine, -1),
  );
  assert.equal((await itemsNamed(engine, ["gone"])).length, 0);
});

test("what was kept is read, and what is damaged is as if nothing was", () => {
  const values = new Map<string, string>();
  const storage = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  };
  const kept = { open: ["layer"], selection: "x", camera: { x: 1, y: 2, zoom: 0.5 } };
  writeKept(storage, "view", kept);
  assert.deepEqual(readKept(storage, "view"), kept);
  assert.equal(readKept(storage, "other"), null);
  assert.equal(readKept(null, "view"), null);
  for (const text of ["{", "7", '{"open": 3}', "null"]) {
    values.set("view", text);
    assert.equal(readKept(storage, "view"), null);
  }
  values.set("view", '{"open": ["a", 4], "camera": {"x": 1, "y": 2, "zoom": 0}}');
  assert.deepEqual(readKept(storage, "view"), { open: ["a"], selection: null, camera: null });
  const full = {
    ...storage,
    setItem: () => {
      throw new Error("full");
    },
  };
  assert.doesNotThrow(() => writeKept(full, "view", kept));
});

test("texts are cut where they no longer fit", () => {
  const widths = new TextWidths((text) => 10 * text.length);
  assert.equal(widths.fit("conv2d", 60), "conv2d");
  assert.equal(widths.fit("conv2d", 59), "conv…");
  assert.equal(widths.fit("conv2d", 20), "");
});

test("a theme takes the page's colours and knows whether they are dark", () => {
  const page = new Map([
    ["--jp-layout-color1", "rgba(33, 33, 33, 1)"],
    ["--jp-ui-font-color1", "rgba(255, 255, 255, 0.87)"],
  ]);
  const dark = makeTheme((variable) => page.get(variable) ?? null, "sans-serif");
  assert.equal(dark.dark, true);
  assert.equal(dark.background, "rgb(33, 33, 33)");
  assert.ok(lightness(parse(dark.text)) > 0.8);
  const light = makeTheme(() => null, "sans-serif");
  assert.equal(light.dark, false);
  const hues = new Set(light.roles.map(({ line }) => line));
  assert.equal(hues.size, 4);
});

test("counts are short", () => {
  assert.deepEqual([7, 999, 1234, 56_789, 2_500_000].map(compact), [
    "7",
    "999",
    "1.2k",
    "57k",
    "2.5M",
  ]);
});

test("images fill the room that there is", () => {
  assert.equal(bestColumns(9, 1), 3);
  assert.equal(bestColumns(8, 2), 4);
  assert.equal(bestColumns(1, 5), 1);
});

test("a spread ignores what is not finite and is never empty", () => {
  assert.deepEqual(spread(Float32Array.of(3, NaN, -1, Infinity), false), { low: -1, high: 3 });
  assert.deepEqual(spread(Float32Array.of(3), true), { low: 0, high: 3 });
  assert.deepEqual(spread(Float32Array.of(2, 2), false), { low: 1.5, high: 2.5 });
  assert.deepEqual(spread(Float32Array.of(NaN), false), { low: 0, high: 1 });
});

test("a value is described in words", () => {
  const sample = {
    tap: "1",
    run: "r",
    tensor: "x:0",
    step: 7,
    shape: [2, 3],
    dtype: "float32",
    kind: "matrix",
    summary: {
      mean: 0.5,
      deviation: 0.1,
      minimum: 0,
      maximum: 1,
      zeros: 0.25,
      nonfinite: 2,
      size: 6,
    },
    samples: 1,
    text: null,
    images: null,
    rows: 2,
    columns: 3,
    color: null,
  } as const;
  const words = describe({ sample, values: new Float32Array(6) });
  assert.equal(
    words,
    "step 7 · float32 2 × 3 · mean 0.5 ± 0.1 · 0 to 1 · 25 % zeros · 2 not finite",
  );
  const number = { ...sample, shape: [], kind: "number" } as const;
  assert.equal(
    describe({ sample: number, values: Float32Array.of(NaN) }),
    "step 7 · float32 scalar · NaN",
  );
});
