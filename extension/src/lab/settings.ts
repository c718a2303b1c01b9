import type { ISettingRegistry } from "@jupyterlab/settingregistry";

import { messageOf } from "../protocol/errors.js";

export type Area = "main" | "left" | "right";

/** What the user can choose for every panel; the schemas in `schema/` say the same. */
export interface PanelSettings {
  readonly area: Area;
  readonly followNotebook: boolean;
}

export const PANEL_DEFAULTS: PanelSettings = { area: "main", followNotebook: true };

/** Keeps the settings of a plugin at hand; what cannot be read stays as it is by default. */
export class LiveSettings<Values extends object> {
  /** Settled when the user's values are here. */
  readonly ready: Promise<void>;
  /** Called after the user has changed something. */
  onChange: (() => void) | null = null;

  constructor(
    plugin: string,
    public values: Values,
    registry: ISettingRegistry | null,
  ) {
    this.ready = this.#load(plugin, registry);
  }

  async #load(plugin: string, registry: ISettingRegistry | null): Promise<void> {
    try {
      const settings = await registry?.load(plugin);
      const read = () => {
        this.values = { ...this.values, ...(settings?.composite as Partial<Values>) };
      };
      read();
      settings?.changed.connect(() => {
        read();
        this.onChange?.();
      });
    } catch (error) {
      console.warn(`${plugin}: the settings could not be read: ${messageOf(error)}`);
    }
  }
}
