import { BoxFlag, EdgeFlag, type Scene } from "./types.js";

/** A scene in words and numbers, for tests and for whoever cannot see it. */
export interface SceneDescription {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly BoxDescription[];
  readonly edges: readonly EdgeDescription[];
}

export interface BoxDescription {
  readonly item: number;
  readonly name: string;
  readonly label: string;
  readonly kind: "operation" | "scope" | "series" | "loop" | "condition";
  /** "" for scopes and series. */
  readonly type: string;
  readonly role: "forward" | "backward" | "update" | "auxiliary";
  readonly status: "same" | "added" | "removed" | "changed";
  readonly open: boolean;
  readonly aside: boolean;
  readonly operations: number;
  readonly repeats: number;
  /** The name of the box around it, null at the top. */
  readonly parent: string | null;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface EdgeDescription {
  /** Names of boxes. */
  readonly source: string;
  readonly target: string;
  readonly tensors: number;
  readonly shape: string;
  readonly status: BoxDescription["status"];
  readonly control: boolean;
  readonly back: boolean;
  readonly quiet: boolean;
}

const KINDS = ["operation", "scope", "series", "loop", "condition"] as const;
const ROLES = ["forward", "backward", "update", "auxiliary"] as const;
const STATUSES = ["same", "added", "removed", "changed"] as const;

/** What a scene shows, as plain JSON. */
export function describeScene(scene: Scene): SceneDescription {
  const boxes = Array.from(
    scene.item,
    (item, box): BoxDescription => ({
      item,
      name: scene.names[box],
      label: scene.labels[box],
      kind: KINDS[scene.kind[box]],
      type: scene.types[box],
      role: ROLES[scene.role[box]],
      status: STATUSES[scene.status[box]],
      open: (scene.flag[box] & BoxFlag.open) !== 0,
      aside: (scene.flag[box] & BoxFlag.aside) !== 0,
      operations: scene.operations[box],
      repeats: scene.repeats[box],
      parent: scene.parent[box] < 0 ? null : scene.names[scene.parent[box]],
      x: scene.x[box],
      y: scene.y[box],
      width: scene.boxWidth[box],
      height: scene.boxHeight[box],
    }),
  );
  const edges = Array.from(
    scene.edgeSource,
    (source, edge): EdgeDescription => ({
      source: scene.names[source],
      target: scene.names[scene.edgeTarget[edge]],
      tensors: scene.edgeTensors[edge],
      shape: scene.edgeLabels[edge],
      status: STATUSES[scene.edgeStatus[edge]],
      control: (scene.edgeFlag[edge] & EdgeFlag.control) !== 0,
      back: (scene.edgeFlag[edge] & EdgeFlag.back) !== 0,
      quiet: (scene.edgeFlag[edge] & EdgeFlag.quiet) !== 0,
    }),
  );
  return { width: scene.width, height: scene.height, boxes, edges };
}
