import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";

import { graphIcon } from "./icons.js";
import { LinkPanel } from "./link-panel.js";
import { loadWorkbench } from "./load-workbench.js";
import { PanelPlace } from "./panel-place.js";
import { LiveSettings, PANEL_DEFAULTS } from "./settings.js";
import { mountSummary } from "./summary.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

const PLUGIN = "workbench:graph";
export const OPEN_GRAPH = "workbench:open-graph";

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
    _notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    launcher: ILauncher | null,
    registry: ISettingRegistry | null,
  ): void {
    const settings = new LiveSettings(PLUGIN, PANEL_DEFAULTS, registry);
    new PanelPlace(
      app,
      {
        id: "workbench-graph",
        command: OPEN_GRAPH,
        label: "Workbench Graph",
        title: "Graph",
        caption: "The graph of the current notebook, live while it trains",
        icon: graphIcon,
        create: () =>
          new LinkPanel({
            links,
            mount: (host, client) => mountSummary(host, client),
            load: loadWorkbench,
            followsNotebook: () => settings.values.followNotebook,
          }),
      },
      settings,
      { palette, restorer, launcher },
    );
  },
};
