import { channelNamed, type ChannelName } from "../overlay/channels.js";
import { colourByChannel, colourByDevice, type Coloured } from "../overlay/colouring.js";
import type { Range } from "../overlay/scale.js";
import { findNotes, sentenceOf, type Note, type Ways } from "../overlay/ways.js";
import { resultSizes } from "../overlay/weights.js";
import { decodeChannel } from "../protocol/decode.js";
import type { OverlayChannel, OverlayFrame, RunStatus } from "../protocol/messages.js";
import { newIdentity } from "../protocol/identity.js";
import { Newest } from "../protocol/newest.js";
import type { Link } from "./link.js";
import type { Navigator } from "./navigator.js";
import { Signal } from "./signal.js";
import type { Status } from "./status.js";

/** An overlay without a new frame for this long is shown as stale. */
const STALE_MILLISECONDS = 2000;

interface Incoming {
  readonly frame: OverlayFrame;
  readonly buffers: readonly DataView[];
}

interface Subscribed {
  readonly run: string;
  readonly channels: readonly OverlayChannel[];
}

/** What is shown of graphs with loops and conditions whatever they are coloured by. */
const WAYS: readonly OverlayChannel[] = ["passes", "taken"];

/** Colours the picture by what a run measures, as it trains. */
export class Overlay {
  /** Another run, channel, range or state: what the legend and the status line show. */
  readonly changed = new Signal();
  runs: readonly RunStatus[] = [];
  run: string | null = null;
  channel: ChannelName | null = null;
  step: number | null = null;
  coloured: Coloured | null = null;
  /** What is written at loops and conditions. */
  notes: readonly Note[] = [];
  isStale = false;
  /** Frames shown since the beginning. */
  frames = 0;
  /** Times of the last frames, for the figure in the status line. */
  readonly #times: number[] = [];
  #values: Float32Array | null = null;
  #ways: Ways | null = null;
  #weights: Float32Array | null = null;
  #range: Range | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Tells this picture's frames from those of others on the same connection. */
  readonly #subscription = newIdentity();
  /** What the kernel was last asked to send. */
  #subscribed: Subscribed | null = null;
  readonly #newest = new Newest<Incoming>((incoming) => this.#take(incoming));

