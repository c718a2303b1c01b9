import { toScene, type Point } from "../paint/camera.js";
import { glyphRectangle } from "../paint/labels.js";
import type { GestureTarget } from "./gestures.js";
import type { Navigator, Selection } from "./navigator.js";

/** What a pointer hits on the stage, and what comes of it. */
export class Pointer implements GestureTarget {
  constructor(private readonly navigator: Navigator) {}

  hover(point: Point | null): void {
    const { stage } = this.navigator;
    const hit = point === null ? { box: -1, edge: -1, glyph: false } : this.#hit(point);
    const { hoverBox, hoverEdge } = stage.pointed;
    stage.canvas.style.cursor = hit.glyph || hit.edge >= 0 ? "pointer" : "";
    // Open scopes fill the stage: pointing at one would light up all its lines.
    const box = hit.box >= 0 && this.navigator.geometry?.isOpen(hit.box) ? -1 : hit.box;
    if (box === hoverBox && hit.edge === hoverEdge) return;
    stage.pointed = { ...stage.pointed, hoverBox: box, hoverEdge: hit.edge };
  }

  click(point: Point): void {
    const { box, edge, glyph } = this.#hit(point);
    const { geometry } = this.navigator;
    if (geometry === null) return;
    const { item, edgeSource, edgeTarget } = geometry.scene;
    if (glyph) {
      void this.navigator.toggle(item[box]);
      return;
    }
    let selection: Selection | null = null;
    if (edge >= 0) {
      selection = { kind: "edge", source: item[edgeSource[edge]], target: item[edgeTarget[edge]] };
    } else if (box >= 0) {
      selection = { kind: "item", item: item[box] };
    }
    this.navigator.select(selection);
  }

  doubleClick(point: Point): void {
    const { box, glyph } = this.#hit(point);
    const { geometry } = this.navigator;
    if (geometry === null || box < 0 || glyph || !geometry.isGroup(box)) return;
    void this.navigator.toggle(geometry.scene.item[box]);
  }

  /** The box or the edge at a point, and whether it is the button of a group. */
  #hit(point: Point): { box: number; edge: number; glyph: boolean } {
    const { geometry, stage } = this.navigator;
    if (geometry === null) return { box: -1, edge: -1, glyph: false };
    const { x, y } = toScene(stage.camera, point);
    const box = geometry.boxAt(x, y);
    if (box >= 0 && geometry.isGroup(box)) {
      const { x: left, y: top, height } = geometry.rectangle(box);
      const button = glyphRectangle(left, top, height, geometry.isOpen(box));
      const across = x >= button.x && x <= button.x + button.width;
      if (across && y >= button.y && y <= button.y + button.height)
        return { box, edge: -1, glyph: true };
    }
    const behind = box < 0 || geometry.isOpen(box);
    const edge = behind ? geometry.edgeAt(x, y, stage.camera.zoom) : -1;
    return edge >= 0 ? { box: -1, edge, glyph: false } : { box, edge: -1, glyph: false };
  }
}
