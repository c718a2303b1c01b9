import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import type { NotebookPanel } from "@jupyterlab/notebook";
import { IStatusBar } from "@jupyterlab/statusbar";
import { Signal } from "@lumino/signaling";
import { Widget } from "@lumino/widgets";

import type { Client, Subscription } from "../protocol/client.js";
import type { RunStatus } from "../protocol/messages.js";
import type { KernelLink } from "./kernel-link.js";
import { mentionsWorkbench } from "./load-workbench.js";
import { OPEN_RUNS } from "./runs-panel.js";
import { statusText } from "./status-text.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

/** The state of the current notebook's runs; nothing for notebooks without the workbench. */
class StatusItem extends Widget {
  readonly activeChanged = new Signal<this, void>(this);
  #link: KernelLink | null = null;
  #notebook: NotebookPanel | null = null;
  #client: Client | null = null;
  #use: Subscription | null = null;
  #onLink: Subscription | null = null;
  #onRuns: Subscription | null = null;

  constructor(
    private readonly links: KernelLinks,
    open: () => void,
  ) {
    super({ node: document.createElement("button") });
    this.addClass("workbench-status");
    this.node.title = "The workbench's run in this notebook; click for all runs";
    this.node.addEventListener("click", open);
    links.onCurrentChange(() => this.#follow());
    this.#follow();
  }

  get active(): boolean {
    return this.node.textContent !== "";
  }

  #follow(): void {
    const notebook = this.links.current;
    if (notebook === this.#notebook) {
      return;
    }
    this.#leave();
    this.#notebook = notebook;
    this.#link = notebook ? this.links.of(notebook) : null;
    if (!notebook || !this.#link) {
      return;
    }
    const { sessionContext } = notebook;
    this.#onLink = this.#link.onChange(() => this.#linkChanged());
    sessionContext.statusChanged.connect(this.#consider);
    notebook.disposed.connect(this.#forget);
    this.#consider();
    this.#linkChanged();
  }

  readonly #forget = (): void => {
    this.#leave();
    this.#notebook = null;
  };

  #leave(): void {
    this.#notebook?.sessionContext.statusChanged.disconnect(this.#consider);
    this.#notebook?.disposed.disconnect(this.#forget);
    this.#onLink?.dispose();
    this.#onRuns?.dispose();
    this.#use?.dispose();
    this.#onLink = this.#onRuns = this.#use = this.#client = this.#link = null;
    this.#show([]);
  }

  /** A kernel that never heard of the workbench is not asked, which it would log as an error. */
  readonly #consider = (): void => {
    if (!this.#use && this.#link && this.#notebook && mentionsWorkbench(this.#notebook)) {
      this.#use = this.#link.use();
    }
  };

  #linkChanged(): void {
    const client = this.#link?.client ?? null;
    if (client === this.#client) {
      return;
    }
    this.#onRuns?.dispose();
    this.#onRuns = null;
    this.#client = client;
    this.#show([]);
    if (client) {
      this.#onRuns = client.on("runs", ({ runs }) => this.#show(runs));
      void this.#begin(client);
    }
  }

  async #begin(client: Client): Promise<void> {
    try {
      await client.request("runs.subscribe", {});
      const { result } = await client.request("runs.list", {});
      if (this.#client === client) {
        this.#show(result.runs);
      }
    } catch {
      // A kernel that cannot be asked has nothing to tell here; the panels say why.
    }
  }

  #show(runs: readonly RunStatus[]): void {
    const text = statusText(runs);
    if (text !== this.node.textContent) {
      this.node.textContent = text;
      this.activeChanged.emit();
    }
  }
}

export const statusItem: JupyterFrontEndPlugin<void> = {
  id: "workbench:status",
  description: "Shows the state, speed and observation cost of the current notebook's run.",
  autoStart: true,
  requires: [IKernelLinks],
  optional: [IStatusBar],
  activate(app: JupyterFrontEnd, links: KernelLinks, statusBar: IStatusBar | null): void {
    if (!statusBar) {
      return;
    }
    const item = new StatusItem(links, () => void app.commands.execute(OPEN_RUNS));
    statusBar.registerStatusItem("workbench:status", {
      item,
      align: "left",
      rank: 50,
      isActive: () => item.active,
      activeStateChanged: item.activeChanged,
    });
  },
};
