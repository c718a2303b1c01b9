import { operationsOf, type Hierarchy } from "./hierarchy.js";
import { groupBy, type Groups } from "./links.js";
import type { Trace } from "./types.js";

/** Follows edges of a graph, from all operations of an item at once. */
export class Tracing {
  private readonly bySource: Groups;
  private readonly byTarget: Groups;

  constructor(private readonly hierarchy: Hierarchy) {
    const { graph, operations } = hierarchy;
    this.bySource = groupBy(graph.edgeSource, operations);
    this.byTarget = groupBy(graph.edgeTarget, operations);
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
    const { start, members } = way === "down" ? this.bySource : this.byTarget;
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
      for (const operation of front) {
        for (let k = start[operation]; k < start[operation + 1]; k++) {
          edges.push(members[k]);
          const other = next[members[k]];
          if (seen[other]) continue;
          seen[other] = 1;
          further.push(other);
        }
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
    const { start, members } = this.bySource;
    for (let head = 0; head < queue.length; head++) {
      const operation = queue[head];
      if (goal[operation]) return this.walkBack(operation, cameBy);
      for (let k = start[operation]; k < start[operation + 1]; k++) {
        const target = graph.edgeTarget[members[k]];
        if (cameBy[target] !== -2) continue;
        cameBy[target] = members[k];
        queue.push(target);
      }
    }
    return { operations: new Uint32Array(), edges: new Uint32Array() };
  }

  private walkBack(end: number, cameBy: Int32Array): Trace {
    const { graph } = this.hierarchy;
    const operations = [end];
    const edges: number[] = [];
    for (let edge = cameBy[end]; edge >= 0; edge = cameBy[graph.edgeSource[edge]]) {
      edges.push(edge);
      operations.push(graph.edgeSource[edge]);
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
