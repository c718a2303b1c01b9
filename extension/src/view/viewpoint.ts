import {
  centreOn,
  firstView,
  fitRectangle,
  READING_ZOOM,
  TEXT_ZOOM,
  toStage,
  viewAt,
  type Camera,
  type Rectangle,
  type Size,
} from "../paint/camera.js";
import type { Geometry } from "../paint/geometry.js";
import { startOf } from "../paint/picture.js";
import type { Stage } from "./stage.js";

/** Edge of the hit box shown at reading size; larger boxes are shown smaller. */
const MOST_READING_ZOOM = 1.5;
/** Panels are allowed for in the stage's width as long as that much of it remains. */
const LEAST_ROOM = 240;

/** Chooses cameras: where to look from, at what, and how large, beside the panels on the stage. */
export class Viewpoint {
  /** How much of the stage's width panels cover, at its left and right side. */
  left = 0;
  right = 0;
  /** How much of its height, from below. */
  bottom = 0;
  /** The first view, for as long as nobody has moved away from it. */
  #first: { readonly camera: Camera; readonly focus: number } | null = null;
  #size: Size;

  constructor(private readonly stage: Stage) {
    this.#size = stage.size;
  }

  /** A first view: of the box `focus` if there is one, else of all or of the beginning. */
  first(geometry: Geometry, focus: number): Camera {
    const { scene } = geometry;
    const start = startOf(scene);
    const camera = this.#within((room) =>
      focus >= 0
        ? viewAt(scene, geometry.rectangle(focus), room)
        : firstView(scene, start < 0 ? null : geometry.rectangle(start), room),
    );
    this.#first = { camera, focus };
    this.#size = this.stage.size;
    return camera;
  }

  /** The stage has another size: a first view is made for that, others keep their middle. */
  resized(geometry: Geometry | null): void {
    const before = this.#size;
    const { size, target } = this.stage;
    this.#size = size;
    if (geometry === null || size.width === 0) return;
    if (this.#first !== null && isSame(this.#first.camera, target)) {
      this.stage.moveTo(this.first(geometry, this.#first.focus), false);
    } else if (before.width > 0) {
      const x = target.x + (size.width - before.width) / 2;
      this.stage.moveTo({ ...target, x }, false);
    }
  }

  /** All of the picture. */
  all({ scene: { width, height } }: Geometry): Camera {
    return this.#within((room) => fitRectangle({ x: 0, y: 0, width, height }, room));
  }

  /** A box at a size that can be read. */
  reading(geometry: Geometry, box: number): Camera {
    if (box < 0) return this.stage.camera;
    const zoom = Math.min(MOST_READING_ZOOM, Math.max(READING_ZOOM, this.stage.camera.zoom));
    const rectangle = geometry.rectangle(box);
    // An open scope may be larger than the stage: then its heading is what one wants to see.
    const seen = geometry.isOpen(box) ? { ...rectangle, height: 2 * READING_ZOOM } : rectangle;
    return this.#within((room) => centreOn(seen, room, zoom));
  }

  /** Where a box is on the stage and can be read; null if it is and can. */
  insight(geometry: Geometry, box: number): Camera | null {
    const { target } = this.stage;
    const rectangle = geometry.rectangle(box);
    const { x, y, width, height } = toStage(target, rectangle);
    const room = this.#room();
    const inside =
      x >= room.x && y >= 0 && x + width <= room.x + room.width && y + height <= room.height;
    if (inside && target.zoom >= TEXT_ZOOM) return null;
    const zoom = target.zoom < TEXT_ZOOM ? READING_ZOOM : target.zoom;
    return this.#within((size) => centreOn(rectangle, size, zoom));
  }

  /** The camera with which a box's corner, and so its button, stays where it is on the stage. */
  anchored(before: Geometry, old: number, after: Geometry, box: number): Camera {
    const { camera } = this.stage;
    if (old < 0 || box < 0) return camera;
    const { x, y } = toStage(camera, before.rectangle(old));
    const corner = after.rectangle(box);
    return { x: x - corner.x * camera.zoom, y: y - corner.y * camera.zoom, zoom: camera.zoom };
  }

  #within(choose: (room: Size) => Camera): Camera {
    const room = this.#room();
    const camera = choose(room);
    return { ...camera, x: camera.x + room.x };
  }

  /** The part of the stage that no panel covers. */
  #room(): Rectangle {
    const { width, height } = this.stage.size;
    const right = width - this.right >= LEAST_ROOM ? this.right : 0;
    const left = width - right - this.left >= LEAST_ROOM ? this.left : 0;
    return { x: left, y: 0, width: width - left - right, height: height - this.bottom };
  }
}

function isSame(one: Camera, other: Camera): boolean {
  return one.x === other.x && one.y === other.y && one.zoom === other.zoom;
}
