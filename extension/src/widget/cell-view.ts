import { startEngine } from "../engine/start.js";
import type { Client, Subscription } from "../protocol/client.js";
import { element, setHidden, setText } from "../runs/dom.js";
import { RunView } from "../runs/run-view.js";
import { RunsView } from "../runs/runs-view.js";
import { GraphView } from "../view/graph-view.js";
import { Connection } from "./connection.js";
import type { Model } from "./model.js";
import { attached, openOnPage } from "./page.js";

/** A view as a cell needs it. */
interface View extends Subscription {
  reconnect(client: Client): unknown;
}

/** What a page that gives its own channel can open as well. */
interface Opens {
  readonly onOpenCell: (cell: string, line: number) => void;
  readonly onOpenGraph: (graph: string, run: string) => void;
  readonly onOpenRun: (run: string) => void;
}

/** One view of a widget in a cell's output, until it is disposed of. */
export class CellView implements Subscription {
  readonly #abort = new AbortController();
  readonly #host = element("div", { class: "workbench-cell-host" });
  readonly #text = element("span");
  readonly #again: HTMLButtonElement;
  readonly #notice: HTMLElement;
  readonly #frame: HTMLElement;
  #connection: Connection | null = null;
  #view: View | null = null;

  constructor(
    place: HTMLElement,
    private readonly model: Model,
    private readonly ownClient: () => Client,
  ) {
    this.#again = element("button", {
      class: "run-button",
      text: "Connect again",
      attributes: { type: "button" },
      on: { click: () => this.#connection?.retry() },
    });
    this.#notice = element(
      "div",
      { class: "workbench-cell-notice", attributes: { role: "status" } },
      this.#text,
      this.#again,
    );
    this.#notice.hidden = true;
    this.#frame = element("div", { class: "workbench-cell" }, this.#notice, this.#host);
    this.#frame.dataset["kind"] = String(model.get("kind"));
    place.append(this.#frame);
    void this.#begin();
  }

  dispose(): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    this.#view?.dispose();
    this.#connection?.dispose();
    this.#frame.remove();
  }

  async #begin(): Promise<void> {
    if (!(await attached(this.#frame, this.#abort.signal))) return;
    this.#connection = new Connection(this.#frame, this.ownClient, {
      connected: (client) => {
        setHidden(this.#notice, true);
        this.#view?.reconnect(client);
      },
      lost: (text, again) => {
        setText(this.#text, text);
        setHidden(this.#again, !again);
        setHidden(this.#notice, false);
      },
      back: () => setHidden(this.#notice, true),
    });
    try {
      this.#view = this.#make(this.#connection);
    } catch (error) {
      this.#host.textContent = `This view could not be made. ${String(error)}`;
      throw error;
    }
  }

  #make({ client, byPage }: Connection): View {
    const key = String(this.model.get("key"));
    const options = (this.model.get("options") ?? {}) as { readonly against?: string | null };
    const open: Partial<Opens> = byPage ? this.#openings() : {};
    switch (this.model.get("kind")) {
      case "graph": {
        const view = new GraphView(this.#host, {
          client,
          engine: startEngine(),
          wheel: "focused",
          ...(open.onOpenCell && { onOpenCell: open.onOpenCell }),
        });
        void view.show(key, { against: options.against ?? null });
        return view;
      }
      case "run":
        return new RunView(this.#host, { client, run: key, ...open });
      case "runs":
        return new RunsView(this.#host, { client, ...open });
      default:
        throw new Error(`There is no view of "${String(this.model.get("kind"))}".`);
    }
  }

  #openings(): Opens {
    const frame = this.#frame;
    return {
      onOpenCell: (cell: string, line: number) => void openOnPage(frame, "cell", { cell, line }),
      onOpenGraph: (graph: string, run: string) => void openOnPage(frame, "graph", { graph, run }),
      onOpenRun: (run: string) => void openOnPage(frame, "run", { run }),
    };
  }
}
