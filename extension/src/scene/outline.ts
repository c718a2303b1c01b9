import { Role } from "./types.js";

/** What of a canvas an outline needs; a path of an SVG does too. */
export interface Outline {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
  rect(x: number, y: number, width: number, height: number): void;
  roundRect(x: number, y: number, width: number, height: number, radius: number): void;
}

/**
 * Add a box's outline to a path. Its form tells the role even without colours: rounded forward,
 * corners cut backward, a pill for updates, square for what is auxiliary.
 */
export function addOutline(
  path: Outline,
  role: number,
  group: boolean,
  x: number,
  y: number,
  width: number,
  height: number,
  zoom: number,
): void {
  const most = Math.min(width, height) / 2;
  if (role === Role.auxiliary) {
    path.rect(x, y, width, height);
  } else if (role === Role.backward) {
    addCutCorners(path, x, y, width, height, Math.min(most, (group ? 8 : 7) * zoom));
  } else if (role === Role.update) {
    path.roundRect(x, y, width, height, Math.min(most, 14 * zoom));
  } else {
    path.roundRect(x, y, width, height, Math.min(most, (group ? 6 : 5) * zoom));
  }
}

function addCutCorners(
  path: Outline,
  x: number,
  y: number,
  width: number,
  height: number,
  cut: number,
): void {
  path.moveTo(x + cut, y);
  path.lineTo(x + width - cut, y);
  path.lineTo(x + width, y + cut);
  path.lineTo(x + width, y + height - cut);
  path.lineTo(x + width - cut, y + height);
  path.lineTo(x + cut, y + height);
  path.lineTo(x, y + height - cut);
  path.lineTo(x, y + cut);
  path.closePath();
}
