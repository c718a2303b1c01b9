"""Where the package lies, as ``tf.sysconfig`` tells it."""

from __future__ import annotations

from pathlib import Path


def get_lib() -> str:
    """The folder of the installed package."""
    return str(Path(__file__).resolve().parents[2])


def get_include() -> str:
    """The folder where headers for compiled extensions would lie; this package ships none."""
    return str(Path(get_lib(), "include"))
