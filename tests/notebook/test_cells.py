"""Which cell a line stands in, whatever IPython counts first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from workbench.notebook.cells import CellMap


class _Compile:
    def get_code_name(self, raw: str, transformed: str, number: int) -> str:
        return f"file-{number}"

    def format_code_name(self, name: str) -> tuple[str, str]:
        return "Cell", f"In[{name.partition('-')[2]}]"


class _Shell:
    """IPython as far as a cell map knows it; it counts before or after a cell."""

    def __init__(self, counts_before: bool) -> None:
        self.execution_count = 1
        self.compile = _Compile()
        self._before = counts_before

    def run(self, cells: CellMap, cell_id: str, store_history: bool = True) -> str:
        """Runs a cell; gives the file that it was compiled under, as the map sees it meanwhile."""
        info: Any = SimpleNamespace(
            raw_cell=cell_id, silent=False, store_history=store_history, cell_id=cell_id
        )
        number = self.execution_count
        if self._before and store_history:
            self.execution_count += 1
        cells.before_cell(info)
        name = cells.current_file()
        cells.after_cell(SimpleNamespace(execution_count=number, info=info))
        if not self._before and store_history:
            self.execution_count += 1
        return name


@pytest.mark.parametrize("counts_before", [True, False])
def test_cells_are_found_by_the_files_of_their_code(counts_before: bool) -> None:
    shell = _Shell(counts_before)
    cells = CellMap(shell)
    shell.run(cells, "first")
    assert shell.run(cells, "second") == "file-2"
    shell.run(cells, "of nobody", store_history=False)
    shell.run(cells, "third")
    found = [cells.find(f"file-{number}") for number in (1, 2, 3)]
    assert [(cell.number, cell.id) for cell in found if cell] == [
        (1, "first"),
        (2, "second"),
        (3, "third"),
    ]
    assert cells.find("file-x") is None
