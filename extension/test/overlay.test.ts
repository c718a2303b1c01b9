import assert from "node:assert/strict";
import test from "node:test";

import { aggregate, aggregateDevices, MIXED } from "../src/overlay/aggregate.js";
import { CHANNELS, channelNamed, type Channel } from "../src/overlay/channels.js";
import { categoryPalette, paletteOf, PALETTE_SIZE } from "../src/overlay/colours.js";
import { formatNumber, formatValue } from "../src/overlay/format.js";
import { colourIndex, rangeOf, shareOf } from "../src/overlay/scale.js";
import { elementsOf } from "../src/overlay/weights.js";
import { makeTheme, parse } from "../src/scene/palette.js";
import { randomNumbers } from "./random.js";

const channel = (name: Channel["name"]): Channel => channelNamed(name) as Channel;

test("values of operations become those of the items that stand for them", () => {
  const values = Float32Array.of(1, 2, NaN, 4, NaN);
  const visible = Uint32Array.of(5, 5, 5, 3, 6);
  const weights = Float32Array.of(1, 3, 100, 1, 1);
  const of = (combine: Channel["combine"]) => [...aggregate(combine, values, visible, 7, weights)];
  assert.deepEqual(of("sum"), [NaN, NaN, NaN, 4, NaN, 3, NaN]);
  assert.deepEqual(of("worst"), [NaN, NaN, NaN, 4, NaN, 2, NaN]);
  assert.deepEqual(of("mean"), [NaN, NaN, NaN, 4, NaN, 1.75, NaN]);
});

test("sums do not depend on what is open", () => {
  const random = randomNumbers(5);
  const values = Float32Array.from({ length: 300 }, () => Math.round(random() * 100));
  const ones = new Float32Array(300).fill(1);
  const total = values.reduce((sum, value) => sum + value, 0);
  for (const groups of [1, 7, 300]) {
    const visible = Uint32Array.from(values, (_, index) => index % groups);
    const sums = aggregate("sum", values, visible, groups, ones);
    assert.equal(
      sums.reduce((sum, value) => sum + value, 0),
      total,
    );
  }
});

test("a scope on several devices is on none of them", () => {
  const device = Uint16Array.of(1, 1, 2, 0, 0);
  const visible = Uint32Array.of(0, 1, 1, 0, 2);
  assert.deepEqual([...aggregateDevices(device, visible, 3)], [1, MIXED, 0]);
});

test("sizes of results are read from their shapes", () => {
  assert.equal(elementsOf("float32[?,784]"), 784);
  assert.equal(elementsOf("int32[2,3,4]"), 24);
  assert.equal(elementsOf("float32[]"), 1);
  assert.equal(elementsOf("float32"), 1);
});

test("more is never paler, on any scale", () => {
  for (const each of CHANNELS.filter(({ scale }) => scale !== "diverging")) {
    const values = Float32Array.from({ length: 60 }, (_, index) => index / 59);
    const range = rangeOf(each, values, null);
    let last = 0;
    for (const value of values) {
      const index = colourIndex(each, value, range);
      assert.ok(index >= last && index < PALETTE_SIZE, `${each.name} ${value}: ${index}`);
      last = index;
    }
    assert.equal(last, PALETTE_SIZE - 1, each.name);
  }
});

test("the mean's scale has zero in its middle", () => {
  const range = rangeOf(channel("mean"), Float32Array.of(-2, 1, NaN), null);
  assert.deepEqual(range, { low: -2, high: 2 });
  assert.equal(shareOf(channel("mean"), 0, range), 0.5);
  assert.equal(colourIndex(channel("mean"), -2, range), 0);
});

test("a range grows at once and shrinks slowly", () => {
  const time = channel("time");
  const first = rangeOf(time, Float32Array.of(1), null);
  assert.equal(rangeOf(time, Float32Array.of(5), first).high, 5);
  const shrunk = rangeOf(time, Float32Array.of(0.1), first).high;
  assert.ok(shrunk < 1 && shrunk > 0.9);
  assert.equal(rangeOf(time, Float32Array.of(NaN, Infinity), null).high, 1);
});

test("one value that is not finite is far from none", () => {
  const range = rangeOf(channel("nonfinite"), Float32Array.of(0, 1, 1000), null);
  assert.equal(colourIndex(channel("nonfinite"), 0, range), 0);
  assert.ok(colourIndex(channel("nonfinite"), 1, range) > 8);
});

test("labels can be read on every colour of every palette, light and dark", () => {
  for (const dark of [false, true]) {
    const { text } = makeTheme(() => null, "sans-serif", dark);
    const palettes = CHANNELS.map((each) => paletteOf(each, dark));
    for (const colour of [...palettes, categoryPalette(dark)].flat()) {
      assert.match(colour, /^#[0-9a-f]{6}$/);
      const contrast = contrastOf(colour, text);
      assert.ok(contrast >= 4, `${text} on ${colour}: ${contrast.toFixed(2)}`);
    }
  }
});

test("values have units and few digits", () => {
  const cases: [number, Parameters<typeof formatValue>[1], string][] = [
    [0.00124, "seconds", "1.24 ms"],
    [2.5e-7, "seconds", "250 ns"],
    [75, "seconds", "75 s"],
    [0, "seconds", "0 ns"],
    [3.5 * 2 ** 20, "bytes", "3.5 MiB"],
    [512, "bytes", "512 B"],
    [0.125, "share", "12.5 %"],
    [1234, "count", "1234"],
    [-0.5, "number", "\u22120.5"],
  ];
  for (const [value, unit, text] of cases) assert.equal(formatValue(value, unit), text);
  assert.equal(formatNumber(1.23456e-7), "1.23e\u22127");
  assert.equal(formatNumber(NaN), "NaN");
  assert.equal(formatNumber(-Infinity), "\u2212∞");
});

/** WCAG's contrast of two colours, 1 to 21. */
function contrastOf(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red, green, blue] = parse(colour).map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
