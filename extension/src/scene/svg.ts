import { makeTheme, type Theme } from "./palette.js";
import { card, frame, heading } from "./svg-boxes.js";
import { short } from "./svg-text.js";
import { BoxFlag, EdgeFlag, Status, type Scene } from "./types.js";

const FONT = "system-ui, sans-serif";
const THEMES = {
  light: makeTheme(() => null, FONT, false),
  dark: makeTheme(() => null, FONT, true),
};

const BEND = 6;

/** A scene as a stand-alone SVG document. */
export function sceneToSvg(scene: Scene, theme: "light" | "dark"): string {
  const colours = THEMES[theme];
  const width = Math.max(1, Math.ceil(scene.width));
  const height = Math.max(1, Math.ceil(scene.height));
  const { depth } = scene.finding;
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    ` font-family="${FONT}" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="${colours.background}"/>`,
    `<defs><marker id="head" viewBox="0 0 6 6" refX="5.5" refY="3" markerWidth="6" markerHeight="6" orient="auto">`,
    `<path d="M0 0.5 6 3 0 5.5z" fill="context-stroke"/></marker></defs>`,
  ];
  // Frames first, then lines, then what stands on them: lines never cover a label.
  for (let box = 0; box < scene.item.length; box++) {
    if (scene.flag[box] & BoxFlag.open) out.push(frame(scene, box, depth[box], colours));
  }
  out.push(`<g fill="none" stroke-linejoin="round">`);
  for (let edge = 0; edge < scene.edgeSource.length; edge++) {
    if (!(scene.edgeFlag[edge] & EdgeFlag.quiet)) out.push(line(scene, edge, colours));
  }
  out.push("</g>");
  for (let box = 0; box < scene.item.length; box++) {
    out.push(
      scene.flag[box] & BoxFlag.open ? heading(scene, box, colours) : card(scene, box, colours),
    );
  }
  out.push("</svg>", "");
  return out.join("\n");
}

function line(scene: Scene, edge: number, colours: Theme): string {
  const status = scene.edgeStatus[edge];
  const flag = scene.edgeFlag[edge];
  const stroke =
    status !== Status.same
      ? colours.statuses[status]
      : flag & EdgeFlag.back
        ? colours.backEdge
        : flag & EdgeFlag.control
          ? colours.faintEdge
          : colours.edge;
  const dash =
    flag & EdgeFlag.control
      ? ` stroke-dasharray="2 3"`
      : status === Status.removed || flag & EdgeFlag.back
        ? ` stroke-dasharray="6 3"`
        : "";
  const width =
    scene.edgeTensors[edge] > 1
      ? ` stroke-width="${short(1 + Math.min(2, Math.log10(scene.edgeTensors[edge])))}"`
      : "";
  return `<path d="${pathOf(scene, edge)}" stroke="${stroke}"${width}${dash} marker-end="url(#head)"/>`;
}

/** The polyline of an edge with rounded corners. */
export function pathOf({ pointStart, points }: Scene, edge: number): string {
  const first = pointStart[edge];
  const last = pointStart[edge + 1] - 1;
  const at = (point: number): [number, number] => [points[2 * point], points[2 * point + 1]];
  const [x, y] = at(first);
  const parts = [`M${short(x)} ${short(y)}`];
  for (let point = first + 1; point < last; point++) {
    const [x0, y0] = at(point - 1);
    const [x1, y1] = at(point);
    const [x2, y2] = at(point + 1);
    const before = Math.hypot(x1 - x0, y1 - y0) || 1;
    const after = Math.hypot(x2 - x1, y2 - y1) || 1;
    const radius = Math.min(BEND, before / 2, after / 2);
    const [enterX, enterY] = [
      x1 - ((x1 - x0) * radius) / before,
      y1 - ((y1 - y0) * radius) / before,
    ];
    const [leaveX, leaveY] = [x1 + ((x2 - x1) * radius) / after, y1 + ((y2 - y1) * radius) / after];
    parts.push(
      `L${short(enterX)} ${short(enterY)}Q${short(x1)} ${short(y1)} ${short(leaveX)} ${short(leaveY)}`,
    );
  }
  const [endX, endY] = at(last);
  parts.push(`L${short(endX)} ${short(endY)}`);
  return parts.join("");
}
