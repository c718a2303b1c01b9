import type { Engine, EngineOptions, Graph, Hit, Scene, Trace, TreeEntry } from "../scene/types.js";
import { Answers } from "./answers.js";

/** An engine that works in the thread it was made in. See types.ts for what each method does. */
export class GraphEngine implements Engine {
  private readonly answers = new Answers();

  load(graph: Graph, options: EngineOptions): Promise<{ open: Uint32Array; items: number }> {
    return promise(() => this.answers.load(graph, options));
  }

  scene(open: Uint32Array): Promise<Scene> {
    return promise(() => this.answers.scene(open));
  }

  search(query: string, most: number): Promise<readonly Hit[]> {
    return promise(() => this.answers.search(query, most));
  }

  reveal(item: number): Promise<Uint32Array> {
    return promise(() => this.answers.reveal(item));
  }

  visible(open: Uint32Array): Promise<Uint32Array> {
    return promise(() => this.answers.visible(open));
  }

  path(from: number, to: number): Promise<Trace> {
    return promise(() => this.answers.path(from, to));
  }

  upstream(item: number, steps: number): Promise<Trace> {
    return promise(() => this.answers.upstream(item, steps));
  }

  downstream(item: number, steps: number): Promise<Trace> {
    return promise(() => this.answers.downstream(item, steps));
  }

  children(item: number): Promise<readonly TreeEntry[]> {
    return promise(() => this.answers.children(item));
  }

  svg(open: Uint32Array, theme: "light" | "dark"): Promise<string> {
    return promise(() => this.answers.svg(open, theme));
  }

  dispose(): void {
    this.answers.dispose();
  }
}

/** Errors of the work become the promise's, whoever waits for it. */
function promise<Result>(work: () => Result): Promise<Result> {
  return new Promise((resolve) => resolve(work()));
}
