"""Which cell of the notebook a line of code stands in.

A kernel compiles each cell under a made-up file name. IPython keeps the execution count of each
such name; we keep the cell's id beside the count, so that an error and the graph view can say
"cell [3]" and the front end can open it.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from workbench.core.graph.source import SourceLine, name_files

_COUNT = re.compile(r"In\s?\[(\d+)\]")


class Cell(NamedTuple):
    """A cell that was executed: its execution count, and its id where the front end gave one."""

    number: int
    id: str | None

    def __str__(self) -> str:
        return f"cell [{self.number}]"


class CellMap:
    """The cells that a shell has executed, by the file names of their code."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._ids: dict[int, str | None] = {}
        #: How far the shell's count is ahead of the running cell's: newer IPythons count before
        #: they run a cell, older ones after. Seen at the end of each cell, until then assumed.
        self._ahead = 1 if _counts_before() else 0
        #: The shell's count when the running cell began.
        self._count: int | None = None
        #: The text of the cell that is being executed.
        self.current_text = ""
        self._note_running_cell()

    def before_cell(self, info: Any) -> None:
        """IPython's `pre_run_cell` event."""
        self.current_text = info.raw_cell or ""
        if info.store_history and not info.silent:
            self._ids[self._running_number] = getattr(info, "cell_id", None)
            self._count = self._shell.execution_count

    def after_cell(self, result: Any) -> None:
        """IPython's `post_run_cell` event."""
        number, count = result.execution_count, self._count
        self._count = None
        if count is None or number is None or not result.info.store_history:
            return
        ahead = count - number
        if ahead != self._ahead:
            self._ids = {key + self._ahead - ahead: each for key, each in self._ids.items()}
            self._ahead = ahead

    def find(self, filename: str) -> Cell | None:
        """The cell compiled under `filename`, None for other files."""
        label = self._shell.compile.format_code_name(filename)
        found = _COUNT.search(label[1]) if label else None
        if found is None:
            return None
        number = int(found[1])
        return Cell(number, self._ids.get(number))

    def describe(self, filename: str) -> str | None:
        """The name of `filename` in errors where it is a cell's, else None."""
        cell = self.find(filename)
        return None if cell is None else str(cell)

    def current_file(self) -> str:
        """The file name under which the cell that is being executed was compiled."""
        shell, text = self._shell, self.current_text
        name: str = shell.compile.get_code_name(text, text, self._running_number)
        return name

    @property
    def _running_number(self) -> int:
        """The number of the cell that is being executed."""
        return int(self._shell.execution_count) - self._ahead

    def _note_running_cell(self) -> None:
        """The cell that loads us started before we listened."""
        kernel = getattr(self._shell, "kernel", None)
        if kernel is None:
            return
        parent = kernel.get_parent() or {}
        self._ids[self._running_number] = parent.get("metadata", {}).get("cellId")
        self.current_text = parent.get("content", {}).get("code", "") or ""


def line_message(line: SourceLine | None, cells: CellMap | None) -> dict[str, Any] | None:
    """A line of the user's code as the protocol's `line`."""
    if line is None:
        return None
    cell = cells.find(line.filename) if cells else None
    return {
        "file": line.place.rpartition(":")[0],
        "line": line.lineno,
        "text": line.text,
        "cell": cell.id if cell else None,
    }


def _counts_before() -> bool:
    """Whether this IPython counts a cell before it runs it."""
    import IPython

    return IPython.version_info[:2] >= (9, 0)


_followed: CellMap | None = None


def follow_cells(shell: Any) -> CellMap:
    """The cell map of the shell, which listens from now on and names cells in errors."""
    global _followed
    if _followed is None:
        _followed = CellMap(shell)
        shell.events.register("pre_run_cell", _followed.before_cell)
        shell.events.register("post_run_cell", _followed.after_cell)
        name_files(_followed.describe)
    return _followed


def followed_cells() -> CellMap | None:
    """The cell map of this process's shell, None outside of a notebook."""
    return _followed


def forget_cells(shell: Any) -> None:
    """Undoes `follow_cells`."""
    global _followed
    if _followed is not None:
        shell.events.unregister("pre_run_cell", _followed.before_cell)
        shell.events.unregister("post_run_cell", _followed.after_cell)
        name_files(None)
        _followed = None
