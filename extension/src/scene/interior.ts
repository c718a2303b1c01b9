import { layoutLayered, type Layout, type Sizes } from "../layout/layered.js";
import { buildSkeleton, type Skeleton } from "../layout/skeleton.js";
import { ROOT, type Hierarchy } from "./hierarchy.js";
import type { Loudness } from "./loudness.js";
import type { Size } from "./measure.js";

/** The size of a child, and how far from its left edge lines come in and go out. */
export interface ChildSize extends Size {
  readonly into: number;
  readonly out: number;
}

/** The inside of an open scope, from its own upper left corner. */
export interface Interior extends Size {
  /** By the child's place in the scope. */
  readonly left: Float64Array;
  readonly top: Float64Array;
  readonly into: number;
  readonly out: number;
  readonly flow: Layout;
  /** For each link of the scope, from its first on, the link of the layout; -1 for quiet ones. */
  readonly routeOf: Int32Array;
  /** By link of the layout: 1 if it closes a cycle. */
  readonly back: Uint8Array;
  /** For each child the link of the layout from the upper, and to the lower port; -1 for none. */
  readonly entry: Int32Array;
  readonly exit: Int32Array;
}

const ASIDE_GAP = 16;
const ASIDE_MARGIN = 40;

/** A scope inside the picture should be about as wide as high. */
const INNER_ASPECT = 1.2;

interface Plan {
  readonly skeleton: Skeleton;
  /** Places of the children in the flow and beside it. */
  readonly flow: readonly number[];
  readonly aside: readonly number[];
  readonly routeOf: Int32Array;
  readonly entry: Int32Array;
  readonly exit: Int32Array;
}

/**
 * Lays out the insides of scopes, each once for each set of sizes of its children: opening a scope
 * costs its own layout and those of the scopes around it.
 */
export class Interiors {
  private readonly plans = new Map<number, Plan>();
  private readonly known = new Map<number, { sizes: Float64Array; interior: Interior }>();

  constructor(
    private readonly hierarchy: Hierarchy,
    private readonly loudness: Loudness,
    private readonly aspect: number,
  ) {}

  /** The inside of a scope (or ROOT) whose children have these sizes, by their places in it. */
  layout(scope: number, children: readonly ChildSize[]): Interior {
    const sizes = new Float64Array(4 * children.length);
    children.forEach(({ width, height, into, out }, place) => {
      sizes.set([width, height, into, out], 4 * place);
    });
    const known = this.known.get(scope);
    if (known !== undefined && known.sizes.every((size, index) => size === sizes[index])) {
      return known.interior;
    }
    const interior = this.arrange(scope, children);
    this.known.set(scope, { sizes, interior });
    return interior;
  }

  private arrange(scope: number, children: readonly ChildSize[]): Interior {
    const plan = this.plans.get(scope) ?? this.plan(scope);
    this.plans.set(scope, plan);
    const pick = (part: keyof ChildSize): Float64Array =>
      Float64Array.from(plan.flow, (place) => children[place][part]);
    const sizes: Sizes = {
      width: pick("width"),
      height: pick("height"),
      into: pick("into"),
      out: pick("out"),
    };
    const aspect = scope === ROOT ? this.aspect : INNER_ASPECT;
    const flow = layoutLayered(plan.skeleton, sizes, aspect);
    const left = new Float64Array(children.length);
    const top = new Float64Array(children.length);
    plan.flow.forEach((place, index) => {
      left[place] = flow.left[index];
      top[place] = flow.top[index];
    });
    const size = placeAside(plan.aside, children, flow, left, top);
    const { routeOf, entry, exit } = plan;
    const { into, out } = flow;
    const { back } = plan.skeleton;
    return { ...size, left, top, into, out, flow, routeOf, back, entry, exit };
  }

  private plan(scope: number): Plan {
    const { childStart, children, aside, links } = this.hierarchy;
    const { entered, left, loudLink } = this.loudness;
    const items = children.subarray(childStart[scope + 1], childStart[scope + 2]);
    const flow: number[] = [];
    const beside: number[] = [];
    const placeOf = new Map<number, number>();
    items.forEach((item, place) => {
      if (aside[item]) beside.push(place);
      else placeOf.set(item, flow.push(place) - 1);
    });
    const source: number[] = [];
    const target: number[] = [];
    const [first, end] = [links.start[scope + 1], links.start[scope + 2]];
    const routeOf = new Int32Array(end - first).fill(-1);
    for (let link = first; link < end; link++) {
      if (!loudLink[link]) continue;
      routeOf[link - first] = source.push(placeOf.get(links.source[link]) as number) - 1;
      target.push(placeOf.get(links.target[link]) as number);
    }
    const skeleton = buildSkeleton({
      count: flow.length,
      source: Int32Array.from(source),
      target: Int32Array.from(target),
      entered: Uint8Array.from(flow, (place) => entered[items[place]]),
      left: Uint8Array.from(flow, (place) => left[items[place]]),
    });
    const entry = new Int32Array(items.length).fill(-1);
    const exit = new Int32Array(items.length).fill(-1);
    flow.forEach((place, index) => {
      entry[place] = skeleton.entry[index];
      exit[place] = skeleton.exit[index];
    });
    return { skeleton, flow, aside: beside, routeOf, entry, exit };
  }
}

/** Stack what is set aside to the right of the flow; answers with the size of all. */
function placeAside(
  places: readonly number[],
  children: readonly ChildSize[],
  flow: Layout,
  left: Float64Array,
  top: Float64Array,
): Size {
  if (places.length === 0) return { width: flow.width, height: flow.height };
  let area = 0;
  for (const place of places)
    area += (children[place].width + ASIDE_GAP) * (children[place].height + ASIDE_GAP);
  const tallest = Math.max(flow.height, Math.sqrt(area));
  let columnLeft = flow.width === 0 ? 0 : flow.width + ASIDE_MARGIN;
  let columnWidth = 0;
  let edge = 0;
  let height = flow.height;
  for (const place of places) {
    const size = children[place];
    if (edge > 0 && edge + size.height > tallest) {
      columnLeft += columnWidth + ASIDE_GAP;
      columnWidth = 0;
      edge = 0;
    }
    left[place] = columnLeft;
    top[place] = edge;
    columnWidth = Math.max(columnWidth, size.width);
    edge += size.height + ASIDE_GAP;
    height = Math.max(height, edge - ASIDE_GAP);
  }
  return { width: columnLeft + columnWidth, height };
}
