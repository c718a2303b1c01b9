import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";

import type { ChannelName } from "../overlay/channels.js";
import { GraphMount, type GraphRequest } from "./graph-mount.js";
import { graphIcon } from "./icons.js";
import { LinkPanel } from "./link-panel.js";
import { loadWorkbench } from "./load-workbench.js";
import { openCell } from "./open-cell.js";
import { PanelPlace } from "./panel-place.js";
import { LiveSettings, PANEL_DEFAULTS, type PanelSettings } from "./settings.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

const PLUGIN = "workbench:graph";
export const OPEN_GRAPH = "workbench:open-graph";

interface GraphSettings extends PanelSettings {
  readonly overlay: ChannelName | "none";
}

const DEFAULTS: GraphSettings = { ...PANEL_DEFAULTS, overlay: "time" };

/** The panel that draws the graph of the current notebook's kernel. */
export const graphPanel: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: "The panel that draws the graph of the current notebook's kernel.",
  autoStart: true,
  requires: [IKernelLinks, INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer, ILauncher, ISettingRegistry],
  activate(
    app: JupyterFrontEnd,
    links: KernelLinks,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    launcher: ILauncher | null,
    registry: ISettingRegistry | null,
  ): void {
    const settings = new LiveSettings(PLUGIN, DEFAULTS, registry);
    new PanelPlace<GraphRequest>(
      app,
      {
        id: "workbench-graph",
        command: OPEN_GRAPH,
        label: "Workbench Graph",
        title: "Graph",
        caption: "The graph of the current notebook, live while it trains",
        icon: graphIcon,
        arguments: {
          graph: "The name of the graph; the default graph if there is none.",
          against: "The name of the graph to compare with.",
        },
        create: () =>
          new LinkPanel<GraphRequest>({
            links,
            mount: (host, client, notebook) => {
              const { overlay } = settings.values;
              return new GraphMount(host, {
                client,
                path: notebook.context.path,
                overlay: overlay === "none" ? null : overlay,
                onOpenCell: (cell, line) => void openCell(app, notebooks, cell, line),
              });
            },
            load: loadWorkbench,
            followsNotebook: () => settings.values.followNotebook,
          }),
      },
      settings,
      { palette, restorer, launcher },
    );
  },
};
