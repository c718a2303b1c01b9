import { addSign, MARK_SIZE, markRoom, MARKS, SIGN_ROOM } from "./mark.js";
import { HEADER, measureText } from "./measure.js";
import { addOutline } from "./outline.js";
import { STATUS_GLYPHS, type Theme } from "./palette.js";
import { SvgPath } from "./svg-path.js";
import { escape, short } from "./svg-text.js";
import { Kind, Status, type Scene } from "./types.js";

/** Where labels begin: after the stripe of an operation, after the button of a group. */
const AFTER_STRIPE = 10;
const AFTER_BUTTON = 22;
/** A label that is a little too long is squeezed before it is cut. */
const SQUEEZE = 0.8;
/** Two cards behind the first say that there are more of the same. */
const BEHIND = [5, 2.5];

/** What is below everything in an open scope. */
export function frame(scene: Scene, box: number, depth: number, colours: Theme): string {
  const { inside } = colours.roles[scene.role[box]];
  return outline(scene, box, inside[depth % 2], colours, 0, ` stroke-opacity="0.6"`);
}

/** The name of an open scope, above what it holds. */
export function heading(scene: Scene, box: number, colours: Theme): string {
  const middle = scene.y[box] + HEADER / 2;
  const end = scene.boxWidth[box] - 24 - markRoom(scene.mark[box]);
  return [
    button(scene, box, middle, "", colours),
    label(scene, box, middle, AFTER_BUTTON, end, ` font-weight="600"`, colours),
    mark(scene, box, middle, colours),
    badge(scene, box, scene.boxWidth[box] - 12, middle, colours),
  ].join("");
}

/** A closed box: its label, its name and type as a tooltip. */
export function card(scene: Scene, box: number, colours: Theme): string {
  const group = scene.kind[box] !== Kind.operation;
  const { fill, paper } = colours.roles[scene.role[box]];
  const middle = scene.y[box] + scene.boxHeight[box] / 2;
  const width = scene.boxWidth[box];
  const parts = [`<g><title>${escape(titleOf(scene, box))}</title>`];
  if (scene.kind[box] === Kind.series) {
    for (const shift of BEHIND) parts.push(outline(scene, box, fill, colours, shift));
  }
  parts.push(outline(scene, box, group ? fill : paper, colours));
  if (group) {
    parts.push(button(scene, box, middle, `M0 -3V3`, colours));
    const end = width - 5 - markRoom(scene.mark[box]);
    parts.push(label(scene, box, middle, AFTER_BUTTON, end, "", colours));
    parts.push(mark(scene, box, middle, colours));
  } else {
    const colour = borderOf(scene, box, colours);
    const [x, y] = [short(scene.x[box] + 3.5), short(scene.y[box] + 6)];
    const height = short(scene.boxHeight[box] - 12);
    parts.push(`<rect x="${x}" y="${y}" width="2.5" height="${height}" fill="${colour}"/>`);
    parts.push(label(scene, box, middle, AFTER_STRIPE, width - 5, "", colours));
  }
  parts.push(badge(scene, box, width - 2, scene.y[box], colours), "</g>");
  return parts.join("");
}

function outline(
  scene: Scene,
  box: number,
  fill: string,
  colours: Theme,
  shift = 0,
  more = "",
): string {
  const path = new SvgPath();
  const group = scene.kind[box] !== Kind.operation;
  const [x, y] = [scene.x[box] + shift, scene.y[box] - shift];
  addOutline(path, scene.role[box], group, x, y, scene.boxWidth[box], scene.boxHeight[box], 1);
  const status = scene.status[box];
  const width = status === Status.same ? "" : ` stroke-width="2"`;
  const ghost = status === Status.removed ? ` stroke-dasharray="4 3"` : "";
  const stroke = borderOf(scene, box, colours);
  return `<path d="${path.text}" fill="${fill}" stroke="${stroke}"${width}${ghost}${more}/>`;
}

