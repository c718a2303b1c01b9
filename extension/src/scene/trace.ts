import { operationsOf, type Hierarchy } from "./hierarchy.js";
import { groupBy, type Groups } from "./links.js";
import type { Trace } from "./types.js";

/**
 * Follows edges of a graph, from all operations of an item at once. What is inside of a conditional
 * or loop depends on what that does, and what that gives depends on it.
 */
export class Tracing {
  private readonly bySource: Groups;
  private readonly byTarget: Groups;
  /** The edges that begin inside of an operation, by that. */
  private readonly byOwner: Groups | null;

  constructor(private readonly hierarchy: Hierarchy) {
    const { graph, operations } = hierarchy;
    const { edgeSource, nesting } = graph;
    this.bySource = groupBy(edgeSource, operations);
    this.byTarget = groupBy(graph.edgeTarget, operations);
    this.byOwner =
      nesting === null
        ? null
        : groupBy(
            nesting.edgeOwner.map((owner, edge) =>
              owner === edgeSource[edge] ? operations : owner,
            ),
            operations + 1,
          );
  }

  /** The edges of an operation, and those of its inside that lead outside. */
  private edgesOf(operation: number, way: "up" | "down"): Uint32Array | Int32Array {
    const { start, members } = way === "down" ? this.bySource : this.byTarget;
    const own = members.subarray(start[operation], start[operation + 1]);
    if (way === "up" || this.byOwner === null) return own;
    const { start: first, members: inside } = this.byOwner;
    if (first[operation] === first[operation + 1]) return own;
    return Int32Array.of(...own, ...inside.subarray(first[operation], first[operation + 1]));
  }

  /** The conditional or loop around an operation, -1 if there is none. */
  private around(operation: number): number {
    const { nesting } = this.hierarchy.graph;
    const body = nesting?.body[operation] ?? 0;
    return nesting === null || body === 0 ? -1 : nesting.bodies[body - 1].operation;
  }

  /** All that an item needs, `steps` edges far. */
  upstream(item: number, steps: number): Trace {
    return this.reach(item, steps, "up");
  }

  /** All that needs an item, `steps` edges far. */
  downstream(item: number, steps: number): Trace {
    return this.reach(item, steps, "down");
  }

  /** A shortest path along edges, from one item to the other or else the other way round. */
  path(from: number, to: number): Trace {
    const there = this.shortest(from, to);
    return there.operations.length > 0 ? there : this.shortest(to, from);
  }

  private reach(item: number, steps: number, way: "up" | "down"): Trace {
    const { graph, operations } = this.hierarchy;
    const next = way === "down" ? graph.edgeTarget : graph.edgeSource;
    const seen = new Uint8Array(operations);
    const edges: number[] = [];
    const all: number[] = [];
    let front = [...operationsOf(this.hierarchy, item)];
    for (const operation of front) seen[operation] = 1;
    for (let step = 0; front.length > 0; step++) {
      for (const operation of front) all.push(operation);
      if (step >= steps) break;
      const further: number[] = [];
      const reached = (other: number): void => {
        if (other < 0 || seen[other]) return;
        seen[other] = 1;
        further.push(other);
      };
      for (const operation of front) {
        for (const edge of this.edgesOf(operation, way)) {
          edges.push(edge);
          reached(next[edge]);
        }
        if (way === "up") reached(this.around(operation));
      }
      front = further;
    }
    return { operations: sorted(all), edges: sorted(edges) };
  }

  private shortest(from: number, to: number): Trace {
    const { graph, operations } = this.hierarchy;
    const goal = new Uint8Array(operations);
    for (const operation of operationsOf(this.hierarchy, to)) goal[operation] = 1;
    const cameBy = new Int32Array(operations).fill(-2);
    const queue: number[] = [];
    for (const operation of operationsOf(this.hierarchy, from)) {
      cameBy[operation] = -1;
      queue.push(operation);
    }
    for (let head = 0; head < queue.length; head++) {
      const operation = queue[head];
      if (goal[operation]) return this.walkBack(operation, cameBy);
      for (const edge of this.edgesOf(operation, "down")) {
        const target = graph.edgeTarget[edge];
        if (cameBy[target] !== -2) continue;
        cameBy[target] = edge;
        queue.push(target);
      }
    }
    return { operations: new Uint32Array(), edges: new Uint32Array() };
  }

  private walkBack(end: number, cameBy: Int32Array): Trace {
    const { graph } = this.hierarchy;
    const operations = [end];
    const edges: number[] = [];
    for (let edge = cameBy[end]; edge >= 0; ) {
      edges.push(edge);
      // A way that goes through a conditional or loop as a whole began at that.
      const source = graph.edgeSource[edge];
      const from = cameBy[source] === -2 ? (graph.nesting?.edgeOwner[edge] ?? source) : source;
      operations.push(from);
      edge = cameBy[from];
    }
    return {
      operations: Uint32Array.from(operations.reverse()),
      edges: Uint32Array.from(edges.reverse()),
    };
  }
}

function sorted(numbers: readonly number[]): Uint32Array {
  return Uint32Array.from(numbers).sort();
}
