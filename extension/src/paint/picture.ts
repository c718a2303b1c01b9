import type { Scene } from "../scene/types.js";
import { paintClosedBoxes, paintOpenBoxes } from "./boxes.js";
import { paintEdges } from "./edges.js";
import type { Content, Context, Frame, Painting } from "./frame.js";
import { paintLabels } from "./labels.js";
import type { TilePainter } from "./tiles.js";

/** The static picture of a scene: open scopes, edges, boxes; and its labels on top. */
export function picturePainter(content: Content): TilePainter {
  return {
    background: content.theme.background,
    *base(context: Context, frame: Frame): Painting {
      yield* paintOpenBoxes(context, content, frame);
      yield* paintEdges(context, content, frame);
      yield* paintClosedBoxes(context, content, frame);
    },
    text: (context: Context, frame: Frame) => paintLabels(context, content, frame),
  };
}

/** Where a first view begins: the first box of the flow, as creation order has it. */
export function startOf(scene: Scene): number {
  let first = -1;
  for (let box = 0; box < scene.item.length; box++) {
    if (scene.parent[box] >= 0) continue;
    if (first < 0 || scene.y[box] < scene.y[first]) first = box;
  }
  return first;
}
