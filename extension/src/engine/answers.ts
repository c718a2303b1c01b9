import { findFirstOpen } from "../scene/first.js";
import {
  ancestorsOf,
  buildHierarchy,
  findOpen,
  findVisible,
  ROOT,
  type Hierarchy,
} from "../scene/hierarchy.js";
import { SceneBuilder } from "../scene/scene.js";
import { Search } from "../scene/search.js";
import { sceneToSvg } from "../scene/svg.js";
import { Tracing } from "../scene/trace.js";
import type { Engine, EngineOptions, Graph, Hit, Scene, Trace, TreeEntry } from "../scene/types.js";

/** The methods of an engine, with answers instead of promises of them. */
export type Synchronous = {
  [Method in keyof Engine]: (
    ...given: Parameters<Engine[Method]>
  ) => Awaited<ReturnType<Engine[Method]>>;
};

/** What is known of the graph that was loaded last; parts are made when they are first needed. */
interface Loaded {
  readonly hierarchy: Hierarchy;
  readonly scenes: SceneBuilder;
  search: Search | null;
  tracing: Tracing | null;
}

/** All that can be asked about a graph, answered on the spot; types.ts says what methods do. */
export class Answers implements Synchronous {
  private loaded: Loaded | null = null;

  load(graph: Graph, { aspect }: EngineOptions): { open: Uint32Array; items: number } {
    if (!(aspect > 0 && aspect < Infinity)) throw new Error(`No picture has the aspect ${aspect}.`);
    const hierarchy = buildHierarchy(graph);
    const scenes = new SceneBuilder(hierarchy, aspect);
    this.loaded = { hierarchy, scenes, search: null, tracing: null };
    return { open: findFirstOpen(hierarchy), items: hierarchy.count };
  }

  scene(open: Uint32Array): Scene {
    return this.get().scenes.build(open);
  }

  search(query: string, most: number): readonly Hit[] {
    const loaded = this.get();
    loaded.search ??= new Search(loaded.hierarchy);
    return loaded.search.find(query, most);
  }

  reveal(item: number): Uint32Array {
    return Uint32Array.from(ancestorsOf(this.checked(item), item));
  }

  visible(open: Uint32Array): Uint32Array {
    const { hierarchy } = this.get();
    const visible = findVisible(hierarchy, findOpen(hierarchy, open));
    return Uint32Array.from(visible.subarray(0, hierarchy.operations));
  }

  path(from: number, to: number): Trace {
    this.checked(from);
    this.checked(to);
    return this.tracing().path(from, to);
  }

  upstream(item: number, steps: number): Trace {
    this.checked(item);
    return this.tracing().upstream(item, steps);
  }

  downstream(item: number, steps: number): Trace {
    this.checked(item);
    return this.tracing().downstream(item, steps);
  }

  children(item: number): readonly TreeEntry[] {
    const hierarchy = item === ROOT ? this.get().hierarchy : this.checked(item);
    const { childStart, children, kind, mark, labels, names, operations, graph, size, role } =
      hierarchy;
    return Array.from(children.subarray(childStart[item + 1], childStart[item + 2]), (child) => ({
      item: child,
      kind: kind[child],
      mark: mark[child],
      label: labels[child],
      name: names[child],
      type: child < operations ? graph.types[graph.type[child]] : "",
      operations: size[child],
      role: role[child],
    }));
  }

  svg(open: Uint32Array, theme: "light" | "dark"): string {
    return sceneToSvg(this.get().scenes.build(open), theme);
  }

  dispose(): void {
    this.loaded = null;
  }

  private get(): Loaded {
    if (this.loaded === null) throw new Error("No graph has been loaded.");
    return this.loaded;
  }

  private checked(item: number): Hierarchy {
    const { hierarchy } = this.get();
    if (!Number.isInteger(item) || item < 0 || item >= hierarchy.count) {
      throw new Error(`The graph has no item ${item}; there are ${hierarchy.count}.`);
    }
    return hierarchy;
  }

  private tracing(): Tracing {
    const loaded = this.get();
    return (loaded.tracing ??= new Tracing(loaded.hierarchy));
  }
}
