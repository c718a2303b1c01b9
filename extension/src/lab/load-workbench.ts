import { NotebookActions, type NotebookPanel } from "@jupyterlab/notebook";

/** The line that makes a kernel answer panels. */
export const LOAD = "%load_ext workbench";

/** Mentions of the workbench in code: then its kernel has it, or will have it. */
const MENTION = /\bworkbench\b/;

/** True if a notebook's kernel or one of its cells says that the workbench is used there. */
export function mentionsWorkbench(notebook: NotebookPanel): boolean {
  const kernel = notebook.sessionContext.session?.kernel;
  if (kernel?.name === "workbench") {
    return true;
  }
  const cells = notebook.content.widgets;
  return cells.some(({ model }) => model.type === "code" && MENTION.test(model.sharedModel.source));
}

/** Runs the line in a cell of its own, before all other code, where it is seen and kept. */
export async function loadWorkbench(notebook: NotebookPanel): Promise<void> {
  const { content, sessionContext } = notebook;
  const cells = content.model?.sharedModel;
  if (!cells) {
    return;
  }
  let index = content.widgets.findIndex(({ model }) => model.type === "code");
  index = index < 0 ? content.widgets.length : index;
  if (content.widgets[index]?.model.sharedModel.source.trim() !== LOAD) {
    cells.insertCell(index, { cell_type: "code", source: LOAD });
  }
  content.deselectAll();
  content.activeCellIndex = index;
  await NotebookActions.run(content, sessionContext);
}
