import { seenRectangle, toStage } from "../paint/camera.js";
import { BoxFlag, EdgeFlag, Kind } from "../scene/types.js";
import type { Navigator } from "./navigator.js";
import type { Overlay } from "./overlay.js";

const KINDS = ["operation", "scope", "series", "loop", "condition"];
const ROLES = ["forward", "backward", "update", "auxiliary"];
const STATUSES = ["same", "added", "removed", "changed"];
/** More boxes than this are not written out: `boxes.length` of what is on the screen stays honest. */
const MOST_BOXES = 20_000;

/** What the picture shows at this moment, as plain JSON, for tests and for support. */
export function pictureSnapshot(navigator: Navigator, overlay: Overlay) {
  const { geometry, graph, stage } = navigator;
  if (geometry === null || graph === null) return null;
  const { scene } = geometry;
  const { camera, size } = stage;
  const seen = seenRectangle(camera, size);
  const inSight = geometry.boxGrid.find(seen.x, seen.y, seen.x + seen.width, seen.y + seen.height);
  const emphasis = stage.content?.emphasis ?? null;
  const boxes = [...inSight.subarray(0, MOST_BOXES)].map((box) => {
    const value = overlay.coloured?.values[box] ?? NaN;
    return {
      name: scene.names[box],
      label: scene.labels[box],
      type: scene.types[box],
      kind: KINDS[scene.kind[box]],
      role: ROLES[scene.role[box]],
      status: STATUSES[scene.status[box]],
      open: (scene.flag[box] & BoxFlag.open) !== 0,
      aside: (scene.flag[box] & BoxFlag.aside) !== 0,
      differs: (scene.flag[box] & BoxFlag.differs) !== 0,
      operations: scene.operations[box],
      repeats: scene.repeats[box],
      dimmed: emphasis !== null && emphasis.boxes[box] === 0,
      rectangle: toStage(camera, geometry.rectangle(box)),
      value: Number.isNaN(value) ? null : value,
      note: overlay.notes.find((note) => note.box === box)?.text ?? null,
    };
  });
  return {
    graph: graph.name,
    version: graph.version,
    operations: graph.names.length,
    open: [...navigator.open].map((item) => navigator.nameOf(item)),
    selection: selectionOf(navigator),
    zoom: camera.zoom,
    camera: { ...camera },
    stage: { ...size },
    scene: {
      width: scene.width,
      height: scene.height,
      boxes: scene.item.length,
      edges: scene.edgeSource.length,
      drawnEdges: scene.edgeFlag.reduce((sum, flag) => sum + (flag & EdgeFlag.quiet ? 0 : 1), 0),
      groups: scene.kind.reduce((sum, kind) => sum + (kind === Kind.operation ? 0 : 1), 0),
    },
    boxes,
    highlighted: emphasis === null ? null : emphasis.boxes.reduce((sum, mark) => sum + mark, 0),
    settled: stage.isSettled,
  };
}

function selectionOf({ selection, geometry }: Navigator) {
  if (selection === null) return null;
  const name = (item: number): string | null => {
    const box = geometry?.boxOf(item) ?? -1;
    return box < 0 ? null : (geometry?.scene.names[box] ?? null);
  };
  if (selection.kind === "item") return { kind: selection.kind, name: name(selection.item) };
  return { kind: selection.kind, source: name(selection.source), target: name(selection.target) };
}
