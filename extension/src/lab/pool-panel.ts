import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import type { NotebookPanel } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";

import { attachLines } from "../pool/attach-line.js";
import { PoolsView } from "../pool/pools-view.js";
import type { Client } from "../protocol/client.js";
import type { PoolStatus } from "../protocol/messages.js";
import { dragCell } from "./drag-cell.js";
import { poolIcon } from "./icons.js";
import { insertCell, sourcesOf } from "./insert-cell.js";
import { LinkPanel, type PanelView } from "./link-panel.js";
import { loadWorkbench } from "./load-workbench.js";
import { PanelPlace } from "./panel-place.js";
import { LiveSettings, PANEL_DEFAULTS } from "./settings.js";
import { IKernelLinks, type KernelLinks } from "./tokens.js";

const PLUGIN = "workbench:pools";
export const OPEN_POOLS = "workbench:open-pools";

const WITHOUT_KERNEL =
  "Pools go on without a notebook; its kernel is what looks at them from here. In a terminal, " +
  "`workbench pool list` shows them.";

type Nothing = Record<string, never>;

/** The pools, in the terms of a panel. */
class PoolsMount implements PanelView<Nothing> {
  readonly #view: PoolsView;

  constructor(
    host: HTMLElement,
    client: Client,
    private readonly app: JupyterFrontEnd,
    private readonly notebook: NotebookPanel,
  ) {
    const lines = (pool: PoolStatus) => attachLines(pool, sourcesOf(notebook));
    this.#view = new PoolsView(host, {
      client,
      onInsert: async (pool) => {
        await this.#insert(lines(pool));
        return notebook.title.label;
      },
      onDrag: (pool, event, image) => dragCell(event, image, () => lines(pool)),
    });
  }

  show(): void {
    // There is one thing to show.
  }

  reconnect(client: Client): void {
    this.#view.reconnect(client);
  }

  dispose(): void {
    this.#view.dispose();
  }

  async #insert(source: string): Promise<void> {
    this.app.shell.activateById(this.notebook.id);
    await this.notebook.revealed;
    insertCell(this.notebook, source);
  }
}

/** The panel of this user's pools of workers. */
export const poolPanel: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: "The panel of pools of workers: what they use and do, their logs.",
  autoStart: true,
  requires: [IKernelLinks],
  optional: [ICommandPalette, ILayoutRestorer, ILauncher, ISettingRegistry],
  activate(
    app: JupyterFrontEnd,
    links: KernelLinks,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    launcher: ILauncher | null,
    registry: ISettingRegistry | null,
  ): void {
    const settings = new LiveSettings(PLUGIN, PANEL_DEFAULTS, registry);
    new PanelPlace<Nothing>(
      app,
      {
        id: "workbench-pools",
        command: OPEN_POOLS,
        label: "Workbench Pools",
        title: "Pools",
        caption: "The pools of workers: what they use and do, and their logs",
        icon: poolIcon,
        arguments: {},
        create: () =>
          new LinkPanel<Nothing>({
            links,
            mount: (host, client, notebook) => new PoolsMount(host, client, app, notebook),
            load: loadWorkbench,
            followsNotebook: () => settings.values.followNotebook,
            withoutKernel: WITHOUT_KERNEL,
          }),
      },
      settings,
      { palette, restorer, launcher },
    );
  },
};
