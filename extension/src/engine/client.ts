import type { Engine, EngineOptions, Graph, Hit, Scene, Trace, TreeEntry } from "../scene/types.js";
import { GraphEngine } from "./engine.js";
import type { Answer, Method, Request } from "./messages.js";
import { joinTexts, splitTexts } from "./texts.js";

/** What of a web worker is used. */
export interface WorkerLike {
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: unknown): void;
  terminate(): void;
}

export interface ClientOptions {
  /** Starts a worker on the text of worker.ts; null, or an error, where there are no workers. */
  readonly makeWorker: () => WorkerLike | null;
  /** How long an answer may take; large graphs take a second or two. */
  readonly timeoutSeconds?: number;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** A request for a scene that has not been sent, with all who wait for it or for an older one. */
interface NextScene {
  open: Uint32Array;
  readonly askers: { resolve: (scene: Scene) => void; reject: (error: unknown) => void }[];
}

const TIMEOUT_SECONDS = 30;

/**
 * An engine in a web worker, or in this thread where no worker can be had.
 *
 * Of the scenes that are asked for while one is being made, only the newest is made: whoever asked
 * for an older one gets that. A worker that fails or is late is given up for good, with an error to
 * all who wait; the next `load` starts another one.
 */
export class EngineClient implements Engine {
  private worker: WorkerLike | null = null;
  private local: GraphEngine | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private sceneRuns = false;
  private nextScene: NextScene | null = null;
  private disposed = false;

  constructor(private readonly options: ClientOptions) {}

  load(graph: Graph, options: EngineOptions): Promise<{ open: Uint32Array; items: number }> {
    if (!this.disposed && this.worker === null && this.local === null) this.start();
    return this.ask("load", [graph, options]);
  }

  scene(open: Uint32Array): Promise<Scene> {
    return new Promise((resolve, reject) => {
      this.nextScene ??= { open, askers: [] };
      this.nextScene.open = open;
      this.nextScene.askers.push({ resolve, reject });
      this.sendScene();
    });
  }

  search(query: string, most: number): Promise<readonly Hit[]> {
    return this.ask("search", [query, most]);
  }

  reveal(item: number): Promise<Uint32Array> {
    return this.ask("reveal", [item]);
  }

  visible(open: Uint32Array): Promise<Uint32Array> {
    return this.ask("visible", [open]);
  }

  path(from: number, to: number): Promise<Trace> {
    return this.ask("path", [from, to]);
  }

  upstream(item: number, steps: number): Promise<Trace> {
    return this.ask("upstream", [item, steps]);
  }

  downstream(item: number, steps: number): Promise<Trace> {
    return this.ask("downstream", [item, steps]);
  }

  children(item: number): Promise<readonly TreeEntry[]> {
    return this.ask("children", [item]);
  }

  svg(open: Uint32Array, theme: "light" | "dark"): Promise<string> {
    return this.ask("svg", [open, theme]);
  }

  dispose(): void {
    this.disposed = true;
    this.local?.dispose();
    this.local = null;
    this.stop("The graph view has been closed.");
  }

  private start(): void {
    try {
      this.worker = this.options.makeWorker();
    } catch {
      // A page's security policy may forbid workers from a Blob.
      this.worker = null;
    }
    if (this.worker === null) {
      this.local = new GraphEngine();
      return;
    }
    this.worker.onmessage = (event) => this.receive(event.data as Answer);
    this.worker.onerror = (event) => this.stop(`The layout's worker failed: ${event.message}`);
  }

  private sendScene(): void {
    if (this.sceneRuns || this.nextScene === null) return;
    const { open, askers } = this.nextScene;
    this.nextScene = null;
    this.sceneRuns = true;
    const next = (): void => {
      this.sceneRuns = false;
      this.sendScene();
    };
    this.ask<Scene>("scene", [open]).then(
      (scene) => {
        next();
        for (const { resolve } of askers) resolve(scene);
      },
      (error: unknown) => {
        next();
        for (const { reject } of askers) reject(error);
      },
    );
  }

  private ask<Result>(method: Method, given: readonly unknown[]): Promise<Result> {
    if (this.local !== null) {
      const local = this.local as unknown as Record<Method, (...given: unknown[]) => unknown>;
      return local[method](...given) as Promise<Result>;
    }
    const { worker } = this;
    if (worker === null) return Promise.reject(new Error("No graph has been loaded."));
    const seconds = this.options.timeoutSeconds ?? TIMEOUT_SECONDS;
    return new Promise<Result>((resolve, reject) => {
      const id = ++this.lastId;
      const late = (): void => this.stop(`The layout has not answered for ${seconds} s.`);
      const timer = setTimeout(late, 1000 * seconds);
      this.waiting.set(id, { resolve: resolve as (result: unknown) => void, reject, timer });
      const request: Request = { id, method, given: given.map(joinTexts) };
      worker.postMessage(request);
    });
  }

  private receive({ id, result, error }: Answer): void {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) return;
    this.waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(splitTexts(result));
    else waiting.reject(new Error(error));
  }

  private stop(reason: string): void {
    this.worker?.terminate();
    this.worker = null;
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new Error(reason));
    }
    this.waiting.clear();
  }
}
