import { BoxFlag, Kind, Status } from "../scene/types.js";
import {
  boxesIn,
  opacityOf,
  type Content,
  type Context,
  type Frame,
  type Painting,
} from "./frame.js";
import { addOutline } from "../scene/outline.js";

/** Below these heights on the screen, in CSS pixels, a box has no outline; no form of its own. */
const OUTLINE_HEIGHT = 4;
const FORM_HEIGHT = 9;
const DETAIL_HEIGHT = 15;
/** Boxes in one path: fewer paths are faster, but a path must not outlast a frame. */
const BATCH = 200;

/** Open scopes, the outer ones first; they lie below edges and all else. */
export function* paintOpenBoxes(context: Context, content: Content, frame: Frame): Painting {
  const { scene, depth } = content.geometry;
  let painted = 0;
  for (const box of boxesIn(content, frame)) {
    if (!(scene.flag[box] & BoxFlag.open)) continue;
    const { x, y, width, height } = place(content, box, frame);
    const colours = content.theme.roles[scene.role[box]];
    context.globalAlpha = opacityOf(content.emphasis?.boxes, box) === 1 ? 1 : 0.5;
    context.beginPath();
    addOutline(context, scene.role[box], true, x, y, width, height, frame.scale);
    context.fillStyle = colours.inside[depth[box] % 2];
    context.fill();
    if (height > OUTLINE_HEIGHT * frame.ratio) {
      context.strokeStyle = borderOf(content, box);
      context.lineWidth = lineWidthOf(scene.status[box], frame);
      context.setLineDash(dashOf(scene.status[box], frame));
      context.globalAlpha *= 0.6;
      context.stroke();
    }
    if (++painted % 50 === 0) yield 100;
  }
  context.globalAlpha = 1;
  context.setLineDash([]);
  yield painted % 50;
}

/** Operations and closed groups; none overlaps another, so those of one look are painted together. */
export function* paintClosedBoxes(context: Context, content: Content, frame: Frame): Painting {
  const { scene } = content.geometry;
  const looks = new Map<number, number[]>();
  for (const box of boxesIn(content, frame)) {
    if (scene.flag[box] & BoxFlag.open) continue;
    const dimmed = opacityOf(content.emphasis?.boxes, box) === 1 ? 0 : 1;
    const look = scene.role[box] + 4 * scene.kind[box] + 32 * scene.status[box] + 128 * dimmed;
    const alike = looks.get(look);
    if (alike) alike.push(box);
    else looks.set(look, [box]);
  }
  for (const boxes of looks.values()) {
    context.globalAlpha = opacityOf(content.emphasis?.boxes, boxes[0]);
    for (let start = 0; start < boxes.length; start += BATCH) {
      const batch = boxes.slice(start, start + BATCH);
      paintAlike(context, content, frame, batch);
      yield batch.length;
    }
  }
  context.globalAlpha = 1;
}

function paintAlike(
  context: Context,
  content: Content,
  frame: Frame,
  boxes: readonly number[],
): void {
  const { scene } = content.geometry;
  const [first] = boxes;
  const role = scene.role[first];
  const group = scene.kind[first] !== Kind.operation;
  const status = scene.status[first];
  const colours = content.theme.roles[role];
  const height = scene.boxHeight[first] * frame.scale;
  if (height < OUTLINE_HEIGHT * frame.ratio) {
    context.fillStyle = status === Status.same ? colours.solid : content.theme.statuses[status];
    for (const box of boxes) {
      const { x, y, width, height } = place(content, box, frame);
      context.fillRect(x, y, Math.max(1, width), Math.max(1, height));
    }
    return;
  }
  const hasForm = height >= FORM_HEIGHT * frame.ratio;
  context.strokeStyle = borderOf(content, first);
  context.lineWidth = lineWidthOf(status, frame);
  context.setLineDash(dashOf(status, frame));
  context.fillStyle = group ? colours.fill : colours.paper;
  if (hasForm && scene.kind[first] === Kind.series) {
    // Two cards behind the first say that there are more of the same.
    for (const shift of [5, 2.5]) paint(shift * frame.scale);
  }
  paint(0);
  context.setLineDash([]);
  if (height >= DETAIL_HEIGHT * frame.ratio && !group) {
    context.fillStyle = status === Status.same ? colours.line : content.theme.statuses[status];
    for (const box of boxes) {
      const { x, y, height } = place(content, box, frame);
      const inset = 6 * frame.scale;
      context.fillRect(
        x + Math.round(3.5 * frame.scale),
        y + inset,
        Math.max(1, Math.round(2.5 * frame.scale)),
        height - 2 * inset,
      );
    }
  }

  function paint(shift: number): void {
    context.beginPath();
    for (const box of boxes) {
      const { x, y, width, height } = place(content, box, frame);
      if (hasForm)
        addOutline(context, role, group, x + shift, y - shift, width, height, frame.scale);
      else context.rect(x, y, width, height);
    }
    context.fill();
    context.stroke();
  }
}

function borderOf({ geometry, theme }: Content, box: number): string {
  const status = geometry.scene.status[box];
  return status === Status.same
    ? theme.roles[geometry.scene.role[box]].line
    : theme.statuses[status];
}

function lineWidthOf(status: number, { ratio }: Frame): number {
  return (status === Status.same ? 1 : 2) * Math.max(1, Math.round(ratio));
}

/** What is no more has a broken outline. */
function dashOf(status: number, { ratio }: Frame): number[] {
  return status === Status.removed ? [4 * ratio, 3 * ratio] : [];
}

/** A box in device pixels; edges on half pixels, so that lines of one pixel are sharp. */
function place({ geometry: { scene } }: Content, box: number, frame: Frame) {
  const x = Math.round(scene.x[box] * frame.scale - frame.left);
  const y = Math.round(scene.y[box] * frame.scale - frame.top);
  const right = Math.round((scene.x[box] + scene.boxWidth[box]) * frame.scale - frame.left);
  const bottom = Math.round((scene.y[box] + scene.boxHeight[box]) * frame.scale - frame.top);
  return { x: x + 0.5, y: y + 0.5, width: right - x, height: bottom - y };
}
