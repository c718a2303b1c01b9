import { traceEdges } from "./edges.js";
import { makeFinding } from "./finding.js";
import { findOpen, findVisible, isGroup, ROOT, type Hierarchy } from "./hierarchy.js";
import { Interiors, type ChildSize, type Interior } from "./interior.js";
import { findLoudness, type Loudness } from "./loudness.js";
import { markRoom } from "./mark.js";
import { HEADER, measureBox, PADDING } from "./measure.js";
import { BoxFlag, Status, type Scene } from "./types.js";

/** Space around the whole picture. */
export const BORDER = 16;

/** What is drawn where, while a scene is made. */
export interface Placement {
  readonly isOpen: Uint8Array;
  readonly visible: Int32Array;
  /** The open scopes, each after the one around it; ROOT is the first. */
  readonly opened: readonly number[];
  /** By scope + 1: its inside, and where the upper left corner of that stands. */
  readonly interiors: readonly (Interior | undefined)[];
  readonly originX: Float64Array;
  readonly originY: Float64Array;
  /** By item: the box that shows it, -1 for none. */
  readonly boxOf: Int32Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly size: readonly (ChildSize | undefined)[];
}

/** Makes the pictures of one graph, and keeps what they have in common. */
export class SceneBuilder {
  private readonly interiors: Interiors;
  private readonly loudness: Loudness;
  private readonly closed: (ChildSize | undefined)[];
  private readonly open = new WeakMap<Interior, ChildSize>();

  constructor(
    readonly hierarchy: Hierarchy,
    aspect: number,
  ) {
    this.loudness = findLoudness(hierarchy);
    this.interiors = new Interiors(hierarchy, this.loudness, aspect);
    this.closed = new Array<undefined>(hierarchy.count);
  }

  /**
   * The picture with these items open and all others closed. Items that are no groups, or stand in
   * a closed one, change nothing. A scope's inside looks the same whatever is open elsewhere.
   */
  build(open: Iterable<number>): Scene {
    const placement = this.place(findOpen(this.hierarchy, open));
    const edges = traceEdges(this.hierarchy, this.loudness, placement);
    const picture = { ...this.boxes(placement), ...edges };
    return { ...picture, finding: makeFinding(picture, this.hierarchy.count) };
  }

  private place(isOpen: Uint8Array): Placement {
    const { hierarchy } = this;
    const { order, parent, children, childStart, count } = hierarchy;
    const opened = [ROOT];
    for (const item of order) if (isOpen[item]) opened.push(item);
    const size = new Array<ChildSize | undefined>(count);
    const interiors = new Array<Interior | undefined>(count + 1);
    for (let index = opened.length - 1; index >= 0; index--) {
      const scope = opened[index];
      const sizes: ChildSize[] = [];
      for (let k = childStart[scope + 1]; k < childStart[scope + 2]; k++) {
        sizes.push((size[children[k]] ??= this.closedSize(children[k])));
      }
      const interior = this.interiors.layout(scope, sizes);
      interiors[scope + 1] = interior;
      if (scope !== ROOT) size[scope] = this.openSize(scope, interior);
    }

    const x = new Float64Array(count);
    const y = new Float64Array(count);
    const originX = new Float64Array(count + 1);
    const originY = new Float64Array(count + 1);
    for (const scope of opened) {
      originX[scope + 1] =
        scope === ROOT
          ? BORDER
          : x[scope] + indentOf(size[scope] as ChildSize, interiors[scope + 1] as Interior);
      originY[scope + 1] = scope === ROOT ? BORDER : y[scope] + HEADER;
      const { left, top } = interiors[scope + 1] as Interior;
      for (let k = childStart[scope + 1], place = 0; k < childStart[scope + 2]; k++, place++) {
        x[children[k]] = originX[scope + 1] + left[place];
        y[children[k]] = originY[scope + 1] + top[place];
      }
    }
    const boxOf = new Int32Array(count).fill(-1);
    let boxes = 0;
    for (const item of order) {
      if (parent[item] === ROOT || isOpen[parent[item]]) boxOf[item] = boxes++;
    }
    const visible = findVisible(hierarchy, isOpen);
    return { isOpen, visible, opened, interiors, originX, originY, boxOf, x, y, size };
  }

