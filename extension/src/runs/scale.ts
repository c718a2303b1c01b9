import { toNumber } from "../protocol/decode.js";
import type { Hyperparameter } from "../protocol/messages.js";

/** The positions of a slider: enough for every pixel of a wide one. */
const POSITIONS = 1000;

/** How positions of a slider and values of a hyperparameter belong together. */
export interface SliderScale {
  /** The greatest position; the least is 0. */
  readonly positions: number;
  valueAt(position: number): number;
  positionOf(value: number): number;
}

/** The scale of a bounded number, or null for what no slider can show. */
export function sliderScale(hyperparameter: Hyperparameter): SliderScale | null {
  const { type } = hyperparameter;
  if (type !== "float" && type !== "int") return null;
  const low = toNumber(hyperparameter.low);
  const high = toNumber(hyperparameter.high);
  if (!Number.isFinite(low) || !Number.isFinite(high) || low >= high) return null;
  const log = hyperparameter.log && low > 0;
  if (type === "int" && !log && high - low <= POSITIONS) {
    return {
      positions: high - low,
      valueAt: (position) => low + position,
      positionOf: (value) => clamp(Math.round(value), low, high) - low,
    };
  }
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const finish = (value: number) =>
    clamp(type === "int" ? Math.round(value) : rounded(value, log ? 0 : high - low), low, high);
  return {
    positions: POSITIONS,
    valueAt: (position) => {
      const between = from + ((to - from) * position) / POSITIONS;
      return finish(log ? Math.exp(between) : between);
    },
    positionOf: (value) => {
      const inside = clamp(value, low, high);
      const place = ((log ? Math.log(inside) : inside) - from) / (to - from);
      return Math.round(place * POSITIONS);
    },
  };
}

/** What a person typed, as a value; or why it is none. */
export function readNumber(
  text: string,
  { name, type, low, high }: Hyperparameter,
): { readonly value: number } | { readonly problem: string } {
  const number = text.trim() === "" ? NaN : Number(text.trim().replace(",", ".").replace("−", "-"));
  const [least, most] = [toNumber(low), toNumber(high)];
  const kind = type === "int" ? "a whole number" : "a number";
  const range = Number.isFinite(least) && Number.isFinite(most) ? ` from ${least} to ${most}` : "";
  const fits =
    Number.isFinite(number) &&
    (type !== "int" || Number.isInteger(number)) &&
    !(number < least) &&
    !(number > most);
  return fits ? { value: number } : { problem: `${name} takes ${kind}${range}.` };
}

/** Three significant digits, counted from the range where there is one: sliders are not exact. */
function rounded(value: number, range: number): number {
  if (range === 0) return Number(value.toPrecision(3));
  const unit = 10 ** (Math.floor(Math.log10(range)) - 3);
  return Number((Math.round(value / unit) * unit).toPrecision(12));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
