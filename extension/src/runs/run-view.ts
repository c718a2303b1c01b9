import type { Client, Subscription } from "../protocol/client.js";
import { messageOf } from "../protocol/errors.js";
import type { RunStatus } from "../protocol/messages.js";
import { Newest } from "../protocol/newest.js";
import { nearestIndex } from "./chart-model.js";
import { Charts } from "./charts.js";
import { ComparedRuns } from "./compared-runs.js";
import { ComparePicker } from "./compare-picker.js";
import { element, setHidden, setText } from "./dom.js";
import { EventList } from "./event-list.js";
import { count, value as shortValue } from "./format.js";
import { Hyperparameters } from "./hyperparameters.js";
import { keepLetters } from "../page/letters.js";
import { PythonBox } from "./python-box.js";
import { RunCommands } from "./run-commands.js";
import { button, RunControls } from "./run-controls.js";
import { acquireFeed, type AcquiredFeed } from "./run-feed.js";
import { Replicas } from "./replicas.js";
import { RunHeader } from "./run-header.js";
import { RunWords } from "./run-words.js";
import { StepForm } from "./step-form.js";
import { followTheme, readPalette, type Theme } from "./theme.js";
import { type OpenCell, Trouble } from "./trouble.js";

export interface RunViewOptions {
  readonly client: Client;
  /** The run's id. */
  readonly run: string;
  /** As the page around it, if not given. */
  readonly theme?: Theme;
  readonly onOpenCell?: OpenCell;
  readonly onOpenGraph?: (graph: string, run: string) => void;
  readonly onOpenRun?: (run: string) => void;
}

/**
 * A run: its curves while it goes on, what it can be told, and what became of it.
 *
 *     const view = new RunView(host, { client, run: "digits-1" });
 *     view.dispose();
 */
