import { NO_COLOUR, type Colours } from "../paint/live.js";
import type { Graph, Scene } from "../scene/types.js";
import { aggregate, aggregateDevices, MIXED } from "./aggregate.js";
import type { Channel } from "./channels.js";
import { categoryPalette, paletteOf, PALETTE_SIZE } from "./colours.js";
import { colourIndex, rangeOf, shareOf, type Range } from "./scale.js";

/** The colours of a scene's boxes, and the numbers behind them, for the legend and for tests. */
export interface Coloured {
  readonly colours: Colours;
  readonly range: Range | null;
  /** For each box; NaN where nothing is known. Devices by index, MIXED for several. */
  readonly values: Float32Array;
}

/** A channel's values and all that colouring by them needs. */
export interface Measured {
  readonly channel: Channel;
  /** One for each operation, NaN where nothing is known. */
  readonly values: Float32Array;
  /** For each operation the item that stands for it. */
  readonly visible: Uint32Array;
  readonly items: number;
  /** Of each operation, for means. */
  readonly weights: Float32Array;
  readonly scene: Scene;
  readonly dark: boolean;
}

/** Colour a scene by a measured channel; with the last range, colours do not flicker. */
export function colourByChannel(measured: Measured, last: Range | null): Coloured {
  const { channel, values, visible, items, weights, scene, dark } = measured;
  const ofItem = aggregate(channel.combine, values, visible, items, weights);
  const range = rangeOf(channel, ofItem, last);
  const boxes = scene.item.length;
  const index = new Uint8Array(boxes).fill(NO_COLOUR);
  const bar = new Float32Array(boxes);
  const ofBox = new Float32Array(boxes);
  const alarm = channel.scale === "alarm" ? new Uint8Array(boxes) : null;
  for (let box = 0; box < boxes; box++) {
    const value = ofItem[scene.item[box]];
    ofBox[box] = value;
    if (Number.isNaN(value)) continue;
    index[box] = colourIndex(channel, value, range);
    bar[box] = Math.max(0, shareOf({ ...channel, scale: "linear" }, value, range));
    if (alarm && value > 0) alarm[box] = 1;
  }
  const hasBars = channel.scale === "logarithmic" || channel.unit === "share";
  const palette = paletteOf(channel, dark);
  return { colours: { palette, index, bar: hasBars ? bar : null, alarm }, range, values: ofBox };
}

/** Colour a scene by the devices of its operations. */
export function colourByDevice(
  graph: Graph,
  visible: Uint32Array,
  items: number,
  scene: Scene,
  dark: boolean,
): Coloured {
  const ofItem = aggregateDevices(graph.device, visible, items);
  const boxes = scene.item.length;
  const index = new Uint8Array(boxes).fill(NO_COLOUR);
  const values = new Float32Array(boxes).fill(NaN);
  for (let box = 0; box < boxes; box++) {
    const device = ofItem[scene.item[box]];
    if (device === 0) continue;
    values[box] = device;
    index[box] = deviceColour(device);
  }
  return {
    colours: { palette: categoryPalette(dark), index, bar: null, alarm: null },
    range: null,
    values,
  };
}

/** The place of a device in the palette of categories; the last is for several. */
export function deviceColour(device: number): number {
  return device === MIXED ? PALETTE_SIZE - 1 : (device - 1) % (PALETTE_SIZE - 1);
}
