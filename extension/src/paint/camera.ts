/**
 * Where the picture stands on the screen: a point of the scene is seen at `point * zoom + offset`,
 * in CSS pixels from the stage's top left corner.
 */
export interface Camera {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Below this zoom labels are not drawn, because nobody could read them. */
export const TEXT_ZOOM = 0.55;
/** The zoom at which search hits and other targets are shown. */
export const READING_ZOOM = 1;
/** The first view never goes below this: labels would be dust. */
const FIRST_ZOOM = 0.72;
const LEAST_ZOOM = 0.004;
const MOST_ZOOM = 4;
/** This much of the picture stays on the stage, so that nobody gets lost beside it. */
const REMAINING = 60;
const MARGIN = 24;

/** The point of the scene that is seen at a point of the stage. */
export function toScene(camera: Camera, { x, y }: Point): Point {
  return { x: (x - camera.x) / camera.zoom, y: (y - camera.y) / camera.zoom };
}

/** Where a rectangle of the scene is seen. */
export function toStage(camera: Camera, { x, y, width, height }: Rectangle): Rectangle {
  const { zoom } = camera;
  return {
    x: x * zoom + camera.x,
    y: y * zoom + camera.y,
    width: width * zoom,
    height: height * zoom,
  };
}

/** The part of the scene that the stage shows. */
export function seenRectangle(camera: Camera, stage: Size): Rectangle {
  const { x, y } = toScene(camera, { x: 0, y: 0 });
  return { x, y, width: stage.width / camera.zoom, height: stage.height / camera.zoom };
}

/** Zoom by a factor; what is under the point stays there. */
export function zoomAt(camera: Camera, at: Point, factor: number): Camera {
  const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, camera.zoom * factor));
  const scale = zoom / camera.zoom;
  return { x: at.x - (at.x - camera.x) * scale, y: at.y - (at.y - camera.y) * scale, zoom };
}

/** Keep some of the scene on the stage. */
export function keepInReach(camera: Camera, scene: Size, stage: Size): Camera {
  const within = (offset: number, length: number, room: number): number => {
    const remaining = Math.min(REMAINING, length * camera.zoom, room);
    return Math.min(room - remaining, Math.max(remaining - length * camera.zoom, offset));
  };
  return {
    x: within(camera.x, scene.width, stage.width),
    y: within(camera.y, scene.height, stage.height),
    zoom: camera.zoom,
  };
}

/** All of a rectangle, as large as it goes but not above `most`. */
export function fitRectangle(rectangle: Rectangle, stage: Size, most = 1): Camera {
  const across = Math.max(1, stage.width - 2 * MARGIN) / Math.max(1, rectangle.width);
  const down = Math.max(1, stage.height - 2 * MARGIN) / Math.max(1, rectangle.height);
  return centreOn(rectangle, stage, Math.max(LEAST_ZOOM, Math.min(most, across, down)));
}

/** The middle of a rectangle in the middle of the stage. */
export function centreOn({ x, y, width, height }: Rectangle, stage: Size, zoom: number): Camera {
  return {
    x: stage.width / 2 - (x + width / 2) * zoom,
    y: stage.height / 2 - (y + height / 2) * zoom,
    zoom,
  };
}

/**
 * The first view of a scene: all of it if its labels can be read then, else its width, else its
 * beginning at a zoom that can be read. `start` is what the eye should find if not all fits.
 */
export function firstView(scene: Size, start: Rectangle | null, stage: Size): Camera {
  const { width, height } = scene;
  const whole = fitRectangle({ x: 0, y: 0, width, height }, stage, 1);
  if (whole.zoom >= FIRST_ZOOM) return whole;
  const across = (stage.width - 2 * MARGIN) / Math.max(1, width);
  const zoom = Math.min(1, Math.max(FIRST_ZOOM, across));
  const centred = centreOn({ x: 0, y: 0, width, height }, stage, zoom);
  const middle = start ? start.x + start.width / 2 : width / 2;
  const furthest = stage.width - MARGIN - width * zoom;
  return {
    x: zoom <= across ? centred.x : clamp(stage.width / 2 - middle * zoom, furthest, MARGIN),
    y: height * zoom <= stage.height - 2 * MARGIN ? centred.y : MARGIN,
    zoom,
  };
}

/**
 * A view of a scene with something in its middle, at a zoom that can be read: all of the scene if
 * that can be read too, and never more of its outside than need be.
 */
export function viewAt(scene: Size, target: Rectangle, stage: Size): Camera {
  const { width, height } = scene;
  const whole = fitRectangle({ x: 0, y: 0, width, height }, stage, 1);
  if (whole.zoom >= FIRST_ZOOM) return whole;
  const zoom = READING_ZOOM;
  const centred = centreOn(target, stage, zoom);
  const within = (offset: number, length: number, room: number): number =>
    length * zoom <= room - 2 * MARGIN
      ? (room - length * zoom) / 2
      : clamp(offset, room - MARGIN - length * zoom, MARGIN);
  return {
    x: within(centred.x, width, stage.width),
    y: within(centred.y, height, stage.height),
    zoom,
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** On the way from one camera to another; zooms evenly to the eye. */
export function between(from: Camera, to: Camera, share: number): Camera {
  const zoom = from.zoom * Math.pow(to.zoom / from.zoom, share);
  // Moving what stays in place with the zoom keeps the path straight on the screen.
  const way =
    Math.abs(to.zoom - from.zoom) < 1e-6 * to.zoom
      ? share
      : (zoom - from.zoom) / (to.zoom - from.zoom);
  return { x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way, zoom };
}