export class RunView implements Subscription {
  #client: Client;
  #kernel = "";
  #status: RunStatus | null = null;
  #runs: readonly RunStatus[] = [];
  #feed: AcquiredFeed;
  readonly #others = new ComparedRuns((run) => this.#acquire(run));
  #listening: Subscription[] = [];
  /** Set once the kernel is gone, or was restarted. */
  #ended: string | null = null;
  #disposed = false;
  readonly #theme: Subscription;
  readonly #letters: Subscription;
  readonly #frame = new Newest<null>(() => this.#draw());
  readonly #root: HTMLElement;
  readonly #header = new RunHeader();
  readonly #controls: RunControls;
  readonly #words = new RunWords();
  #epoch: number | null = null;
  readonly #trouble: Trouble;
  readonly #charts = new Charts({ onStep: (step) => this.#choose(step) });
  readonly #form: StepForm;
  readonly #settings: Hyperparameters;
  readonly #replicas = new Replicas();
  readonly #events = new EventList((step) => this.#choose(step));
  readonly #python = new PythonBox();
  readonly #picker: ComparePicker;
  readonly #commands: RunCommands;
  /** Cut at its beginning, where it is like all others; the bdi keeps its slashes in order. */
  readonly #folder = element("bdi");
  readonly #graph: HTMLButtonElement;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: RunViewOptions,
  ) {
    this.#client = options.client;
    this.#commands = new RunCommands({
      run: options.run,
      client: () => this.#client,
      words: this.#words,
      python: this.#python,
      // The curves of the two beside each other are what a fork is for.
      onForked: (run) => this.#picker.add(run),
      onOpenRun: options.onOpenRun,
    });
    this.#controls = new RunControls({
      pause: () => this.#commands.send("pause", {}),
      resume: () => this.#commands.send("resume", {}),
      step: (steps) => this.#commands.send("step", { count: steps }),
      stop: () => this.#commands.send("stop", {}),
      snapshot: () => this.#commands.send("snapshot", {}),
      rewind: () => this.#openForm(),
      fork: () => this.#openForm(),
    });
    this.#form = new StepForm({
      rewind: (step) => this.#commands.send("rewind", { step }),
      fork: (fork) => this.#commands.send("fork", fork),
      closed: () => this.#charts.choose(null),
    });
    this.#form.stepChanged = (step) => this.#tellStep(step);
    this.#settings = new Hyperparameters((name, value) =>
      this.#commands.request("set", { [name]: value }),
    );
    this.#trouble = new Trouble(options.onOpenCell);
    this.#picker = new ComparePicker(
      () => void this.#refreshRuns(),
      () => this.#compare(),
    );
    this.#graph = button("graph", "Graph", "Show the graph of this run", () => {
      const graph = this.#status?.graph;
      if (graph) options.onOpenGraph?.(graph, options.run);
    });
    this.#root = this.#assemble();
    host.replaceChildren(this.#root);
    (host as { workbench?: unknown }).workbench = this;
    this.#letters = keepLetters(this.#root);
    this.#theme = followTheme(this.#root, options.theme, () => {
      this.#charts.repaint();
      // Runs have other colours as well.
      this.#frame.put(null);
    });
    this.#feed = this.#acquire(options.run);
    this.#listen();
  }

  /** The same view over a new connection: after a reload, or after the kernel was restarted. */
  reconnect(client: Client): void {
    if (this.#disposed) return;
    for (const subscription of this.#listening) subscription.dispose();
    this.#others.dispose();
    this.#feed.dispose();
    this.#client = client;
    this.#ended = null;
    this.#feed = this.#acquire(this.options.run);
    this.#listen();
    this.#compare();
  }

  /** What is shown, as JSON, for tests. */
  snapshot(): object {
    return {
      run: this.options.run,
      status: this.#status,
      state: this.#header.state,
      kernel: this.#kernel,
      connected: this.#connected,
      ...this.#words.texts,
      trouble: this.#trouble.element.hidden ? null : this.#trouble.element.textContent,
      pressable: this.#controls.pressable,
      hyperparameters: this.#settings.snapshot(),
      python: this.#python.text || null,
      events: this.#feed.feed.events,
      replicas: this.#replicas.texts,
      compared: [...this.#picker.chosen],
      charts: this.#charts.snapshot(),
    };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const subscription of this.#listening) subscription.dispose();
    for (const part of [
      this.#feed,
      this.#others,
      this.#words,
      this.#frame,
      this.#theme,
      this.#letters,
      this.#charts,
    ])
      part.dispose();
    this.#settings.dispose();
    this.#python.dispose();
    this.#root.remove();
    delete (this.host as { workbench?: unknown }).workbench;
  }

  get #connected(): boolean {
    return !this.#client.closed && this.#ended === null;
  }

  #assemble(): HTMLElement {
    this.#graph.classList.add("run-quiet");
    return element(
      "article",
      { class: "workbench-run", attributes: { "aria-label": "Run" } },
      this.#header.element,
      element(
        "div",
        { class: "run-actions" },
        this.#controls.element,
        this.#words.news,
        this.#graph,
      ),
      this.#words.message,
      this.#trouble.element,
      this.#replicas.element,
      element(
        "div",
        { class: "run-body" },
        element(
          "div",
          { class: "run-main" },
          element("div", { class: "run-picker" }, this.#picker.element),
          this.#charts.element,
          this.#form.element,
        ),
        element(
          "aside",
          { class: "run-side" },
          this.#settings.element,
          this.#events.element,
          element("p", { class: "run-folder" }, this.#folder),
        ),
      ),
      this.#python.element,
    );
  }

  #acquire(run: string): AcquiredFeed {
    return acquireFeed(this.#client, run, () => this.#frame.put(null));
  }

  #listen(): void {
    const client = this.#client;
    this.#listening = [client.onClose(() => this.#lose())];
    void this.#meet(client);
    this.#frame.put(null);
  }

  /** Find out who the kernel is: another one than before cannot have this run's loop. */
  async #meet(client: Client): Promise<void> {
    try {
      const { kernel, runs } = await client.hello();
      if (client !== this.#client || this.#disposed) return;
      const restarted = this.#kernel !== "" && this.#kernel !== kernel;
      const before = this.#status;
      this.#kernel = kernel;
      this.#runs = runs;
      this.#charts.connect(client, kernel);
      // What is compared may be unknown to another kernel.
      this.#picker.update(runs.filter(({ run }) => run !== this.options.run));
      if (!restarted) {
        this.#words.tell(null, "");
      } else if (before && isUnderWay(before)) {
        const known = runs.find(({ run }) => run === this.options.run);
        const step = count(known?.step ?? before.step);
        if (!known) this.#ended = "interrupted";
        this.#words.tell("gone", `The kernel was restarted: this run ended at step ${step}.`);
      }
    } catch (error) {
      if (client === this.#client) this.#words.tell("wrong", messageOf(error));
    }
    this.#frame.put(null);
  }

  #lose(): void {
    const step = this.#status ? ` The last step seen here is ${count(this.#status.step)}.` : "";
    this.#charts.connect(null, "");
    this.#words.report("", null);
    this.#words.tell("gone", `The kernel is gone.${step}`);
    this.#frame.put(null);
  }

  #draw(): void {
    const { status, curves, events, problem, news } = this.#feed.feed;
    if (problem && !this.#status) this.#words.tell("wrong", problem);
    // A new connection that does not know the run keeps what was known of it.
    if (status) this.#status = status;
    if (!this.#status) return;
    const shown =
      this.#ended !== null ? { ...this.#status, state: "interrupted" as const } : this.#status;
    // Nobody can say whether a run goes on while its kernel cannot be asked.
    const state = this.#client.closed && !isOver(shown) ? "unknown" : shown.state;
    this.#header.update(shown, this.#nameOf(shown.parent?.run), state);
    this.#controls.update(shown, this.#connected);
    if (this.#epoch !== null && this.#epoch !== shown.epoch) this.#settings.forget();
    this.#epoch = shown.epoch;
    this.#settings.update(shown.hyperparameters, this.#connected && shown.live && !isOver(shown));
    this.#settings.recorded(events, news);
    this.#trouble.update(shown);
    this.#replicas.update(shown.replicas ?? [], shown.terms ?? null);
    this.#events.update(events, shown.step);
    setText(this.#folder, shown.folder);
    this.#folder.title = shown.folder;
    setHidden(this.#graph, !shown.graph || !this.options.onOpenGraph);
    // Curves of a connection that has not answered yet are no reason to drop those that are drawn.
    if (curves.length > 0 || status) this.#drawCharts();
  }

  #drawCharts(): void {
    const feeds = [this.#feed.feed, ...this.#others.feeds];
    const { series } = readPalette(this.#root);
    this.#charts.show(
      feeds.map(({ run, curves, events, status }, index) => ({
        run,
        label: status?.name ?? run,
        color: series[index % series.length],
        curves,
        events,
        parent: status?.parent ?? null,
      })),
    );
  }

  #choose(step: number): void {
    const status = this.#status;
    if (!status || !status.live || !this.#connected) return;
    this.#form.open(step, status.step, status.hyperparameters);
    this.#tellStep(this.#form.step);
  }

  #openForm(): void {
    if (!this.#form.isOpen) this.#choose(this.#status?.step ?? 0);
    this.#form.focus();
  }

  /** Mark the chosen step, and say what was recorded there. */
  #tellStep(step: number): void {
    this.#charts.choose(step);
    const { curves } = this.#feed.feed;
    const index = nearestIndex(curves.steps, step);
    const values = curves.names.map(
      (name) => `${name} ${shortValue(curves.of(name)[index] ?? NaN)}`,
    );
    const near =
      curves.steps[index] === step ? "" : `near step ${count(curves.steps[index] ?? 0)}: `;
    this.#form.tell(index < 0 ? "" : near + values.join(" · "));
  }

  async #refreshRuns(): Promise<void> {
    try {
      const { result } = await this.#client.request("runs.list", {});
      this.#runs = result.runs;
      this.#picker.update(result.runs.filter(({ run }) => run !== this.options.run));
    } catch (error) {
      this.#words.tell("wrong", messageOf(error));
    }
  }

  #compare(): void {
    this.#others.choose(this.#picker.chosen, !this.#client.closed);
    this.#frame.put(null);
  }

  #nameOf(run: string | undefined): string | null {
    return this.#runs.find((one) => one.run === run)?.name ?? null;
  }
}

function isUnderWay({ state }: RunStatus): boolean {
  return state === "created" || state === "running" || state === "paused";
}

function isOver({ state }: RunStatus): boolean {
  return !isUnderWay({ state } as RunStatus);
}
