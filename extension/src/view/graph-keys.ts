import { toScene } from "../paint/camera.js";
import type { GraphView } from "./graph-view.js";
import type { Key } from "./keys.js";
import { nearestBox, neighbourOf, type Direction } from "./neighbours.js";

type View = Pick<
  GraphView,
  "navigator" | "stage" | "search" | "tracing" | "differences" | "help" | "zoomBy"
>;

/** What the keys do on the picture. */
export function graphKeys(view: View): readonly Key[] {
  const { navigator } = view;
  const arrow = (key: string, face: string, direction: Direction, meaning: string): Key => ({
    keys: [key],
    face,
    meaning,
    press: () => step(view, direction),
  });
  return [
    arrow("ArrowDown", "↓", "down", "Along an edge to what needs this"),
    arrow("ArrowUp", "↑", "up", "Along an edge to what this needs"),
    arrow("ArrowLeft", "←", "left", "To the nearest node on the left"),
    arrow("ArrowRight", "→", "right", "To the nearest node on the right"),
    {
      keys: ["Enter"],
      face: "Enter",
      meaning: "Open or close the selected scope",
      press: () => toggle(view),
    },
    {
      keys: ["*"],
      face: "*",
      meaning: "Open the selected scope and everything in it",
      press: () => openAll(view),
    },
    {
      keys: ["Escape"],
      face: "Escape",
      meaning: "Close: highlight, then scope, then details",
      press: () => close(view),
    },
    { keys: ["/"], face: "/", meaning: "Search", press: () => view.search.focus() },
    {
      keys: ["u"],
      face: "u",
      meaning: "Highlight what the selection needs",
      press: () => void view.tracing.upstream(),
    },
    {
      keys: ["d"],
      face: "d",
      meaning: "Highlight what needs the selection",
      press: () => void view.tracing.downstream(),
    },
    {
      keys: ["p"],
      face: "p",
      meaning: "Path: mark one end, then the other",
      press: () => void view.tracing.path(),
    },
    { keys: ["["], face: "[", meaning: "Back", press: () => void navigator.back() },
    { keys: ["]"], face: "]", meaning: "Forward", press: () => void navigator.forward() },
    { keys: ["n"], face: "n", meaning: "Next difference", press: () => view.differences.step(1) },
    {
      keys: ["N"],
      face: "N",
      meaning: "Previous difference",
      press: () => view.differences.step(-1),
    },
    { keys: ["+", "="], face: "+", meaning: "Zoom in", press: () => view.zoomBy(1.3) },
    { keys: ["-"], face: "-", meaning: "Zoom out", press: () => view.zoomBy(1 / 1.3) },
    { keys: ["0"], face: "0", meaning: "Show all", press: () => navigator.fit() },
    { keys: ["?"], face: "?", meaning: "These keys", press: () => view.help.toggle() },
  ];
}

function step({ navigator, stage }: View, direction: Direction): boolean {
  const { geometry, selectedBox } = navigator;
  if (geometry === null) return false;
  const { width, height } = stage.size;
  const middle = toScene(stage.camera, { x: width / 2, y: height / 2 });
  const next =
    selectedBox >= 0
      ? neighbourOf(geometry, selectedBox, direction)
      : nearestBox(geometry, middle.x, middle.y);
  if (next >= 0) {
    navigator.select({ kind: "item", item: geometry.scene.item[next] });
    navigator.bringIntoSight(next);
  }
  return true;
}

function toggle({ navigator }: View): boolean {
  const { geometry, selectedBox: box } = navigator;
  if (geometry === null || box < 0 || !geometry.isGroup(box)) return false;
  void navigator.toggle(geometry.scene.item[box]);
  return true;
}

function openAll({ navigator }: View): boolean {
  const { geometry, selectedBox: box } = navigator;
  if (geometry === null || box < 0 || !geometry.isGroup(box)) return false;
  void navigator.openAll(geometry.scene.item[box]);
  return true;
}

/** Closes the nearest thing: what is highlighted, the scope one is in, the details. */
function close({ navigator, tracing }: View): boolean {
  const { geometry, selectedBox: box, selection } = navigator;
  if (tracing.isActive) {
    tracing.clear();
    return true;
  }
  if (geometry !== null && box >= 0) {
    const scope = geometry.isOpen(box) ? box : geometry.scene.parent[box];
    if (scope >= 0) {
      const item = geometry.scene.item[scope];
      navigator.select({ kind: "item", item });
      void navigator.toggle(item);
      return true;
    }
  }
  if (selection === null) return false;
  navigator.select(null);
  return true;
}
