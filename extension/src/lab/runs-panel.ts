import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";

import { runsIcon } from "./icons.js";
import { LinkPanel } from "./link-panel.js";
import { loadWorkbench } from "./load-workbench.js";
import { PanelPlace } from "./panel-place.js";
import { LiveSettings, PANEL_DEFAULTS } from "./settings.js";
import { mountSummary } from "./summary.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

const PLUGIN = "workbench:runs";
export const OPEN_RUNS = "workbench:open-runs";

/** The panel of all runs of the current notebook's kernel and project folder. */
export const runsPanel: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: "The panel of all runs of the current notebook's kernel and project folder.",
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
        id: "workbench-runs",
        command: OPEN_RUNS,
        label: "Workbench Runs",
        title: "Runs",
        caption: "The runs of the current notebook's kernel and of its project folder",
        icon: runsIcon,
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
