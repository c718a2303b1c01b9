import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { INotebookTracker } from "@jupyterlab/notebook";

import type { Channel } from "../protocol/channel.js";
import type { Subscription } from "../protocol/client.js";
import type { Openings } from "../widget/page.js";
import { OPEN_GRAPH } from "./graph-panel.js";
import { openCell } from "./open-cell.js";
import { OPEN_RUNS } from "./runs-panel.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

/** What a view in a cell asks for with the event `workbench-channel`, see docs/protocol.md. */
interface ChannelRequest {
  channel: Channel | null;
  onExecuted?: (listener: () => void) => Subscription;
}

/** Serves the views in notebook cells: a channel to their kernel, and other places to look at. */
export const cells: JupyterFrontEndPlugin<void> = {
  id: "workbench:cells",
  description: "Connects the views in notebook cells with their kernels and with the panels.",
  autoStart: true,
  requires: [IKernelLinks, INotebookTracker],
  activate(app: JupyterFrontEnd, links: KernelLinks, notebooks: INotebookTracker): void {
    document.addEventListener("workbench-channel", (event) => {
      const request = (event as CustomEvent<ChannelRequest | null>).detail;
      const notebook = event.target instanceof Element ? links.containing(event.target) : null;
      if (request && notebook) {
        const link = links.of(notebook);
        request.channel = link.channel();
        request.onExecuted = (listener) => link.onExecuted(listener);
      }
    });

    const listen = <What extends keyof Openings>(
      what: What,
      open: (detail: Openings[What]) => Promise<unknown>,
    ): void => {
      document.addEventListener(`workbench-open-${what}`, (event) => {
        event.preventDefault(); // says that somebody does it
        void open((event as CustomEvent<Openings[What]>).detail);
      });
    };
    listen("cell", ({ cell, line }) => openCell(app, notebooks, cell, line));
    listen("graph", ({ graph }) => app.commands.execute(OPEN_GRAPH, { graph }));
    listen("run", ({ run }) => app.commands.execute(OPEN_RUNS, { run }));
  },
};
