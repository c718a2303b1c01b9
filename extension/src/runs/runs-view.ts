import type { Client, Subscription } from "../protocol/client.js";
import { messageOf } from "../protocol/errors.js";
import type { RunStatus } from "../protocol/messages.js";
import { Newest } from "../protocol/newest.js";
import { matches } from "./comparison.js";
import { element, setHidden, setText } from "./dom.js";
import { icon } from "./icons.js";
import { keepLetters } from "../page/letters.js";
import { copyButton } from "./python-box.js";
import { button } from "./run-controls.js";
import { RunView } from "./run-view.js";
import { RunsComparison } from "./runs-comparison.js";
import { type ListColumns, type RowActions, RunsRow } from "./runs-row.js";
import { Sparks } from "./sparks.js";
import { followTheme, type Palette, readPalette, type Theme } from "./theme.js";
import type { OpenCell } from "./trouble.js";

export interface RunsViewOptions {
  readonly client: Client;
  readonly theme?: Theme;
  /** Opens a run elsewhere; without it the run opens in place of the list. */
  readonly onOpenRun?: (run: string) => void;
  readonly onOpenCell?: OpenCell;
  readonly onOpenGraph?: (graph: string, run: string) => void;
}

/** What makes a first run, for those who have none. */
const FIRST = 'run = wb.run(train_op, steps=1000, track={"loss": loss}, name="first")';

/** Columns of values and of hyperparameters: the comparison has them all. */
const MOST = 4;

/**
 * All runs of the kernel and of the project's folder: look through them, open one, compare several,
 * delete some.
 *
 *     const view = new RunsView(host, { client, onOpenRun: (run) => ... });
 */
