import type { Channel } from "./channels.js";

/** Few enough to paint all boxes of a colour at once, many enough that no step is seen. */
export const PALETTE_SIZE = 32;

type Triple = readonly [number, number, number];
type Stops = readonly string[];

/**
 * From little to much. Labels are written over them, so the light ones stay light enough for dark
 * text and the dark ones dark enough for light text (a test holds them to that).
 */
const HEAT: readonly [Stops, Stops] = [
  ["#fdf6e3", "#fdd28a", "#f08c3c", "#ea6a2c"],
  ["#302d28", "#66451c", "#984a14", "#b0430f"],
];
const COOL: readonly [Stops, Stops] = [
  ["#f2f7fc", "#b9d8f2", "#6fb1e6"],
  ["#272c31", "#2a4a66", "#2a6496"],
];
const DIVERGING: readonly [Stops, Stops] = [
  ["#6fb1e6", "#c9e0f3", "#f6f5f1", "#fbcf9f", "#ee8443"],
  ["#2a6496", "#2b4459", "#33332f", "#69451f", "#b0430f"],
];
const ALARM: readonly [Stops, Stops] = [
  ["#e7f3ea", "#fbe0dd", "#f4a79f", "#f07c72"],
  ["#24332a", "#4d2a28", "#86302c", "#b3312b"],
];

/** PALETTE_SIZE colours for a channel. */
export function paletteOf(channel: Pick<Channel, "scale" | "unit">, dark: boolean): string[] {
  const stops =
    channel.scale === "diverging"
      ? DIVERGING
      : channel.scale === "alarm"
        ? ALARM
        : channel.unit === "share"
          ? COOL
          : HEAT;
  return rampOf(stops[dark ? 1 : 0]);
}

const RAMPS = new Map<Stops, string[]>();

/** The same list each time: an overlay asks for it many times a second. */
function rampOf(stops: Stops): string[] {
  let made = RAMPS.get(stops);
  if (made === undefined) RAMPS.set(stops, (made = ramp(stops, PALETTE_SIZE)));
  return made;
}

/** Colours that are told apart, for devices; the last is for what has several. */
export function categoryPalette(dark: boolean): string[] {
  const [lightness, chroma] = dark ? [0.44, 0.09] : [0.86, 0.08];
  const colours = Array.from({ length: PALETTE_SIZE - 1 }, (_, index) => {
    // Steps of the golden angle keep any number of hues apart.
    const hue = ((250 + index * 137.508) * Math.PI) / 180;
    return hexadecimal(fromOklab([lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)]));
  });
  return [...colours, dark ? "#4a4a4a" : "#d5d5d5"];
}

/** Even steps, as the eye sees them, through some colours. */
export function ramp(stops: Stops, count: number): string[] {
  const points = stops.map((stop) => toOklab(fromHexadecimal(stop)));
  return Array.from({ length: count }, (_, index) => {
    const place = (index / (count - 1)) * (points.length - 1);
    const first = Math.min(points.length - 2, Math.floor(place));
    const share = place - first;
    const part = (axis: 0 | 1 | 2): number =>
      points[first][axis] + (points[first + 1][axis] - points[first][axis]) * share;
    return hexadecimal(fromOklab([part(0), part(1), part(2)]));
  });
}

function fromHexadecimal(colour: string): Triple {
  const value = parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

function hexadecimal(colour: Triple): string {
  const part = (value: number): string =>
    Math.round(Math.max(0, Math.min(255, value)))
      .toString(16)
      .padStart(2, "0");
  return `#${colour.map(part).join("")}`;
}

/** sRGB (0 to 255) to OKLab, the space in which equal steps look equal (Ottosson 2020). */
function toOklab(colour: Triple): Triple {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

function fromOklab([lightness, a, b]: Triple): Triple {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear: Triple = [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
  return linear.map((value) => {
    const share = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
    return 255 * share;
  }) as unknown as Triple;
}
