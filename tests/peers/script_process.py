"""Runs one unchanged script or notebook in this process, an engine in TensorFlow's place.

    python -m tests.peers.script_process ENGINE SCRIPT [ARGUMENT ...]

`run_scripts` starts it; the environment variables WORKBENCH_PEERS_SEED (Python's and NumPy's seed)
and WORKBENCH_MNIST (the folder of the digits) are its options.
"""

from __future__ import annotations

import ast
import importlib
import json
import linecache
import os
import random
import re
import runpy
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from tests.peers import engines

_FOR_IPYTHON = re.compile(r"^(\s*)[%!].*")
#: What IPython, too, leaves out of lines that were copied from an interactive interpreter.
_PROMPT = re.compile(r"^(>>>|\.\.\.) ")


def main(arguments: list[str]) -> None:
    """Run the script as Python itself would have run it."""
    engine, script = arguments[0], Path(arguments[1]).resolve()
    engines.install(engine, folders=[script.parent])
    sys.argv = [str(script), *arguments[2:]]
    # `-m` puts the working directory first; a script expects its own folder there.
    sys.path[0] = str(script.parent)
    if "WORKBENCH_PEERS_SEED" in os.environ:
        seed = int(os.environ["WORKBENCH_PEERS_SEED"])
        random.seed(seed)
        np.random.seed(seed)
    if "waitforbuttonpress" in script.read_text("utf-8"):
        # Nobody is there to press one, and without a screen matplotlib would wait for ever.
        pyplot = importlib.import_module("matplotlib.pyplot")
        pyplot.waitforbuttonpress = lambda *values, **names: True
    if script.suffix == ".ipynb":
        run_notebook(script)
    else:
        runpy.run_path(str(script), run_name="__main__")


def code_cells(notebook: Path) -> list[str]:
    """The source of each code cell; lines for IPython rather than Python do nothing."""
    document = json.loads(notebook.read_text("utf-8"))
    # Before version 4 of the format: cells in worksheets, and another name for their source.
    sheets = document.get("worksheets", [document])
    cells = []
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"] if "source" in cell else cell["input"])
        if not source.startswith("%%"):
            cells.append(_as_python(source))
    return cells


def _as_python(source: str) -> str:
    try:
        ast.parse(source)
    except SyntaxError:
        lines = [_PROMPT.sub("", line) for line in source.split("\n")]
        return "\n".join(_FOR_IPYTHON.sub(r"\1pass", line) for line in lines)
    return source


def run_notebook(notebook: Path) -> None:
    """Execute the code cells of a notebook one after the other, in one module."""
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    for number, source in enumerate(code_cells(notebook), start=1):
        name = f"<{notebook.name} cell {number}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), module.__dict__)


if __name__ == "__main__":
    main(sys.argv[1:])