export class RunsView implements Subscription {
  #client: Client;
  #runs: readonly RunStatus[] | null = null;
  #columns: ListColumns = { values: [], hyperparameters: [] };
  #listening: Subscription[] = [];
  #opened: RunView | null = null;
  #disposed = false;
  /** Runs that are compared, in the order of their colours; null where one was taken away. */
  #selected: (string | null)[] = [];
  readonly #rows = new Map<string, RunsRow>();
  readonly #sparks: Sparks;
  readonly #theme: Subscription;
  readonly #letters: Subscription;
  readonly #frame = new Newest<null>(() => this.#draw());
  readonly #comparison = new RunsComparison(() => this.#frame.put(null));
  readonly #message = element("div", {
    class: "run-message",
    attributes: { role: "status", "aria-live": "polite" },
  });
  readonly #filter: HTMLInputElement;
  readonly #count = element("span", { class: "run-hint", attributes: { role: "status" } });
  readonly #head = element("thead");
  readonly #body = element("tbody");
  readonly #table: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #list: HTMLElement;
  readonly #single = element("div", { class: "runs-single" });
  readonly #root: HTMLElement;
  #copyTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: RunsViewOptions,
  ) {
    this.#client = options.client;
    this.#sparks = new Sparks(this.#client, () => this.#frame.put(null));
    this.#filter = element("input", {
      class: "run-field runs-filter",
      attributes: {
        type: "search",
        placeholder: "Filter: name, state, lr=0.1",
        "aria-label": "Filter runs",
        spellcheck: "false",
      },
      on: { input: () => this.#frame.put(null) },
    });
    this.#table = element(
      "div",
      { class: "runs-scroll" },
      element("table", { class: "runs-table" }, this.#head, this.#body),
    );
    this.#empty = this.#makeEmpty();
    this.#list = element(
      "div",
      { class: "runs-list" },
      element(
        "div",
        { class: "runs-head" },
        element("h2", { class: "run-name", text: "Runs" }),
        this.#count,
        element("span", { class: "run-gap" }),
        element("span", { class: "runs-search" }, icon("search"), this.#filter),
      ),
      this.#table,
      this.#empty,
      this.#comparison.element,
    );
    this.#message.hidden = this.#single.hidden = this.#empty.hidden = this.#table.hidden = true;
    this.#root = element(
      "div",
      { class: "workbench-runs" },
      this.#message,
      this.#list,
      this.#single,
    );
    host.replaceChildren(this.#root);
    (host as { workbench?: unknown }).workbench = this;
    this.#letters = keepLetters(this.#root);
    this.#theme = followTheme(this.#root, options.theme, () => {
      this.#comparison.repaint();
      this.#frame.put(null);
    });
    this.#listen();
  }

  /** The same list over a new connection: after a reload, or after the kernel was restarted. */
  reconnect(client: Client): void {
    if (this.#disposed) return;
    for (const subscription of this.#listening) subscription.dispose();
    this.#client = client;
    this.#sparks.connect(client);
    this.#opened?.reconnect(client);
    this.#listen();
  }

  /** Open a run: where the options say, else in place of the list. */
  open(run: string): void {
    if (this.options.onOpenRun) {
      this.options.onOpenRun(run);
      return;
    }
    this.#opened?.dispose();
    const { theme, onOpenCell, onOpenGraph } = this.options;
    const back = button("back", "All runs", "Back to the list", () => this.#closeRun());
    back.classList.add("run-quiet");
    const place = element("div");
    this.#single.replaceChildren(back, place);
    this.#opened = new RunView(place, {
      client: this.#client,
      run,
      onOpenRun: (other) => this.open(other),
      ...(theme && { theme }),
      ...(onOpenCell && { onOpenCell }),
      ...(onOpenGraph && { onOpenGraph }),
    });
    setHidden(this.#list, true);
    setHidden(this.#single, false);
    back.focus();
  }

  /** What is shown, as JSON, for tests. */
  snapshot(): object {
    return {
      runs: this.#runs,
      shown: this.#shown().map(({ run }) => run),
      selected: this.#compared().map(({ status, color }) => ({ run: status.run, color })),
      columns: this.#columns,
      message: this.#message.hidden ? null : this.#message.textContent,
      empty: this.#empty.hidden ? null : this.#empty.textContent,
      rows: [...this.#body.rows].map((row) => [...row.cells].map(({ innerText }) => innerText)),
      comparison: this.#comparison.snapshot(),
      opened: this.#opened?.snapshot() ?? null,
    };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const subscription of this.#listening) subscription.dispose();
    for (const part of [this.#frame, this.#theme, this.#letters, this.#comparison]) part.dispose();
    this.#opened?.dispose();
    if (this.#copyTimer !== null) clearTimeout(this.#copyTimer);
    this.#root.remove();
    delete (this.host as { workbench?: unknown }).workbench;
  }

  #makeEmpty(): HTMLElement {
    return element(
      "div",
      { class: "runs-empty" },
      element("p", { class: "run-trouble-title", text: "No runs yet" }),
      element("p", {
        class: "run-hint",
        text: "Start one in a cell; it returns at once and shows up here:",
      }),
      element(
        "div",
        { class: "run-python" },
        element("code", { text: FIRST }),
        copyButton(
          () => FIRST,
          (timer) => (this.#copyTimer = timer),
        ),
      ),
    );
  }

  #listen(): void {
    const client = this.#client;
    this.#listening = [
      client.on("runs", ({ runs }) => this.#take(runs)),
      client.onClose(() => {
        this.#comparison.connect(null, "");
        this.#tell("gone", "The kernel is gone. This is how things stood then.");
      }),
    ];
    void this.#meet(client);
  }

  async #meet(client: Client): Promise<void> {
    try {
      const { kernel, runs } = await client.hello();
      if (client !== this.#client || this.#disposed) return;
      this.#comparison.connect(client, kernel);
      this.#tell(null, "");
      this.#take(runs);
      await client.request("runs.subscribe", {});
    } catch (error) {
      if (client === this.#client && !client.closed) this.#tell("wrong", messageOf(error));
    }
  }

  #take(runs: readonly RunStatus[]): void {
    this.#runs = runs;
    this.#sparks.update(runs);
    this.#frame.put(null);
  }

  #shown(): readonly RunStatus[] {
    return (this.#runs ?? []).filter((run) => matches(run, this.#filter.value));
  }

  #compared(): { status: RunStatus; color: string }[] {
    const { series } = readPalette(this.#root);
    return this.#selected.flatMap((run, index) => {
      const status = this.#runs?.find((one) => one.run === run);
      return status ? [{ status, color: series[index % series.length] }] : [];
    });
  }

  #draw(): void {
    if (!this.#runs || this.#disposed) return;
    const shown = this.#shown();
    const total = this.#runs.length;
    setHidden(this.#empty, total > 0);
    setHidden(this.#table, total === 0);
    setText(this.#count, shown.length === total ? `${total}` : `${shown.length} of ${total}`);
    this.#updateColumns(this.#runs);
    const palette = readPalette(this.#root);
    for (const run of this.#rows.keys()) {
      if (!this.#runs.some((one) => one.run === run)) this.#rows.delete(run);
    }
    const colors = new Map(this.#compared().map(({ status, color }) => [status.run, color]));
    const elements = shown.map((status) => this.#drawRow(status, palette, colors.get(status.run)));
    const children = [...this.#body.children];
    const same =
      children.length === elements.length &&
      elements.every((row, index) => row === children[index]);
    // Replacing rows that have not moved would take the focus away.
    if (!same) this.#body.replaceChildren(...elements);
    this.#comparison.update(this.#compared());
  }

  #drawRow(status: RunStatus, palette: Palette, color: string | undefined): HTMLElement {
    let row = this.#rows.get(status.run);
    if (!row) {
      row = new RunsRow(status.run, this.#columns, this.#actions);
      this.#rows.set(status.run, row);
    }
    const parent = this.#runs?.find(({ run }) => run === status.parent?.run)?.name ?? null;
    row.update(status, parent);
    row.mark(color ?? null);
    row.drawSpark(this.#sparks.curveOf(status), color ?? palette.series[0]);
    return row.element;
  }

  readonly #actions: RowActions = {
    select: (run, selected) => this.#select(run, selected),
    open: (run) => this.open(run),
    remove: (run) => void this.#remove(run),
  };

  /** A run keeps its colour while it is selected, whatever becomes of the others. */
  #select(run: string, selected: boolean): void {
    const at = this.#selected.indexOf(run);
    if (!selected && at >= 0) this.#selected[at] = null;
    if (selected && at < 0) {
      const free = this.#selected.indexOf(null);
      this.#selected[free < 0 ? this.#selected.length : free] = run;
    }
    this.#frame.put(null);
  }

  #updateColumns(runs: readonly RunStatus[]): void {
    const columns = {
      values: union(runs.map(({ values }) => Object.keys(values))),
      hyperparameters: union(
        runs.map(({ hyperparameters }) => hyperparameters.map(({ name }) => name)),
      ),
    };
    if (JSON.stringify(columns) === JSON.stringify(this.#columns) && this.#head.hasChildNodes())
      return;
    this.#columns = columns;
    this.#rows.clear();
    const numbers = [...columns.values, ...columns.hyperparameters];
    const head = (text: string, kind = "") =>
      element("th", { text, class: kind, attributes: { scope: "col" } });
    this.#head.replaceChildren(
      element(
        "tr",
        {},
        element("td"),
        head("Name"),
        head("State"),
        head("Step", "runs-number"),
        head("Curve"),
        ...numbers.map((name) => head(name, "runs-number")),
        element("td"),
      ),
    );
  }

  async #remove(run: string): Promise<void> {
    try {
      await this.#client.request("runs.delete", { run });
      this.#select(run, false);
      const { result } = await this.#client.request("runs.list", {});
      this.#tell(null, "");
      this.#take(result.runs);
    } catch (error) {
      this.#tell("wrong", messageOf(error));
    }
  }

  #closeRun(): void {
    this.#opened?.dispose();
    this.#opened = null;
    this.#single.replaceChildren();
    setHidden(this.#single, true);
    setHidden(this.#list, false);
    this.#filter.focus();
    this.#frame.put(null);
  }

  #tell(mood: "wrong" | "gone" | null, text: string): void {
    setHidden(this.#message, text === "");
    if (mood) this.#message.dataset["mood"] = mood;
    this.#message.replaceChildren(...(mood ? [icon("warning")] : []), text);
  }
}

function union(lists: readonly (readonly string[])[]): string[] {
  return [...new Set(lists.flat())].slice(0, MOST);
}
