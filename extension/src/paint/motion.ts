import { Kind, type Scene } from "../scene/types.js";
import type { Camera, Size } from "./camera.js";
import type { Context } from "./frame.js";
import type { Geometry } from "./geometry.js";
import { addOutline } from "../scene/outline.js";
import type { Theme } from "../scene/palette.js";

/**
 * The boxes of a scene on their way from where they stood in another one. What was not there before
 * grows out of the box that was opened.
 */
export class Motion {
  /** x, y, width and height of each box on the stage at the beginning. */
  readonly #from: Float32Array;
  readonly #to: Float32Array;

  constructor(
    before: Geometry,
    private readonly after: Geometry,
    cameraBefore: Camera,
    private readonly cameraAfter: Camera,
  ) {
    const { scene } = after;
    const boxes = scene.item.length;
    this.#from = new Float32Array(4 * boxes);
    this.#to = new Float32Array(4 * boxes);
    for (let box = 0; box < boxes; box++) {
      put(this.#to, box, scene, box, cameraAfter);
      const old = before.boxOf(scene.item[box]);
      if (old >= 0) put(this.#from, box, before.scene, old, cameraBefore);
      else if (scene.parent[box] >= 0) copyTopLeft(this.#from, box, scene.parent[box]);
      else this.#from.set(this.#to.subarray(4 * box, 4 * box + 4), 4 * box);
    }
  }

  /** Paint the boxes at a share (0 to 1) of the way. Lines and most labels wait for the end. */
  paint(context: Context, theme: Theme, stage: Size, ratio: number, share: number): void {
    const { scene, depth } = this.after;
    const eased = 1 - (1 - share) ** 3;
    const zoom = this.cameraAfter.zoom;
    let look = -1;
    context.lineWidth = ratio;
    for (let box = 0; box < scene.item.length; box++) {
      const at = (part: number): number => {
        const from = this.#from[4 * box + part];
        return (from + (this.#to[4 * box + part] - from) * eased) * ratio;
      };
      const x = at(0);
      const y = at(1);
      const width = at(2);
      const height = at(3);
      if (x > stage.width * ratio || y > stage.height * ratio || x + width < 0 || y + height < 0) {
        continue;
      }
      const open = this.after.isOpen(box);
      const group = scene.kind[box] !== Kind.operation;
      const small = height < 6 * ratio;
      const next =
        scene.role[box] * 16 + (open ? 8 + (depth[box] % 2) : group ? 1 : 0) * 2 + (small ? 1 : 0);
      if (next !== look) {
        look = next;
        const colours = theme.roles[scene.role[box]];
        context.fillStyle = open
          ? colours.inside[depth[box] % 2]
          : small
            ? colours.solid
            : group
              ? colours.fill
              : colours.paper;
        context.strokeStyle = colours.line;
      }
      if (small) {
        context.fillRect(x, y, Math.max(1, width), Math.max(1, height));
        continue;
      }
      context.beginPath();
      addOutline(
        context,
        scene.role[box],
        group,
        Math.round(x) + 0.5,
        Math.round(y) + 0.5,
        width,
        height,
        zoom * ratio,
      );
      context.fill();
      context.stroke();
    }
  }
}

function put(
  into: Float32Array,
  at: number,
  scene: Scene,
  box: number,
  { x, y, zoom }: Camera,
): void {
  into[4 * at] = scene.x[box] * zoom + x;
  into[4 * at + 1] = scene.y[box] * zoom + y;
  into[4 * at + 2] = scene.boxWidth[box] * zoom;
  into[4 * at + 3] = scene.boxHeight[box] * zoom;
}

/** A new box begins as nothing at the corner of the one around it. */
function copyTopLeft(from: Float32Array, box: number, parent: number): void {
  from[4 * box] = from[4 * parent];
  from[4 * box + 1] = from[4 * parent + 1];
  from[4 * box + 2] = from[4 * box + 3] = 0;
}