function borderOf(scene: Scene, box: number, { roles, statuses }: Theme): string {
  const status = scene.status[box];
  return status === Status.same ? roles[scene.role[box]].line : statuses[status];
}

/** The sign of a group: a circle with a minus, or with what makes it a plus. */
function button(scene: Scene, box: number, middle: number, more: string, colours: Theme): string {
  const stroke = colours.roles[scene.role[box]].line;
  return (
    `<g transform="translate(${short(scene.x[box] + 12)} ${short(middle)})" stroke="${stroke}">` +
    `<circle r="6" fill="${colours.background}"/><path d="M-3 0H3${more}"/></g>`
  );
}

/** The label from `begin` to `end`, and how many there are if that has room. */
function label(
  scene: Scene,
  box: number,
  middle: number,
  begin: number,
  end: number,
  weight: string,
  colours: Theme,
): string {
  const text = scene.labels[box];
  const count = scene.repeats[box] > 1 ? `×${scene.repeats[box]}` : "";
  const y = short(middle + 4);
  const rest = end - begin - (count === "" ? 0 : measureText(count) + 6);
  const counted =
    count === "" || rest < 28
      ? ""
      : `<text x="${short(scene.x[box] + end)}" y="${y}" text-anchor="end" font-size="10" ` +
        `fill="${colours.faintText}">${count}</text>`;
  const room = counted === "" ? end - begin : rest;
  const fitted = fit(text, room / SQUEEZE);
  const squeezed =
    measureText(fitted) > room
      ? ` textLength="${short(room)}" lengthAdjust="spacingAndGlyphs"`
      : "";
  return (
    `<text x="${short(scene.x[box] + begin)}" y="${y}"${weight}${squeezed} ` +
    `fill="${colours.text}">${escape(fitted)}</text>${counted}`
  );
}

/** What tells a loop or condition from a scope: a sign and a word at its right end. */
function mark(scene: Scene, box: number, middle: number, colours: Theme): string {
  const kind = scene.mark[box];
  const word = MARKS[kind];
  if (word === undefined) return "";
  const end = scene.x[box] + scene.boxWidth[box] - 8;
  const path = new SvgPath();
  const sign = end - markRoom(kind) + 8 + SIGN_ROOM / 2;
  addSign(path, kind, sign, middle, 1);
  const { line } = colours.roles[scene.role[box]];
  return (
    `<path d="${path.text}" fill="none" stroke="${line}" stroke-width="1.3" stroke-linecap="round"/>` +
    `<text x="${short(end)}" y="${short(middle + 4)}" text-anchor="end" ` +
    `font-size="${short(12 * MARK_SIZE)}" fill="${colours.faintText}">${word}</text>`
  );
}

/** What became of a box in a diff: + - or ~ on a disc. */
function badge(scene: Scene, box: number, right: number, y: number, colours: Theme): string {
  const status = scene.status[box];
  if (status === Status.same) return "";
  return (
    `<g transform="translate(${short(scene.x[box] + right)} ${short(y)})">` +
    `<circle r="7" fill="${colours.statuses[status]}"/>` +
    `<text y="4" text-anchor="middle" font-weight="700" fill="${colours.background}">` +
    `${STATUS_GLYPHS[status]}</text></g>`
  );
}

function titleOf(scene: Scene, box: number): string {
  const type = scene.types[box];
  const word = MARKS[scene.kind[box]];
  if (word !== undefined) {
    return `${scene.names[box]}: ${type}, a ${word} around ${scene.operations[box] - 1} operations`;
  }
  return type === ""
    ? `${scene.names[box]} (${scene.operations[box]} operations)`
    : `${scene.names[box]}: ${type}`;
}

/** A label that fits into so many pixels: the middle gives way, since both ends tell things apart. */
function fit(text: string, room: number): string {
  if (measureText(text) <= room) return text;
  const letters = [...text];
  const most = Math.max(3, Math.floor(room / measureText("m")));
  if (letters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, head).join("")}…${letters.slice(letters.length - (most - 1 - head)).join("")}`;
}
