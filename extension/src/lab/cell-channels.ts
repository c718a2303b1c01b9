import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";

import type { Channel } from "../protocol/channel.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

/** What a view in a cell dispatches, see docs/protocol.md. */
interface ChannelRequest {
  channel: Channel | null;
}

/** Gives each view in a cell a channel to the kernel of the notebook that it stands in. */
export const cellChannels: JupyterFrontEndPlugin<void> = {
  id: "workbench:cells",
  description: "Connects the views in notebook cells with their kernels.",
  autoStart: true,
  requires: [IKernelLinks],
  activate(_: JupyterFrontEnd, links: KernelLinks): void {
    document.addEventListener("workbench-channel", (event) => {
      const request = (event as CustomEvent<ChannelRequest | null>).detail;
      const notebook = event.target instanceof Element ? links.containing(event.target) : null;
      if (request && notebook) {
        request.channel = links.of(notebook).channel();
      }
    });
  },
};
