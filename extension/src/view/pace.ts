/** Work that is surely within a frame, and work that no frame should get, in units of a Painting. */
const LEAST = 300;
const MOST = 6000;
/** What the first frame of a new picture may take, so that small pictures are there at once. */
const URGENT = 4000;
const LONG_FRAME = 24;

/**
 * How much may be painted in a frame. A canvas is rasterised after our code has returned, so the
 * clock of the code does not tell; the time from frame to frame does.
 */
export class Pace {
  #budget = 1200;
  #last: number | null = null;
  #urgent = false;
  readonly #times: number[] = [];

  /** The next frame brings something new. */
  urgent(): void {
    this.#urgent = true;
  }

  /** A frame begins. */
  frame(now: number): void {
    if (this.#last !== null) {
      const took = now - this.#last;
      if (took > LONG_FRAME) this.#budget = Math.max(LEAST, this.#budget * 0.7);
      else this.#budget = Math.min(MOST, this.#budget * 1.1);
    }
    this.#last = now;
    this.#times.push(now);
    if (this.#times.length > 60) this.#times.shift();
  }

  /** No frame is asked for: the next one's distance says nothing. */
  rest(): void {
    this.#last = null;
  }

  budget(): number {
    const budget = this.#urgent ? Math.max(URGENT, this.#budget) : this.#budget;
    this.#urgent = false;
    return budget;
  }

  /** Frames in the last second. */
  framesASecond(now: number): number {
    return this.#times.filter((time) => now - time < 1000).length;
  }
}
