import type { Channel } from "../../src/protocol/channel.js";
import { generateGraph, randomNumbers, type GraphMessage } from "./generated.js";

type Params = Record<string, unknown>;
/** Different overlay frames. */
const PHASES = 32;

type Buffers = readonly ArrayBuffer[];

/**
 * A channel with a kernel's answers behind it, for pages without a kernel. Graphs are
 * `generated:10000`, `flat:10000`, or the name of a file beside the page (`name.json` with the
 * header and the lengths of the buffers, `name.bin` with the buffers).
 */
export class FakeKernel implements Channel {
  onMessage: Channel["onMessage"] = null;
  onClose: Channel["onClose"] = null;
  /** Milliseconds between two overlay frames. */
  interval = 100;
  /** Of this page's life; another one plays a restarted kernel. */
  kernel = "fake-1";
  #channels: readonly string[] = [];
  #subscription: unknown = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #tap: { readonly id: string; readonly tensor: string } | null = null;
  #graph: GraphMessage | null = null;
  #named: { readonly graph: GraphMessage; readonly names: readonly string[] } | null = null;
  readonly #graphs = new Map<string, GraphMessage>();
  #step = 0;
  #taps = 0;
  #closed = false;
  readonly #random = randomNumbers(7);
  #history: number[] = [];
  readonly #waves = new Map<string, Float32Array<ArrayBuffer>>();

