import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { CodeEditor } from "@jupyterlab/codeeditor";
import type { INotebookTracker, NotebookPanel } from "@jupyterlab/notebook";

/** Milliseconds for a notebook to draw a cell that was far away. */
const PATIENCE = 3_000;

/** Shows a cell and selects one of its lines, counted from 1; false if no open notebook has it. */
export async function openCell(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker,
  cell: string,
  line: number,
): Promise<boolean> {
  const panel = notebooks.find((candidate) => cellIndex(candidate, cell) >= 0);
  if (!panel) {
    return false;
  }
  app.shell.activateById(panel.id);
  await panel.revealed;
  const notebook = panel.content;
  const index = cellIndex(panel, cell);
  const widget = notebook.widgets[index];
  if (!widget) {
    return false;
  }
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  await notebook.scrollToCell(widget, "center");
  // Cells out of sight have no editor yet.
  await Promise.race([widget.ready, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  notebook.mode = "edit";
  if (widget.editor) {
    selectLine(widget.editor, line - 1);
  }
  return true;
}

function cellIndex(panel: NotebookPanel, cell: string): number {
  return panel.content.widgets.findIndex((widget) => widget.model.id === cell);
}

function selectLine(editor: CodeEditor.IEditor, wanted: number): void {
  const line = Math.max(0, Math.min(wanted, editor.lineCount - 1));
  const end = { line, column: editor.getLine(line)?.length ?? 0 };
  editor.focus();
  editor.setSelection({ start: { line, column: 0 }, end });
  editor.revealPosition(end);
}
