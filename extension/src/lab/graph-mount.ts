import { startEngine } from "../engine/start.js";
import type { ChannelName } from "../overlay/channels.js";
import type { Client } from "../protocol/client.js";
import type { GraphSummary } from "../protocol/messages.js";
import type { OpenCell } from "../view/line.js";
import { GraphView } from "../view/graph-view.js";
import { firstGraph } from "./first-graph.js";
import type { PanelView } from "./link-panel.js";

export interface GraphMountOptions {
  readonly client: Client;
  /** Tells one notebook's kept views from another's. */
  readonly path: string;
  /** What colours the graph at first. */
  readonly overlay: ChannelName | null;
  readonly onOpenCell: OpenCell;
}

/** What the graph panel is asked to show. */
export interface GraphRequest {
  readonly graph?: string;
  readonly against?: string;
}

/** A graph view below a line that says which of the kernel's graphs it shows. */
export class GraphMount implements PanelView<GraphRequest> {
  readonly #view: GraphView;
  readonly #graph = document.createElement("select");
  readonly #against = document.createElement("select");
  #client: Client;
  #asked = false;

  constructor(host: HTMLElement, { client, path, overlay, onOpenCell }: GraphMountOptions) {
    this.#client = client;
    const bar = document.createElement("div");
    bar.className = "workbench-graph-bar";
    bar.append(label("Graph", this.#graph), label("Compare with", this.#against));
    const place = document.createElement("div");
    place.className = "workbench-graph-place";
    host.append(bar, place);
    this.#fill("default", "", []);
    for (const select of [this.#graph, this.#against]) {
      select.addEventListener("change", () => void this.#show());
      // Cells may have named more graphs meanwhile.
      select.addEventListener("focus", () => void this.#refresh());
    }
    const storage = {
      getItem: (key: string) => localStorage.getItem(`${key}:${path}`),
      setItem: (key: string, value: string) => localStorage.setItem(`${key}:${path}`, value),
    };
    this.#view = new GraphView(place, { client, engine: startEngine(), onOpenCell, storage });
    void this.#view.overlay.chooseChannel(overlay);
    void this.#begin();
  }

  /** Shows the graph that matters most, if nobody has asked for one by the time it is known. */
  async #begin(): Promise<void> {
    try {
      const { graphs, runs } = await this.#client.hello();
      const graph = this.#asked ? this.#graph.value : firstGraph(graphs, runs);
      this.#fill(graph, this.#against.value, namesOf(graphs));
    } catch {
      // The view itself says why the kernel cannot be asked.
    }
    if (!this.#asked) void this.#show();
  }

  show({ graph, against }: GraphRequest): void {
    if (graph !== undefined) {
      this.#asked = true;
      this.#fill(graph, against ?? "", this.#names());
      void this.#show();
    }
  }

  reconnect(client: Client): void {
    this.#client = client;
    void this.#view.reconnect(client);
    void this.#refresh();
  }

  dispose(): void {
    this.#view.dispose();
  }

  #show(): Promise<void> {
    const against = this.#against.value === "" ? null : this.#against.value;
    return this.#view.show(this.#graph.value, { against });
  }

  async #refresh(): Promise<void> {
    try {
      const { graphs } = await this.#client.hello();
      this.#fill(this.#graph.value, this.#against.value, namesOf(graphs));
    } catch {
      // The view itself says why the kernel cannot be asked.
    }
  }

  #names(): string[] {
    return [...this.#graph.options].map(({ value }) => value);
  }

  /** Offers the graphs, and always what is shown now. */
  #fill(graph: string, against: string, names: readonly string[]): void {
    const all = [...new Set(["default", ...names, graph])];
    offer(this.#graph, all, graph);
    offer(
      this.#against,
      [...new Set(["", ...all.slice(1), ...(against ? [against] : [])])],
      against,
    );
  }
}

function namesOf(graphs: readonly GraphSummary[]): string[] {
  return graphs.map(({ graph }) => graph);
}

function offer(select: HTMLSelectElement, values: readonly string[], chosen: string): void {
  const old = [...select.options].map(({ value }) => value);
  // A list that is open stays open if nothing is new.
  if (old.length !== values.length || old.some((value, place) => value !== values[place])) {
    select.replaceChildren(
      ...values.map((value) => new Option(value === "" ? "nothing" : value, value)),
    );
  }
  select.value = chosen;
}

function label(text: string, select: HTMLSelectElement): HTMLElement {
  const made = document.createElement("label");
  made.append(`${text} `, select);
  return made;
}
