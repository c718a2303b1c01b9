/** Numbers and times as a person reads them. All are pure; widths stay calm where values change. */

const COUNTS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 12,345 */
export function count(value: number): string {
  return Number.isFinite(value) ? COUNTS.format(value) : "–";
}

/** Four significant digits: 0.3102, 12.5, 1.2e-7, NaN, ∞. */
export function value(number: number): string {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  const size = Math.abs(number);
  if (size === 0) return "0";
  if (size < 1e-4 || size >= 1e6) return minus(trim(number.toExponential(3)));
  if (Number.isInteger(number)) return minus(COUNTS.format(number));
  return minus(number.toPrecision(4));
}

/** A hyperparameter as its field shows it and as it can be typed again. */
export function exact(number: number): string {
  if (!Number.isFinite(number)) return String(number);
  const short = Number(number.toPrecision(6));
  const size = Math.abs(short);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return trim(short.toExponential());
  return String(short);
}

/** 812 steps/s, 3.2 steps/s, 4.1 s a step. */
export function rate(stepsPerSecond: number): string {
  if (!(stepsPerSecond > 0) || !Number.isFinite(stepsPerSecond)) return "–";
  if (stepsPerSecond >= 100) return `${count(Math.round(stepsPerSecond))} steps/s`;
  if (stepsPerSecond >= 1) return `${stepsPerSecond.toFixed(1)} steps/s`;
  return `${duration(1 / stepsPerSecond)} a step`;
}

/** 0.4 s, 12 s, 3 min 05 s, 2 h 10 min. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** 0.4 % */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return "–";
  const percents = share * 100;
  return `${percents.toFixed(percents < 9.95 ? 1 : 0)} %`;
}

/** Drop zeros that say nothing from 1.200e-7. */
function trim(text: string): string {
  return text.replace(/\.?0+e/, "e").replace("e+", "e");
}

function minus(text: string): string {
  return text.startsWith("-") ? `−${text.slice(1)}` : text;
}
