import type { Unit } from "./channels.js";

const SECONDS: readonly (readonly [number, string])[] = [
  [1, "s"],
  [1e-3, "ms"],
  [1e-6, "µs"],
  [1e-9, "ns"],
];
const BYTES: readonly (readonly [number, string])[] = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
  [1, "B"],
];

/** A value with its unit, short enough for a label: "1.24 ms", "3.5 MiB", "12 %". */
export function formatValue(value: number, unit: Unit): string {
  if (unit === "seconds") return scaled(value, SECONDS);
  if (unit === "bytes") return scaled(value, BYTES);
  if (unit === "share") return `${formatNumber(100 * value)} %`;
  return formatNumber(value);
}

/** Three or four digits that count, as a person writes them. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "\u2212∞";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [digits, exponent] = value.toExponential(2).split("e");
    return sign(`${Number(digits)}e${Number(exponent)}`);
  }
  return sign(String(Number(value.toPrecision(size >= 1000 ? 6 : 4))));
}

/** A count with its thousands apart. The browser's own writing takes 40 ms the first time. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  if (value === 0 || !Number.isFinite(value)) {
    return `${formatNumber(value)} ${units[units.length - 1][1]}`;
  }
  const [size, name] = units.find(([least]) => Math.abs(value) >= least) ?? units[units.length - 1];
  return `${formatNumber(Number((value / size).toPrecision(3)))} ${name}`;
}

/** A minus that is as wide as a plus. */
function sign(text: string): string {
  return text.replaceAll("-", "\u2212");
}
