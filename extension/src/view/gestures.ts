import { zoomAt, type Point } from "../paint/camera.js";
import type { Stage } from "./stage.js";

/** A press that moves less than this, in pixels, is a click. */
const STILL = 4;
const LINE_HEIGHT = 16;
/** A zoom factor for a turn of the wheel of one pixel. */
const WHEEL_ZOOM = 0.0035;
const PINCH_ZOOM = 0.01;

/** What pointers do to the stage other than moving it; points are on the stage. */
export interface GestureTarget {
  hover(point: Point | null): void;
  click(point: Point): void;
  doubleClick(point: Point): void;
}

/** Drag, wheel, two fingers, pinch; `wheelAlways` false leaves the wheel to the page without focus. */
export function connectGestures(
  stage: Stage,
  target: GestureTarget,
  wheelAlways: boolean,
  signal: AbortSignal,
): void {
  const { canvas } = stage;
  const pointers = new Map<number, Point>();
  let begun: Point | null = null;
  let dragged = false;

  const pointOf = (event: MouseEvent): Point => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const listen = <Type extends keyof HTMLElementEventMap>(
    type: Type,
    callback: (event: HTMLElementEventMap[Type]) => void,
  ): void => canvas.addEventListener(type, callback, { signal, passive: false });

  listen("pointerdown", (event) => {
    if (event.button > 1) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, pointOf(event));
    begun = pointers.size === 1 ? pointOf(event) : null;
    dragged = pointers.size > 1;
    if (event.button === 1) event.preventDefault();
  });
  listen("pointermove", (event) => {
    const point = pointOf(event);
    const before = pointers.get(event.pointerId);
    if (!before) return target.hover(point);
    if (!dragged && begun && Math.hypot(point.x - begun.x, point.y - begun.y) < STILL) return;
    if (!dragged) canvas.classList.add("workbench-graph-dragging");
    dragged = true;
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    pointers.set(event.pointerId, point);
    moveFingers(stage, before, point, others[0] ?? null);
  });
  const release = (event: PointerEvent): void => {
    const wasDown = pointers.delete(event.pointerId);
    if (pointers.size > 0) return;
    canvas.classList.remove("workbench-graph-dragging");
    if (wasDown && !dragged && event.type === "pointerup" && event.button === 0) {
      target.click(pointOf(event));
    }
    begun = null;
  };
  listen("pointerup", release);
  listen("pointercancel", release);
  listen("pointerleave", () => target.hover(null));
  listen("dblclick", (event) => target.doubleClick(pointOf(event)));
  listen("wheel", (event) => {
    const zooms = event.ctrlKey || event.metaKey;
    if (!zooms && !wheelAlways && document.activeElement !== canvas) return;
    event.preventDefault();
    const unit =
      event.deltaMode === WheelEvent.DOM_DELTA_LINE
        ? LINE_HEIGHT
        : event.deltaMode === WheelEvent.DOM_DELTA_PAGE
          ? stage.size.height
          : 1;
    const [across, down] = [event.deltaX * unit, event.deltaY * unit];
    if (zooms) {
      // A pinch comes as a wheel with the control key and small turns.
      const speed = Math.abs(down) < 30 ? PINCH_ZOOM : WHEEL_ZOOM;
      stage.moveTo(zoomAt(stage.camera, pointOf(event), Math.exp(-down * speed)), false);
    } else {
      const { x, y, zoom } = stage.camera;
      const turned = event.shiftKey && across === 0;
      const move = turned ? { x: down, y: 0 } : { x: across, y: down };
      stage.moveTo({ x: x - move.x, y: y - move.y, zoom }, false);
    }
  });
}

/** One finger moves the picture; beside another one it also zooms about it. */
function moveFingers(stage: Stage, before: Point, after: Point, other: Point | null): void {
  const { x, y, zoom } = stage.camera;
  if (other === null) {
    stage.moveTo({ x: x + after.x - before.x, y: y + after.y - before.y, zoom }, false);
    return;
  }
  const distance = (point: Point): number => Math.hypot(point.x - other.x, point.y - other.y);
  const middle = { x: (after.x + other.x) / 2, y: (after.y + other.y) / 2 };
  const moved = {
    x: x + (after.x - before.x) / 2,
    y: y + (after.y - before.y) / 2,
    zoom,
  };
  const factor = distance(after) / Math.max(1, distance(before));
  stage.moveTo(zoomAt(moved, middle, factor), false);
}
