import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker, type NotebookPanel } from "@jupyterlab/notebook";

import type { Subscription } from "../protocol/client.js";
import { DataComms } from "./data-comms.js";
import { KernelLink } from "./kernel-link.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

/** Keeps one link for each open notebook. */
class NotebookLinks implements KernelLinks {
  readonly #dataComms = new DataComms();
  readonly #links = new Map<NotebookPanel, KernelLink>();

  constructor(private readonly notebooks: INotebookTracker) {
    // From the start, so that no comm for a view is ever turned away.
    notebooks.forEach((notebook) => this.of(notebook));
    notebooks.widgetAdded.connect((_, notebook) => void this.of(notebook));
    // A page that goes away tells its kernels, which then stop sending.
    window.addEventListener("pagehide", (event) => {
      if (!event.persisted) {
        this.#links.forEach((link) => link.dispose());
      }
    });
  }

  get current(): NotebookPanel | null {
    return this.notebooks.currentWidget;
  }

  of(notebook: NotebookPanel): KernelLink {
    let link = this.#links.get(notebook);
    if (!link) {
      const made = new KernelLink(notebook.sessionContext, this.#dataComms);
      link = made;
      this.#links.set(notebook, made);
      notebook.disposed.connect(() => {
        this.#links.delete(notebook);
        made.dispose();
      });
    }
    return link;
  }

  containing(element: Element): NotebookPanel | null {
    return this.notebooks.find((notebook) => notebook.node.contains(element)) ?? null;
  }

  onCurrentChange(listener: () => void): Subscription {
    const changed = () => listener();
    this.notebooks.currentChanged.connect(changed);
    return { dispose: () => void this.notebooks.currentChanged.disconnect(changed) };
  }
}

export const kernelLinks: JupyterFrontEndPlugin<KernelLinks> = {
  id: "workbench:kernels",
  description: "Connects panels and cells with the kernels of their notebooks.",
  autoStart: true,
  requires: [INotebookTracker],
  provides: IKernelLinks,
  activate: (_: JupyterFrontEnd, notebooks: INotebookTracker) => new NotebookLinks(notebooks),
};
