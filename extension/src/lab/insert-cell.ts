import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";

/** The sources of a notebook's code cells. */
export function sourcesOf(notebook: NotebookPanel): string[] {
  return notebook.content.widgets
    .filter(({ model }) => model.type === "code")
    .map(({ model }) => model.sharedModel.getSource());
}

/** Adds a code cell below the active one and gives it the keyboard; nothing is executed. */
export function insertCell(notebook: NotebookPanel, source: string): void {
  const { content } = notebook;
  content.deselectAll();
  NotebookActions.insertBelow(content);
  content.activeCell?.model.sharedModel.setSource(source);
  content.mode = "edit";
  content.activeCell?.editor?.focus();
}
