import type { GraphView } from "../../src/view/graph-view.js";

/** What a stretch of the page's life was like, in milliseconds. */
export interface Stretch {
  /** Until what was awaited had happened and was painted. */
  readonly took: number;
  /** The longest task, and the longest time between two frames. */
  readonly longestTask: number;
  readonly longestGap: number;
  readonly framesASecond: number;
}

const DEADLINE = 30_000;

function nextFrame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

/** Do something, wait until the view has come to rest, and say what the page felt like meanwhile. */
export async function timeUntilSettled(
  view: GraphView,
  action: () => unknown,
  isDone: () => boolean = () => true,
): Promise<Stretch> {
  return watch(async (begun) => {
    await action();
    while (!(isDone() && view.stage.isSettled)) {
      if (performance.now() - begun > DEADLINE) throw new Error("The view does not come to rest.");
      await nextFrame();
    }
  });
}

/** Do something in every frame for some time. */
export function timeFrames(
  milliseconds: number,
  action: (frame: number) => void,
): Promise<Stretch> {
  return watch(async (begun) => {
    for (let frame = 0; performance.now() - begun < milliseconds; frame++) {
      action(frame);
      await nextFrame();
    }
  });
}

async function watch(run: (begun: number) => Promise<void>): Promise<Stretch> {
  await nextFrame();
  let longestTask = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestTask = Math.max(longestTask, duration);
  });
  observer.observe({ entryTypes: ["longtask"] });
  const begun = performance.now();
  let running = true;
  let last = begun;
  let longestGap = 0;
  let frames = 0;
  const tick = (): void => {
    const now = performance.now();
    longestGap = Math.max(longestGap, now - last);
    last = now;
    frames++;
    if (running) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  await run(begun);
  const took = performance.now() - begun;
  // A long task is told of after its end.
  await new Promise((resolve) => setTimeout(resolve, 100));
  running = false;
  observer.disconnect();
  const seconds = (performance.now() - begun) / 1000;
  return { took, longestTask, longestGap, framesASecond: frames / seconds };
}