  private closedSize(item: number): ChildSize {
    let size = this.closed[item];
    if (size === undefined) {
      const { labels, repeats, status, mark } = this.hierarchy;
      // In a diff a mark stands before what is not the same.
      const label = status[item] === Status.same ? labels[item] : `+ ${labels[item]}`;
      const room = markRoom(mark[item]);
      const { width, height } = measureBox(
        label,
        repeats[item],
        isGroup(this.hierarchy, item),
        room,
      );
      this.closed[item] = size = { width, height, into: width / 2, out: width / 2 };
    }
    return size;
  }

  /** The same object for the same inside: that is how the scope around it sees what has changed. */
  private openSize(scope: number, interior: Interior): ChildSize {
    let size = this.open.get(interior);
    if (size === undefined) {
      const width = Math.max(interior.width + 2 * PADDING, this.closedSize(scope).width);
      const height = interior.height + HEADER + PADDING;
      const indent = (width - interior.width) / 2;
      const { into, out } = interior.flow;
      size = { width, height, into: into + indent, out: out + indent };
      this.open.set(interior, size);
    }
    return size;
  }

  private boxes({ isOpen, boxOf, interiors, x, y, size }: Placement) {
    const { hierarchy } = this;
    const { graph, operations, labels, names } = hierarchy;
    const item = hierarchy.order.filter((one) => boxOf[one] >= 0);
    const root = interiors[ROOT + 1] as Interior;
    const boxes = item.length;
    const isEmpty = boxes === 0;
    return {
      width: isEmpty ? 0 : root.width + 2 * BORDER,
      height: isEmpty ? 0 : root.height + 2 * BORDER,
      item: Uint32Array.from(item),
      parent: collect(new Int32Array(boxes), item, (one) => {
        const scope = hierarchy.parent[one];
        return scope === ROOT ? -1 : boxOf[scope];
      }),
      kind: collect(new Uint8Array(boxes), item, (one) => hierarchy.kind[one]),
      mark: collect(new Uint8Array(boxes), item, (one) => hierarchy.mark[one]),
      flag: collect(new Uint8Array(boxes), item, (one) => {
        const differs = hierarchy.status[one] !== Status.same;
        return (
          (isOpen[one] ? BoxFlag.open : 0) |
          (hierarchy.aside[one] ? BoxFlag.aside : 0) |
          (differs ? BoxFlag.differs : 0)
        );
      }),
      role: collect(new Uint8Array(boxes), item, (one) => hierarchy.role[one]),
      status: collect(new Uint8Array(boxes), item, (one) => hierarchy.status[one]),
      x: collect(new Float32Array(boxes), item, (one) => x[one]),
      y: collect(new Float32Array(boxes), item, (one) => y[one]),
      boxWidth: collect(new Float32Array(boxes), item, (one) => (size[one] as ChildSize).width),
      boxHeight: collect(new Float32Array(boxes), item, (one) => (size[one] as ChildSize).height),
      operations: collect(new Uint32Array(boxes), item, (one) => hierarchy.size[one]),
      repeats: collect(new Uint32Array(boxes), item, (one) => hierarchy.repeats[one]),
      names: Array.from(item, (one) => names[one]),
      labels: Array.from(item, (one) => labels[one]),
      types: Array.from(item, (one) => (one < operations ? graph.types[graph.type[one]] : "")),
    };
  }
}

/** How far from a scope's left edge its inside begins: a long label may be wider than that. */
function indentOf(size: ChildSize, interior: Interior): number {
  return (size.width - interior.width) / 2;
}

/** Put a list together from a number for each of some items. */
function collect<List extends { [index: number]: number }>(
  list: List,
  items: Int32Array,
  valueOf: (item: number) => number,
): List {
  for (let index = 0; index < items.length; index++) list[index] = valueOf(items[index]);
  return list;
}
