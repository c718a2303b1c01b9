import { extent } from "./axes.js";

/** A curve without axes, for a line of a list. */
export class Sparkline {
  readonly canvas = document.createElement("canvas");

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {
    this.canvas.className = "run-sparkline";
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.canvas.setAttribute("aria-hidden", "true");
  }

  /** Draw values against steps; the last one gets a dot. */
  draw(steps: readonly number[], values: readonly number[], color: string): void {
    const scale = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * scale);
    this.canvas.height = Math.round(this.height * scale);
    const context = this.canvas.getContext("2d");
    const range = extent([values], false);
    if (!context || !range || steps.length === 0) return;
    context.scale(scale, scale);
    const [low, high] = range;
    const [begin, end] = [steps[0], steps[steps.length - 1]];
    const room = 2.5;
    const x = (step: number) =>
      room + ((step - begin) / (end - begin || 1)) * (this.width - 2 * room);
    const y = (value: number) =>
      high === low
        ? this.height / 2
        : room + ((high - value) / (high - low)) * (this.height - 2 * room);
    context.strokeStyle = color;
    context.lineWidth = 1.25;
    context.lineJoin = "round";
    context.beginPath();
    let drawing = false;
    for (let index = 0; index < steps.length; index++) {
      const value = values[index];
      if (!Number.isFinite(value)) {
        drawing = false;
      } else if (drawing) {
        context.lineTo(x(steps[index]), y(value));
      } else {
        context.moveTo(x(steps[index]), y(value));
        drawing = true;
      }
    }
    context.stroke();
    const last = values[steps.length - 1];
    if (!Number.isFinite(last)) return;
    context.fillStyle = color;
    context.beginPath();
    context.arc(x(end), y(last), 2, 0, 2 * Math.PI);
    context.fill();
  }
}
