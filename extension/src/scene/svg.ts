import { HEADER } from "./measure.js";
import { BoxFlag, EdgeFlag, Kind, Role, Status, type Scene } from "./types.js";

interface Theme {
  readonly background: string;
  readonly text: string;
  readonly faint: string;
  readonly edge: string;
  /** Fill and outline by role, and for the insides of open scopes by depth. */
  readonly roles: readonly (readonly [string, string])[];
  readonly inside: readonly [string, string];
  readonly statuses: readonly string[];
}

const THEMES: Record<"light" | "dark", Theme> = {
  light: {
    background: "#ffffff",
    text: "#1f2328",
    faint: "#59636e",
    edge: "#8c959f",
    roles: [
      ["#e7f0fb", "#4a7fb5"],
      ["#fbeee6", "#b5714a"],
      ["#efe9f8", "#7d5ba6"],
      ["#f0f1f2", "#8c959f"],
    ],
    inside: ["#ffffff", "#f6f8fa"],
    statuses: ["", "#1a7f37", "#cf222e", "#9a6700"],
  },
  dark: {
    background: "#111418",
    text: "#e6edf3",
    faint: "#9198a1",
    edge: "#656c76",
    roles: [
      ["#1b2d42", "#5b93cc"],
      ["#3a2619", "#cc8a5b"],
      ["#2c2340", "#a485d1"],
      ["#24282e", "#7d8590"],
    ],
    inside: ["#151a20", "#1a2027"],
    statuses: ["", "#3fb950", "#f85149", "#d29922"],
  },
};

/** Marks of a diff that do not need colour. */
const GLYPHS = ["", "+", "−", "~"];

const CORNER = 6;
const BEND = 6;

/** A scene as a stand-alone SVG document. */
export function sceneToSvg(scene: Scene, theme: "light" | "dark"): string {
  const colours = THEMES[theme];
  const width = Math.max(1, Math.ceil(scene.width));
  const height = Math.max(1, Math.ceil(scene.height));
  const depth = depths(scene);
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    ` font-family="system-ui, sans-serif" font-size="12">`,
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

function depths({ parent }: Scene): Int32Array {
  const depth = new Int32Array(parent.length);
  for (let box = 0; box < parent.length; box++) {
    depth[box] = parent[box] < 0 ? 0 : depth[parent[box]] + 1;
  }
  return depth;
}

function outline(scene: Scene, box: number, colours: Theme): string {
  const status = scene.status[box];
  const [, stroke] = colours.roles[scene.role[box]];
  const ghost = status === Status.removed ? ` stroke-dasharray="4 3" opacity="0.6"` : "";
  if (status === Status.same) return `stroke="${stroke}"`;
  return `stroke="${colours.statuses[status]}" stroke-width="2"${ghost}`;
}

function rectangle(scene: Scene, box: number, fill: string, more: string): string {
  const corner = scene.role[box] === Role.auxiliary ? 0 : CORNER;
  return (
    `<rect x="${short(scene.x[box])}" y="${short(scene.y[box])}" ` +
    `width="${short(scene.boxWidth[box])}" height="${short(scene.boxHeight[box])}" ` +
    `rx="${corner}" fill="${fill}" ${more}/>`
  );
}

function frame(scene: Scene, box: number, depth: number, colours: Theme): string {
  return rectangle(scene, box, colours.inside[depth % 2], outline(scene, box, colours));
}

function heading(scene: Scene, box: number, colours: Theme): string {
  const room = scene.boxWidth[box] - 20;
  const text = fit(labelOf(scene, box), room);
  const y = scene.y[box] + HEADER / 2 + 4;
  return `<text x="${short(scene.x[box] + 10)}" y="${short(y)}" font-weight="600" fill="${colourOf(scene, box, colours)}">${escape(text)}</text>`;
}

/** A closed box: its label in the middle, its name and type as a tooltip. */
function card(scene: Scene, box: number, colours: Theme): string {
  const isGroup = scene.kind[box] !== Kind.operation;
  const [fill] = colours.roles[scene.role[box]];
  const parts: string[] = [`<g><title>${escape(titleOf(scene, box))}</title>`];
  if (scene.kind[box] === Kind.series) {
    // Two cards behind say that there are several.
    const { x, y, boxWidth, boxHeight } = scene;
    const behind = {
      ...scene,
      x: x.map((one) => one + 4),
      y: y.map((one) => one + 4),
      boxWidth,
      boxHeight,
    };
    parts.push(rectangle(behind, box, fill, outline(scene, box, colours)));
  }
  parts.push(rectangle(scene, box, fill, outline(scene, box, colours)));
  const text = fit(labelOf(scene, box), scene.boxWidth[box] - 12);
  const x = scene.x[box] + scene.boxWidth[box] / 2;
  const y = scene.y[box] + scene.boxHeight[box] / 2 + 4;
  const weight = isGroup ? ` font-weight="600"` : "";
  parts.push(
    `<text x="${short(x)}" y="${short(y)}" text-anchor="middle"${weight} fill="${colourOf(scene, box, colours)}">${escape(text)}</text></g>`,
  );
  return parts.join("");
}

function colourOf(scene: Scene, box: number, colours: Theme): string {
  return scene.status[box] === Status.same ? colours.text : colours.statuses[scene.status[box]];
}

function labelOf(scene: Scene, box: number): string {
  const glyph = GLYPHS[scene.status[box]];
  const repeats = scene.repeats[box] > 1 ? ` ×${scene.repeats[box]}` : "";
  return `${glyph === "" ? "" : `${glyph} `}${scene.labels[box]}${repeats}`;
}

function titleOf(scene: Scene, box: number): string {
  const type = scene.types[box];
  return type === ""
    ? `${scene.names[box]} (${scene.operations[box]} operations)`
    : `${scene.names[box]}: ${type}`;
}

/** Bold letters are as wide as that. */
const LETTER = 7.4;

/** A label that fits into so many pixels: the middle gives way, since both ends tell things apart. */
function fit(text: string, room: number): string {
  const letters = [...text];
  const most = Math.max(3, Math.floor(room / LETTER));
  if (letters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, head).join("")}…${letters.slice(letters.length - (most - 1 - head)).join("")}`;
}

function line(scene: Scene, edge: number, colours: Theme): string {
  const status = scene.edgeStatus[edge];
  const flag = scene.edgeFlag[edge];
  const stroke = status === Status.same ? colours.edge : colours.statuses[status];
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

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as XML takes it; characters that XML has no way to write are left out. */
function escape(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"]/g, (found) => ESCAPES[found]);
}
