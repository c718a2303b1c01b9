import type { ILayoutRestorer, JupyterFrontEnd } from "@jupyterlab/application";
import { type ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import type { ILauncher } from "@jupyterlab/launcher";
import type { LabIcon } from "@jupyterlab/ui-components";

import { type LinkPanel, PANEL_CLASS } from "./link-panel.js";
import type { LiveSettings, PanelSettings } from "./settings.js";

export interface PanelDescription<Request> {
  /** Of the widget, and in the saved layout. */
  readonly id: string;
  readonly command: string;
  /** In menus, the palette and the launcher. */
  readonly label: string;
  /** On the panel's tab. */
  readonly title: string;
  readonly caption: string;
  readonly icon: LabIcon;
  /** Names and meanings of the command's arguments, all of them text. */
  readonly arguments: Readonly<Record<keyof Request & string, string>>;
  create(): LinkPanel<Request>;
}

export interface PanelServices {
  readonly palette: ICommandPalette | null;
  readonly restorer: ILayoutRestorer | null;
  readonly launcher: ILauncher | null;
}

/** The place of a panel in JupyterLab: there is one of its kind, opened by one command. */
export class PanelPlace<Request extends object> {
  readonly #tracker: WidgetTracker<LinkPanel<Request>>;
  #opening: Promise<LinkPanel<Request>> | null = null;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly description: PanelDescription<Request>,
    private readonly settings: LiveSettings<PanelSettings>,
    { palette, restorer, launcher }: PanelServices,
  ) {
    const { id, command, label, caption, icon } = description;
    const properties = Object.fromEntries(
      Object.entries<string>(description.arguments).map(([name, meaning]) => [
        name,
        { type: "string", description: meaning },
      ]),
    );
    this.#tracker = new WidgetTracker({ namespace: id });
    app.commands.addCommand(command, {
      label,
      caption,
      icon,
      describedBy: { args: { type: "object", properties } },
      execute: (request) => this.open(request as Request),
    });
    palette?.addItem({ command, category: "Workbench" });
    launcher?.add({ command, category: "Workbench" });
    void restorer?.restore(this.#tracker, { command, name: () => id });
    this.#followSettings();
  }

  /** Opens the panel, or brings it to the front, and turns it to what is asked for. */
  async open(request: Request): Promise<void> {
    let panel = this.#tracker.currentWidget;
    if (!panel) {
      // Two requests at once, such as a restored layout and a click, open one panel.
      this.#opening ??= this.#create();
      panel = await this.#opening;
      this.#opening = null;
    }
    panel.followCurrent();
    if (Object.values(request).some((value) => value !== undefined)) {
      panel.turnTo(request);
    }
    this.app.shell.activateById(panel.id);
  }

  async #create(): Promise<LinkPanel<Request>> {
    const { id, caption, icon } = this.description;
    await this.settings.ready;
    const panel = this.description.create();
    panel.id = id;
    panel.title.caption = caption;
    panel.title.icon = icon;
    panel.title.closable = true;
    this.#place(panel);
    await this.#tracker.add(panel);
    return panel;
  }

  #followSettings(): void {
    let { area } = this.settings.values;
    void this.settings.ready.then(() => {
      area = this.settings.values.area;
    });
    this.settings.onChange = () => {
      const panel = this.#tracker.currentWidget;
      panel?.followCurrent();
      if (panel && area !== this.settings.values.area) {
        this.#place(panel);
        this.app.shell.activateById(panel.id);
      }
      area = this.settings.values.area;
    };
  }

  #place(panel: LinkPanel<Request>): void {
    const { area } = this.settings.values;
    // On a side the icon alone is the tab.
    panel.title.label = area === "main" ? this.description.title : "";
    const where = area === "main" ? this.#besideOthers() : { rank: 600 };
    this.app.shell.add(panel, area, { ...where, activate: false });
  }

  /** With the other panel of the workbench if that is open, else right of the notebook. */
  #besideOthers(): { mode: "tab-after" | "split-right"; ref?: string } {
    for (const widget of this.app.shell.widgets("main")) {
      if (widget.hasClass(PANEL_CLASS) && widget.id !== this.description.id) {
        return { mode: "tab-after", ref: widget.id };
      }
    }
    return { mode: "split-right" };
  }
}
