import { MimeData } from "@lumino/coreutils";
import { Drag } from "@lumino/dragdrop";

/** What JupyterLab's notebooks take for cells that are dropped on them. */
const CELLS = "application/vnd.jupyter.cells";
/** Pixels that the pointer moves before it is a drag and not a click. */
const THRESHOLD = 5;

/** Waits for the pointer, which is down, to move, and then drags a code cell with it. */
export function dragCell(down: MouseEvent, image: HTMLElement, source: () => string): void {
  const end = (): void => {
    document.removeEventListener("mousemove", move, true);
    document.removeEventListener("mouseup", end, true);
  };
  const move = ({ clientX, clientY }: MouseEvent): void => {
    const way = Math.max(Math.abs(clientX - down.clientX), Math.abs(clientY - down.clientY));
    if (way < THRESHOLD) {
      return;
    }
    end();
    const text = source();
    const mimeData = new MimeData();
    const cell = { cell_type: "code", source: text, metadata: {}, outputs: [] };
    mimeData.setData(CELLS, [{ ...cell, execution_count: null }]);
    // For editors and the like.
    mimeData.setData("text/plain", text);
    const drag = new Drag({
      mimeData,
      dragImage: image,
      proposedAction: "copy",
      supportedActions: "copy-move",
    });
    void drag.start(clientX, clientY).then(() => drag.dispose());
  };
  document.addEventListener("mousemove", move, true);
  document.addEventListener("mouseup", end, true);
}
