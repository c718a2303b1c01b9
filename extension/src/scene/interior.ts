import { layoutLayered, type Layout } from "../layout/layered.js";
import { filled, type Numbers } from "../layout/lists.js";
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
  readonly left: Numbers;
  readonly top: Numbers;
  readonly flow: Layout;
  readonly plan: Plan;
}

/** What of a scope's layout does not depend on the sizes of its children. */
export interface Plan {
  readonly skeleton: Skeleton;
  /** Places of the children in the flow and beside it. */
  readonly flow: Numbers;
  readonly aside: Numbers;
  /** For each link of the scope, from its first on, the link of the skeleton; -1 for quiet ones. */
  readonly routeOf: Numbers;
  /** For each child the link of the skeleton from the upper, and to the lower port; -1 for none. */
  readonly entry: Numbers;
  readonly exit: Numbers;
}

const ASIDE_GAP = 16;
const ASIDE_MARGIN = 40;

/** A scope inside the picture should be about as wide as high. */
const INNER_ASPECT = 1.2;

/**
 * Lays out the insides of scopes, each once for each set of sizes of its children: opening a scope
 * costs its own layout and those of the scopes around it.
 */
export class Interiors {
  private readonly plans = new Map<number, Plan>();
  private readonly known = new Map<number, { sizes: readonly ChildSize[]; interior: Interior }>();
  /** By item, for a scope at work: the place in its flow. */
  private readonly placeInFlow: Int32Array;

  constructor(
    private readonly hierarchy: Hierarchy,
    private readonly loudness: Loudness,
    private readonly aspect: number,
  ) {
    this.placeInFlow = new Int32Array(hierarchy.count);
  }

  /**
   * The inside of a scope (or ROOT) whose children have these sizes, by their places in it. The
   * same object again for the same objects.
   */
  layout(scope: number, sizes: readonly ChildSize[]): Interior {
    const known = this.known.get(scope);
    if (known !== undefined && sizes.every((size, place) => size === known.sizes[place])) {
      return known.interior;
    }
    const interior = this.arrange(scope, sizes);
    this.known.set(scope, { sizes, interior });
    return interior;
  }

  private arrange(scope: number, children: readonly ChildSize[]): Interior {
    let plan = this.plans.get(scope);
    if (plan === undefined) this.plans.set(scope, (plan = this.plan(scope)));
    const sizes = {
      width: [] as Numbers,
      height: [] as Numbers,
      into: [] as Numbers,
      out: [] as Numbers,
    };
    for (const place of plan.flow) {
      const { width, height, into, out } = children[place];
      sizes.width.push(width);
      sizes.height.push(height);
      sizes.into.push(into);
      sizes.out.push(out);
    }
    const flow = layoutLayered(plan.skeleton, sizes, scope === ROOT ? this.aspect : INNER_ASPECT);
    const left = filled(children.length, 0);
    const top = filled(children.length, 0);
    for (let index = 0; index < plan.flow.length; index++) {
      left[plan.flow[index]] = flow.left[index];
      top[plan.flow[index]] = flow.top[index];
    }
    const size = placeAside(plan.aside, children, flow, left, top);
    return { ...size, left, top, flow, plan };
  }

  private plan(scope: number): Plan {
    const { childStart, children, aside, links } = this.hierarchy;
    const { entered, left, loudLink } = this.loudness;
    const { placeInFlow } = this;
    const firstChild = childStart[scope + 1];
    const count = childStart[scope + 2] - firstChild;
    const flow: Numbers = [];
    const beside: Numbers = [];
    const enteredFlow: Numbers = [];
    const leftFlow: Numbers = [];
    for (let place = 0; place < count; place++) {
      const item = children[firstChild + place];
      if (aside[item]) {
        beside.push(place);
        continue;
      }
      placeInFlow[item] = flow.push(place) - 1;
      enteredFlow.push(entered[item]);
      leftFlow.push(left[item]);
    }
    const source: Numbers = [];
    const target: Numbers = [];
    const back: Numbers = [];
    const routeOf: Numbers = [];
    for (let link = links.start[scope + 1]; link < links.start[scope + 2]; link++) {
      routeOf.push(loudLink[link] ? source.length : -1);
      if (!loudLink[link]) continue;
      source.push(placeInFlow[links.source[link]]);
      target.push(placeInFlow[links.target[link]]);
      back.push(links.back[link]);
    }
    const skeleton = buildSkeleton({
      count: flow.length,
      source,
      target,
      back,
      entered: enteredFlow,
      left: leftFlow,
    });
    const entry = filled(count, -1);
    const exit = filled(count, -1);
    for (let index = 0; index < flow.length; index++) {
      entry[flow[index]] = skeleton.entry[index];
      exit[flow[index]] = skeleton.exit[index];
    }
    return { skeleton, flow, aside: beside, routeOf, entry, exit };
  }
}

/** Stack what is set aside to the right of the flow; answers with the size of all. */
function placeAside(
  places: Numbers,
  children: readonly ChildSize[],
  flow: Layout,
  left: Numbers,
  top: Numbers,
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
