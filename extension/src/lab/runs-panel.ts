import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";

import type { Client } from "../protocol/client.js";
import { RunsView, type RunsViewOptions } from "../runs/runs-view.js";
import { OPEN_GRAPH } from "./graph-panel.js";
import { runsIcon } from "./icons.js";
import { LinkPanel, type PanelView } from "./link-panel.js";
import { loadWorkbench } from "./load-workbench.js";
import { openCell } from "./open-cell.js";
import { PanelPlace } from "./panel-place.js";
import { LiveSettings, PANEL_DEFAULTS } from "./settings.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

const PLUGIN = "workbench:runs";
export const OPEN_RUNS = "workbench:open-runs";

/** What the runs panel is asked to show. */
interface RunsRequest {
  readonly run?: string;
}

/** The list of runs, in the terms of a panel. */
class RunsMount implements PanelView<RunsRequest> {
  readonly #view: RunsView;

  constructor(host: HTMLElement, options: RunsViewOptions) {
    this.#view = new RunsView(host, options);
  }

  show({ run }: RunsRequest): void {
    if (run !== undefined) {
      this.#view.open(run);
    }
  }

  reconnect(client: Client): void {
    this.#view.reconnect(client);
  }

  dispose(): void {
    this.#view.dispose();
  }
}

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
    notebooks: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    launcher: ILauncher | null,
    registry: ISettingRegistry | null,
  ): void {
    const settings = new LiveSettings(PLUGIN, PANEL_DEFAULTS, registry);
    new PanelPlace<RunsRequest>(
      app,
      {
        id: "workbench-runs",
        command: OPEN_RUNS,
        label: "Workbench Runs",
        title: "Runs",
        caption: "The runs of the current notebook's kernel and of its project folder",
        icon: runsIcon,
        arguments: { run: "The id of the run to open; the list of all if there is none." },
        create: () =>
          new LinkPanel<RunsRequest>({
            links,
            mount: (host, client) =>
              new RunsMount(host, {
                client,
                onOpenCell: (cell, line) => void openCell(app, notebooks, cell, line),
                onOpenGraph: (graph) => void app.commands.execute(OPEN_GRAPH, { graph }),
              }),
            load: loadWorkbench,
            followsNotebook: () => settings.values.followNotebook,
          }),
      },
      settings,
      { palette, restorer, launcher },
    );
  },
};
