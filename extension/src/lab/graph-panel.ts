import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin,
} from "@jupyterlab/application";
import { ICommandPalette, MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { Widget } from "@lumino/widgets";

const OPEN = "workbench:open-graph";

/** Opens the graph panel; one panel, whatever asks for it. */
export const graphPanel: JupyterFrontEndPlugin<void> = {
  id: "workbench:graph",
  description: "The panel that draws the graph of the active notebook's kernel.",
  autoStart: true,
  optional: [ICommandPalette, ILayoutRestorer],
  activate(
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
  ): void {
    const tracker = new WidgetTracker<MainAreaWidget>({ namespace: "workbench-graph" });
    app.commands.addCommand(OPEN, {
      label: "Workbench Graph",
      execute: async () => {
        let panel = tracker.currentWidget;
        if (!panel) {
          panel = new MainAreaWidget({ content: new Widget() });
          panel.id = "workbench-graph";
          panel.title.label = "Graph";
          panel.addClass("workbench-panel");
          await tracker.add(panel);
          app.shell.add(panel, "main", { mode: "split-right" });
        }
        app.shell.activateById(panel.id);
      },
    });
    palette?.addItem({ command: OPEN, category: "Workbench" });
    void restorer?.restore(tracker, { command: OPEN, name: () => "graph" });
  },
};
