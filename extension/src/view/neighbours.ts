import { EdgeFlag } from "../scene/types.js";
import type { Geometry } from "../paint/geometry.js";

export type Direction = "up" | "down" | "left" | "right";

/** How much worse a step aside is than a step in the direction of the arrow. */
const ASIDE = 3;

/**
 * The box to go to from another one: down into an open scope, up and down along edges, the
 * straightest first, otherwise to the nearest box in that direction. -1 where there is none.
 */
export function neighbourOf(geometry: Geometry, box: number, direction: Direction): number {
  if (direction === "down" && geometry.isOpen(box)) {
    const inside = firstInside(geometry, box);
    if (inside >= 0) return inside;
  }
  const along =
    direction === "up" || direction === "down" ? alongEdges(geometry, box, direction) : -1;
  return along >= 0 ? along : nearest(geometry, box, direction);
}

function firstInside({ scene }: Geometry, scope: number): number {
  let first = -1;
  for (let box = scope + 1; box < scene.item.length; box++) {
    if (scene.parent[box] === scope && (first < 0 || scene.y[box] < scene.y[first])) first = box;
  }
  return first;
}

function alongEdges(geometry: Geometry, box: number, direction: "up" | "down"): number {
  const { scene } = geometry;
  const [near, far] =
    direction === "down"
      ? [scene.edgeSource, scene.edgeTarget]
      : [scene.edgeTarget, scene.edgeSource];
  let best = -1;
  let least = Infinity;
  for (const edge of geometry.edgesOf(box)) {
    if (near[edge] !== box || far[edge] === box) continue;
    const other = far[edge];
    const quiet = scene.edgeFlag[edge] & (EdgeFlag.quiet | EdgeFlag.back) ? 1e6 : 0;
    const distance =
      quiet +
      Math.abs(middleX(geometry, other) - middleX(geometry, box)) +
      Math.abs(scene.y[other] - scene.y[box]);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

function nearest(geometry: Geometry, box: number, direction: Direction): number {
  const { scene } = geometry;
  const x = middleX(geometry, box);
  const y = middleY(geometry, box);
  const across = direction === "left" || direction === "right";
  const sign = direction === "left" || direction === "up" ? -1 : 1;
  let best = -1;
  let least = Infinity;
  for (let other = 0; other < scene.item.length; other++) {
    if (other === box || contains(geometry, other, box) || contains(geometry, box, other)) continue;
    const right = middleX(geometry, other) - x;
    const down = middleY(geometry, other) - y;
    const ahead = sign * (across ? right : down);
    if (ahead <= 0) continue;
    const distance = ahead + ASIDE * Math.abs(across ? down : right);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

function contains({ scene }: Geometry, outer: number, inner: number): boolean {
  for (let box = scene.parent[inner]; box >= 0; box = scene.parent[box]) {
    if (box === outer) return true;
  }
  return false;
}

/** The box nearest to a point of the scene, for an arrow without a selection; -1 if there is none. */
export function nearestBox(geometry: Geometry, x: number, y: number): number {
  let best = -1;
  let least = Infinity;
  for (let box = 0; box < geometry.scene.item.length; box++) {
    if (geometry.isOpen(box)) continue;
    const distance = Math.hypot(middleX(geometry, box) - x, middleY(geometry, box) - y);
    if (distance < least) [best, least] = [box, distance];
  }
  return best;
}

function middleX({ scene }: Geometry, box: number): number {
  return scene.x[box] + scene.boxWidth[box] / 2;
}

function middleY({ scene }: Geometry, box: number): number {
  return scene.y[box] + scene.boxHeight[box] / 2;
}
