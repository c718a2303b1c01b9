import type { Outline } from "./outline.js";
import { short } from "./svg-text.js";

/** Writes what is drawn into the `d` of a path. */
export class SvgPath implements Outline {
  text = "";

  moveTo(x: number, y: number): void {
    this.text += `M${short(x)} ${short(y)}`;
  }

  lineTo(x: number, y: number): void {
    this.text += `L${short(x)} ${short(y)}`;
  }

  closePath(): void {
    this.text += "Z";
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.text += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`;
  }

  roundRect(x: number, y: number, width: number, height: number, radius: number): void {
    const across = short(width - 2 * radius);
    const down = short(height - 2 * radius);
    const back = short(2 * radius - width);
    const up = short(2 * radius - height);
    const r = short(radius);
    const turn = (right: number, low: number): string =>
      `a${r} ${r} 0 0 1 ${short(right * radius)} ${short(low * radius)}`;
    this.text +=
      `M${short(x + radius)} ${short(y)}h${across}${turn(1, 1)}v${down}${turn(-1, 1)}` +
      `h${back}${turn(-1, -1)}v${up}${turn(1, -1)}Z`;
  }
}
