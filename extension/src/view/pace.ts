/** Milliseconds of a frame that painting may take while something moves, and while nothing does. */
const MOVING = 7;
const RESTING = 22;
/** What the first frame of a new picture may take, so that small pictures are there at once. */
const URGENT = 30;

/** How long may be painted in a frame, and how many frames there were. */
export class Pace {
  #urgent = false;
  #moved = 0;

  /** The next frame brings something new. */
  urgent(): void {
    this.#urgent = true;
  }

  /** The user moves the picture: frames must come in time. */
  moving(now: number): void {
    this.#moved = now;
  }

  /** Milliseconds for painting in the frame that begins now. */
  budget(now: number): number {
    const budget = this.#urgent ? URGENT : now - this.#moved < 100 ? MOVING : RESTING;
    this.#urgent = false;
    return budget;
  }
}
