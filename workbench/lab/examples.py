"""The example notebooks of this installation, and copies of them that may be changed."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

import workbench

#: The notebook that everything begins with.
QUICKSTART = "quickstart.ipynb"


def examples_folder() -> Path:
    """Where the examples are: part of the installed package, beside it in a working copy."""
    package = Path(workbench.__file__).parent
    installed = package / "examples"
    return installed if installed.is_dir() else package.parent / "examples"


def copy_examples(folder: Path) -> list[Path]:
    """Copies the examples into `folder`, except those that are there already; returns the new ones.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = copy_examples(Path(folder))
    ...     again = copy_examples(Path(folder))
    >>> len(first) > 0, again
    (True, [])
    """
    folder.mkdir(parents=True, exist_ok=True)
    copied = []
    for source in sorted(examples_folder().iterdir()):
        target = folder / source.name
        if source.name.startswith(".") or not source.is_file() or target.exists():
            continue
        # Whole or not at all, also where the disk is full.
        partial = folder / f".{source.name}.{uuid.uuid4().hex}"
        try:
            shutil.copyfile(source, partial)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
        copied.append(target)
    return copied


def first_notebook(folder: Path) -> str | None:
    """The notebook to open: the quickstart, else the first by name; None where there is none."""
    if (folder / QUICKSTART).is_file():
        return QUICKSTART
    names = sorted(path.name for path in folder.glob("*.ipynb"))
    return names[0] if names else None