  constructor(
    private readonly navigator: Navigator,
    private readonly link: Link,
    private readonly status: Status,
  ) {
    link.on("overlay", (frame, buffers) => {
      if (frame.subscription === this.#subscription) this.#newest.put({ frame, buffers });
    });
    link.on("runs", ({ runs }) => this.#takeRuns(runs));
    navigator.sceneChanged.connect(() => this.#colour());
  }

  /** Those whose graph this is; two graphs laid over each other have none. */
  get runsOfGraph(): readonly RunStatus[] {
    const { graph } = this.navigator;
    if (graph === null || graph.status !== null) return [];
    const { name } = graph;
    return this.runs.filter((run) => run.live && run.graph === name);
  }

  get current(): RunStatus | null {
    return this.runs.find((run) => run.run === this.run) ?? null;
  }

  get framesASecond(): number {
    const now = performance.now();
    return this.#times.filter((time) => now - time < 1000).length;
  }

  dispose(): void {
    this.#newest.dispose();
    if (this.#timer !== null) clearTimeout(this.#timer);
    const subscribed = this.#subscribed;
    this.#subscribed = null;
    if (subscribed && !this.link.isLost) {
      this.#unsubscribe(subscribed.run).catch(() => undefined);
    }
    this.changed.clear();
  }

  /** Ask for the runs, and for what was subscribed before the channel changed. */
  async begin(): Promise<void> {
    this.#subscribed = null;
    try {
      await this.link.request("runs.subscribe", {});
      const { result } = await this.link.request("runs.list", {});
      this.#takeRuns(result.runs);
      await this.#subscribe();
    } catch (error) {
      this.status.fail(error);
    }
  }

  /** Another graph: nothing that is known belongs to it. */
  reset(): void {
    this.#weights = this.#values = null;
    this.#ways = null;
    this.#range = null;
    this.#chooseDefaultRun();
    this.#colour();
    void this.#subscribe();
  }

  async chooseRun(run: string | null): Promise<void> {
    if (run === this.run) return;
    this.run = run;
    this.#forget();
    await this.#subscribe();
  }

  async chooseChannel(channel: ChannelName | null): Promise<void> {
    if (channel === this.channel) return;
    this.channel = channel;
    this.#forget();
    await this.#subscribe();
  }

  /** Compute the colours again: other colours of the page. */
  repaint(): void {
    this.#colour();
  }

  /** What the last observed step did in a loop or condition, as text; null where that is unknown. */
  wayOf(operation: number): string | null {
    const said = this.#ways === null ? null : sentenceOf(this.#ways, operation);
    return said === null ? null : `${said} in step ${this.step}`;
  }

  #forget(): void {
    this.#values = null;
    this.#ways = null;
    this.#range = null;
    this.step = null;
    this.isStale = false;
    this.#colour();
  }

  async #subscribe(): Promise<void> {
    const { run, channel } = this;
    const measured = channel === null || channel === "device" ? [] : [channel];
    const channels = [...measured, ...(this.navigator.graph?.nesting ? WAYS : [])];
    const wanted = run !== null && channels.length > 0 ? { run, channels } : null;
    const before = this.#subscribed;
    if (before?.run === wanted?.run && before?.channels.join() === wanted?.channels.join()) return;
    this.#subscribed = wanted;
    try {
      if (before !== null && before.run !== wanted?.run) {
        await this.#unsubscribe(before.run);
      }
      if (wanted !== null) {
        await this.link.request("overlay.subscribe", {
          run: wanted.run,
          channels: wanted.channels,
          subscription: this.#subscription,
        });
        this.#watchForSilence();
      }
    } catch (error) {
      if (this.#subscribed === wanted) this.#subscribed = null;
      this.status.fail(error);
    }
  }

  #unsubscribe(run: string): Promise<unknown> {
    const subscription = this.#subscription;
    return this.link.request("overlay.unsubscribe", { run, subscription });
  }

  #takeRuns(runs: readonly RunStatus[]): void {
    this.runs = runs;
    this.#chooseDefaultRun();
    void this.#subscribe();
    this.changed.emit();
  }

  /** The newest live run of this graph, unless the user has chosen another one that is there. */
  #chooseDefaultRun(): void {
    const runs = this.runsOfGraph;
    if (runs.some((run) => run.run === this.run)) return;
    const running = runs.filter((run) => run.state === "running" || run.state === "paused");
    const candidates = running.length > 0 ? running : runs;
    this.run = candidates[candidates.length - 1]?.run ?? null;
    this.#forget();
  }

  #take({ frame, buffers }: Incoming): void {
    const { graph } = this.navigator;
    if (graph === null || frame.run !== this.run) return;
    // A graph that has grown is on its way: its new frames fit when it is here.
    if (frame.graph !== graph.name || frame.version !== graph.version) return;
    try {
      const decode = (channel: string | null): Float32Array | null => {
        const place = frame.channels.findIndex((name) => name === channel);
        return place < 0 ? null : decodeChannel(buffers[place], graph.names.length);
      };
      const [passes, taken] = WAYS.map(decode);
      this.#ways = passes && taken ? { passes, taken } : null;
      this.#values = decode(this.channel);
    } catch (error) {
      this.status.fail(error);
      return;
    }
    this.step = frame.step;
    this.isStale = false;
    this.frames++;
    this.#times.push(performance.now());
    if (this.#times.length > 120) this.#times.shift();
    this.#watchForSilence();
    this.#colour();
  }

  #watchForSilence(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.isStale = this.#values !== null;
      this.changed.emit();
    }, STALE_MILLISECONDS);
  }

  #colour(): void {
    const { graph, geometry, visible, items, dark, stage } = this.navigator;
    const channel = this.channel === null ? null : channelNamed(this.channel);
    this.coloured = null;
    this.notes =
      this.#ways !== null && graph?.nesting && geometry !== null
        ? findNotes(this.#ways, graph.nesting, visible, geometry.scene)
        : [];
    stage.notes = this.notes;
    if (graph !== null && geometry !== null) {
      if (this.channel === "device") {
        this.coloured = colourByDevice(graph, visible, items, geometry.scene, dark);
      } else if (channel !== null && this.#values !== null) {
        this.#weights ??= resultSizes(graph);
        const { scene } = geometry;
        const values = this.#values;
        this.coloured = colourByChannel(
          { channel, values, visible, items, weights: this.#weights, scene, dark },
          this.#range,
        );
        this.#range = this.coloured.range;
      }
    }
    stage.colours = this.coloured?.colours ?? null;
    this.changed.emit();
  }
}
