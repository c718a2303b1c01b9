import { layoutLayered, type Layout, type Point, type Size } from "../layout/layered.js";
import { ROOT, type Hierarchy } from "./hierarchy.js";

/** A rectangle of the picture: an operation, or a name scope open or closed. */
export interface Box extends Size {
  readonly item: number;
  readonly name: string;
  /** The last part of the name. */
  readonly label: string;
  /** The operation's type; null for a scope. */
  readonly type: string | null;
  readonly open: boolean;
  /** The number of operations in it. */
  readonly operations: number;
  /** The item of the scope around it, or ROOT. */
  readonly parent: number;
  readonly x: number;
  readonly y: number;
}

/** All edges of the graph between two boxes, drawn as one line. */
export interface SceneEdge {
  readonly source: number;
  readonly target: number;
  readonly tensors: number;
  /** Orders the two, carries no tensor. */
  readonly control: boolean;
  /** Runs upwards, because it closes a cycle. */
  readonly back: boolean;
  readonly points: readonly Point[];
}

/** Boxes with every scope before what it holds, so that they can be painted in this order. */
export interface Scene extends Size {
  readonly boxes: readonly Box[];
  readonly edges: readonly SceneEdge[];
}

const HEADER = 24;
const PADDING = 12;

/** The size of a closed box, from the length of its label alone: the same without a browser. */
export function measureLabel(label: string): Size {
  return { width: Math.min(220, Math.max(56, 7 * label.length + 24)), height: 28 };
}

/**
 * The picture of a graph with the scopes of the given names open, all others closed.
 *
 * A scope's inside looks the same wherever it stands and whatever is open elsewhere. The item
 * numbers of boxes stay the same for all scenes of one hierarchy.
 */
export function buildScene(
  hierarchy: Hierarchy,
  open: ReadonlySet<string>,
  measure: (label: string) => Size = measureLabel,
): Scene {
  const { graph, names, parent, children, size, connections } = hierarchy;
  const operations = graph.names.length;
  const isOpen = (item: number): boolean => item >= operations && open.has(names[item]);

  // The box in which an item is seen: its own, or that of the outermost closed scope around it.
  // A scope comes after its parent but the operations come before both, hence the two rounds.
  const seen: number[] = [];
  const look = (item: number): void => {
    const scope = parent[item];
    const visible = scope === ROOT || (seen[scope] === scope && isOpen(scope));
    seen[item] = visible ? item : seen[scope];
  };
  for (let item = operations; item < names.length; item++) look(item);
  for (let item = 0; item < operations; item++) look(item);

  const opened = [ROOT];
  for (let scope = operations; scope < names.length; scope++) {
    if (seen[scope] === scope && isOpen(scope)) opened.push(scope);
  }
  const label = (item: number): string => names[item].slice(names[item].lastIndexOf("/") + 1);
  const sizes = new Map<number, Size>();
  const layouts = new Map<number, Layout>();
  for (const scope of opened.toReversed()) {
    const items = children.get(scope) as readonly number[];
    const place = new Map(items.map((item, index) => [item, index]));
    const links = (connections.get(scope) ?? []).map(({ source, target }) => ({
      source: place.get(source) as number,
      target: place.get(target) as number,
    }));
    const layout = layoutLayered(
      items.map((item) => sizes.get(item) ?? measure(label(item))),
      links,
    );
    layouts.set(scope, layout);
    if (scope !== ROOT) {
      sizes.set(scope, {
        width: Math.max(layout.width, measure(label(scope)).width) + 2 * PADDING,
        height: layout.height + HEADER + PADDING,
      });
    }
  }

  const boxes = new Map<number, Box>();
  const edges: SceneEdge[] = [];
  const origins = new Map<number, Point>();
  for (const scope of opened) {
    const around = boxes.get(scope);
    const origin = around ? { x: around.x + PADDING, y: around.y + HEADER } : { x: 0, y: 0 };
    const layout = layouts.get(scope) as Layout;
    origins.set(scope, origin);
    (children.get(scope) as readonly number[]).forEach((item, index) => {
      boxes.set(item, {
        item,
        name: names[item],
        label: label(item),
        type: item < operations ? graph.types[item] : null,
        open: isOpen(item),
        operations: size[item],
        parent: scope,
        x: origin.x + layout.left[index],
        y: origin.y + layout.top[index],
        ...(sizes.get(item) ?? measure(label(item))),
      });
    });
  }
  for (const scope of opened) {
    const origin = origins.get(scope) as Point;
    const { routes } = layouts.get(scope) as Layout;
    (connections.get(scope) ?? []).forEach((connection, index) => {
      const { points, back } = routes[index];
      const path = points.map(({ x, y }) => ({ x: x + origin.x, y: y + origin.y }));
      for (const bundle of bundleEdges(hierarchy, connection.edges, seen)) {
        // The scope lays out the way between its children; inside those the line goes straight on.
        const ends: Point[] = [...path];
        const source = boxes.get(bundle.source) as Box;
        const target = boxes.get(bundle.target) as Box;
        if (bundle.source !== connection.source) ends.unshift(bottomOf(source));
        if (bundle.target !== connection.target) ends.push(topOf(target));
        edges.push({ ...bundle, back, points: ends });
      }
    });
  }
  const { width, height } = layouts.get(ROOT) as Layout;
  return { boxes: [...boxes.values()], edges, width, height };
}

/** Edges of the graph that are seen between the same two boxes, as one. */
function bundleEdges({ graph }: Hierarchy, edges: readonly number[], seen: readonly number[]) {
  const bundles = new Map<
    string,
    { source: number; target: number; tensors: number; control: boolean }
  >();
  for (const index of edges) {
    const edge = graph.edges[index];
    const source = seen[edge.source];
    const target = seen[edge.target];
    const key = `${source} ${target}`;
    const bundle = bundles.get(key) ?? { source, target, tensors: 0, control: true };
    bundles.set(key, bundle);
    if (!edge.control) {
      bundle.tensors++;
      bundle.control = false;
    }
  }
  return bundles.values();
}

function bottomOf(box: Box): Point {
  return { x: box.x + box.width / 2, y: box.y + box.height };
}

function topOf(box: Box): Point {
  return { x: box.x + box.width / 2, y: box.y };
}