  send(message: object): void {
    const { id, method, params } = message as { id: number; method: string; params: Params };
    this.#answer(method, params).then(
      ({ result, buffers }) => this.#deliver({ id, result }, buffers ?? []),
      (error: Error) => this.#deliver({ id, error: { code: -32602, message: error.message } }, []),
    );
  }

  close(): void {
    this.#closed = true;
    this.stop();
  }

  /** Make or fetch a graph before it is asked for, so that the answer takes no time of its own. */
  async prepare(name: string): Promise<GraphMessage> {
    const graph = this.#graphs.get(name) ?? (await findGraph(name));
    this.#graphs.set(name, graph);
    return graph;
  }

  /** The other side goes away. */
  break(): void {
    this.close();
    this.onClose?.();
  }

  /** No more frames. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  start(): void {
    this.stop();
    this.#timer = setInterval(() => this.#publish(), this.interval);
  }

  #deliver(message: object, buffers: Buffers): void {
    if (this.#closed) return;
    this.onMessage?.(
      message,
      buffers.map((buffer) => new DataView(buffer)),
    );
  }

  async #answer(method: string, params: Params): Promise<{ result: object; buffers?: Buffers }> {
    switch (method) {
      case "hello":
        return { result: { protocol: 1, version: "0", kernel: this.kernel, graphs: [], runs: [] } };
      case "graph.get": {
        this.#graph = await this.prepare(String(params["graph"]));
        return { result: this.#graph.header, buffers: this.#graph.buffers };
      }
      case "graph.node":
        return { result: this.#describe(Number(params["node"])) };
      case "runs.list":
        return { result: { runs: [this.#status()] } };
      case "overlay.subscribe":
        this.#channels = params["channels"] as string[];
        this.#subscription = params["subscription"] ?? null;
        this.start();
        return { result: { channels: this.#channels, rate: 10 } };
      case "overlay.unsubscribe":
        this.#channels = [];
        return { result: {} };
      case "tap.open":
        this.#tap = { id: `tap-${++this.#taps}`, tensor: String(params["tensor"]) };
        this.#history = [];
        this.start();
        return { result: { tap: this.#tap.id } };
      case "tap.close":
        this.#tap = null;
        return { result: {} };
      case "run.command":
        return {
          result: {
            step: this.#step,
            watch: "watch-1",
            python: `run.${String(params["command"])}(...)`,
          },
        };
      default:
        return { result: {} };
    }
  }

  /** The names of the graph: a kernel has them at hand, and its work is not the page's. */
  #names(): readonly string[] {
    const graph = this.#graph as GraphMessage;
    if (this.#named?.graph !== graph) {
      this.#named = { graph, names: new TextDecoder().decode(graph.buffers[0]).split("\n") };
    }
    return this.#named.names;
  }

  #describe(node: number): object {
    const { header, buffers } = this.#graph as GraphMessage;
    const names = this.#names();
    const types = header["types"] as string[];
    const shapes = header["shapes"] as string[];
    const [source, target, shape] = [4, 5, 7].map((index) => new Uint32Array(buffers[index]));
    const output = new Uint16Array(buffers[6]);
    const edges: number[] = [];
    source.forEach((from, edge) => {
      if (from === node || target[edge] === node) edges.push(edge);
    });
    return {
      name: names[node],
      type: types[new Uint16Array(buffers[1])[node]],
      device: "/cpu:0",
      role: new Uint8Array(buffers[3])[node],
      inputs: edges
        .filter((edge) => target[edge] === node && output[edge] !== 65535)
        .map((edge) => ({
          tensor: `${names[source[edge]]}:${output[edge]}`,
          shape: shapes[shape[edge]],
        })),
      outputs: [
        {
          tensor: `${names[node]}:0`,
          shape: "float32[?,128]",
          consumers: edges
            .filter((edge) => source[edge] === node)
            .map((edge) => names[target[edge]]),
        },
      ],
      control_inputs: edges
        .filter((edge) => target[edge] === node && output[edge] === 65535)
        .map((edge) => names[source[edge]]),
      attributes: [
        ["transpose_a", "False"],
        ["T", "float32"],
      ],
      line: {
        file: "cell [3]",
        line: 14,
        text: "hidden = tf.nn.relu(tf.matmul(x, w))",
        cell: "cell-3",
      },
      was: null,
    };
  }

  #status(): object {
    return {
      run: "digits-1",
      name: "digits",
      state: "running",
      step: this.#step,
      steps: 2000,
      rate: 800,
      eta: 1,
      seconds: 1,
      values: {},
      observer_cost: 0.004,
      hyperparameters: [],
      graph: this.#graph?.header["graph"] ?? null,
      folder: "",
      parent: null,
      live: true,
      epoch: 0,
      error: null,
      stopped_by: null,
    };
  }

  #publish(): void {
    this.#step++;
    if (this.#graph !== null && this.#channels.length > 0) this.#publishOverlay(this.#graph);
    if (this.#tap !== null) this.#publishTap(this.#tap);
    this.#deliver({ method: "runs", params: { runs: [this.#status()] } }, []);
  }

  #publishOverlay({ header }: GraphMessage): void {
    const operations = Number(header["operations"]);
    // Made once and sent in turn: what is timed is the view, not this.
    const buffers = this.#channels.map((channel) => {
      const phase = this.#step % PHASES;
      const key = `${channel} ${phase} ${operations}`;
      const values = this.#waves.get(key) ?? makeWave(channel, phase, operations);
      this.#waves.set(key, values);
      return values.slice().buffer;
    });
    const params = {
      run: "digits-1",
      graph: header["graph"],
      version: header["version"],
      step: this.#step,
      channels: this.#channels,
      subscription: this.#subscription,
    };
    this.#deliver({ method: "overlay", params }, buffers);
  }

  #publishTap({ id, tensor }: { id: string; tensor: string }): void {
    const kinds = ["number", "vector", "image", "matrix", "histogram"] as const;
    const kind = kinds[this.#taps % kinds.length];
    const sizes = { number: 1, vector: 64, image: 9 * 28 * 28, matrix: 64 * 64, histogram: 30 };
    const values = Float32Array.from({ length: sizes[kind] }, (_, index) =>
      kind === "histogram"
        ? Math.exp(-(((index - 15) / 6) ** 2)) * (900 + 100 * this.#random())
        : Math.sin(index / 9 + this.#step / 4) + 0.3 * this.#random(),
    );
    this.#history.push(Math.exp(-this.#step / 60) + 0.1 * this.#random());
    this.#history = this.#history.slice(-200);
    const params = {
      tap: id,
      run: "digits-1",
      tensor,
      step: this.#step,
      shape: kind === "number" ? [] : [64, 64],
      dtype: "float32",
      kind,
      summary: {
        mean: 0.12,
        deviation: 0.7,
        minimum: -1,
        maximum: 1.3,
        zeros: 0.02,
        nonfinite: 0,
        size: values.length,
      },
      samples: this.#step,
      text: null,
      images: kind === "image" ? 9 : null,
      rows: kind === "image" ? 28 : kind === "matrix" ? 64 : null,
      columns: kind === "image" ? 28 : kind === "matrix" ? 64 : null,
      color: false,
    };
    const edges = Float32Array.from(
      { length: kind === "histogram" ? 31 : 0 },
      (_, index) => index / 15 - 1,
    );
    const steps = Float64Array.from(this.#history, (_, index) => index);
    const history = Float32Array.from(this.#history);
    const buffers = [values, edges, steps, history].map((array) => array.buffer);
    this.#deliver({ method: "tap", params }, buffers);
  }
}

/** A wave that runs through the graph, so that every frame differs from the last. */
function makeWave(channel: string, phase: number, operations: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: operations }, (_, operation) => {
    const wave = 1 + Math.sin(operation / 40 - (2 * Math.PI * phase) / PHASES);
    if (channel === "nonfinite") return Number(operation % 500 === 0);
    if (channel === "zeros") return wave / 2;
    return channel === "mean" ? wave - 1 : 2e-5 * wave ** 6;
  });
}

async function findGraph(name: string): Promise<GraphMessage> {
  const [kind, count] = name.split(":");
  if (count !== undefined) return generateGraph(name, Number(count), kind === "flat");
  const answer = await fetch(`${name}.json`);
  if (!answer.ok) throw new Error(`There is no graph "${name}".`);
  const header = (await answer.json()) as Record<string, unknown>;
  const whole = await (await fetch(`${name}.bin`)).arrayBuffer();
  let place = 0;
  const buffers = (header["lengths"] as number[]).map((length) => {
    place += length;
    return whole.slice(place - length, place);
  });
  return { header: { ...header, graph: name }, buffers };
}
