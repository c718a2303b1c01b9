import { formatNumber } from "../overlay/format.js";
import { decodeTap, toNumber } from "../protocol/decode.js";
import type { TapSample } from "../protocol/messages.js";
import { Newest } from "../protocol/newest.js";
import { element, setText } from "./dom.js";
import type { Link } from "./link.js";
import type { Status } from "./status.js";
import { drawSparkline, drawValue, type Ink, type Value } from "./value.js";

const WIDTH = 264;
const VALUE_HEIGHT = 120;
/** A number needs less: its sparkline should be seen with it. */
const NUMBER_HEIGHT = 46;
const SPARK_HEIGHT = 44;

/** The present value of one tensor of a live run and its last samples, for as long as it is shown. */
export class Tap {
  readonly element = element("div", "tap");
  value: Value | null = null;
  readonly #value = element("canvas", "tap-value", { role: "img" });
  readonly #spark = element("canvas", "tap-spark", { role: "img" });
  readonly #text = element("pre", "tap-text");
  readonly #caption = element("div", "tap-caption");
  #tap: string | null = null;
  #disposed = false;
  readonly #newest = new Newest<{ sample: TapSample; buffers: readonly DataView[] }>(
    ({ sample, buffers }) => this.#take(sample, buffers),
  );

  constructor(
    private readonly run: string,
    readonly tensor: string,
    private readonly link: Link,
    private readonly status: Status,
    private readonly ink: () => Ink,
  ) {
    this.element.append(this.#value, this.#text, this.#spark, this.#caption);
    setText(this.#caption, "Waiting for the next step…");
    void this.#open();
  }

  /** A notification of some tap; others than this one's are not for it. */
  receive(sample: TapSample, buffers: readonly DataView[]): void {
    if (sample.tap === this.#tap) this.#newest.put({ sample, buffers });
  }

  dispose(): void {
    this.#disposed = true;
    this.#newest.dispose();
    void this.#close();
  }

  async #open(): Promise<void> {
    try {
      const { result } = await this.link.request("tap.open", {
        run: this.run,
        tensor: this.tensor,
      });
      this.#tap = result.tap;
      // Closed before the kernel had answered.
      if (this.#disposed) await this.#close();
    } catch (error) {
      setText(this.#caption, "");
      if (!this.#disposed) this.status.fail(error);
    }
  }

  async #close(): Promise<void> {
    const tap = this.#tap;
    this.#tap = null;
    if (tap === null || this.link.isLost) return;
    // The run may have ended meanwhile, and the tap with it: nothing to tell anybody.
    await this.link.request("tap.close", { tap }).catch(() => undefined);
  }

  #take(sample: TapSample, buffers: readonly DataView[]): void {
    try {
      this.value = { sample, ...decodeTap(buffers) };
    } catch (error) {
      this.status.fail(error);
      return;
    }
    this.draw();
  }

  /** Draw what is known, in the colours of this moment. */
  draw(): void {
    const { value } = this;
    if (value === null) return;
    const ink = this.ink();
    const isText = value.sample.kind === "text";
    this.#value.hidden = isText;
    this.#text.hidden = !isText;
    setText(this.#text, value.sample.text ?? "");
    if (!isText) {
      const height = value.sample.kind === "number" ? NUMBER_HEIGHT : VALUE_HEIGHT;
      drawValue(prepare(this.#value, height), value, WIDTH, height, ink);
    }
    this.#spark.hidden = value.history.length === 0;
    drawSparkline(prepare(this.#spark, SPARK_HEIGHT), value.history, WIDTH, SPARK_HEIGHT, ink);
    const words = describe(value);
    setText(this.#caption, words);
    this.#value.setAttribute("aria-label", words);
    this.#spark.setAttribute("aria-label", `The last ${value.history.length} samples`);
  }
}

/** What a value is, in words. */
export function describe({ sample, values }: Pick<Value, "sample" | "values">): string {
  const shape = sample.shape.length === 0 ? "scalar" : sample.shape.join(" × ");
  const parts = [`step ${sample.step}`, `${sample.dtype} ${shape}`];
  if (sample.kind === "number") parts.push(formatNumber(values[0] ?? NaN));
  const { summary } = sample;
  if (summary !== null && sample.kind !== "number" && sample.kind !== "text") {
    const { mean, deviation, minimum, maximum, zeros, nonfinite } = summary;
    const number = (value: typeof mean): string => formatNumber(toNumber(value));
    parts.push(`mean ${number(mean)} ± ${number(deviation)}`);
    parts.push(`${number(minimum)} to ${number(maximum)}`);
    if (toNumber(zeros) > 0) parts.push(`${formatNumber(100 * toNumber(zeros))} % zeros`);
    if (toNumber(nonfinite) > 0) parts.push(`${number(nonfinite)} not finite`);
  }
  return parts.join(" · ");
}

/** A canvas of the given height at the screen's resolution, empty. */
function prepare(canvas: HTMLCanvasElement, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  canvas.style.width = `${WIDTH}px`;
  canvas.style.height = `${height}px`;
  const [across, down] = [Math.round(WIDTH * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
