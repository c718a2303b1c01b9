"""`tf.io.gfile`: files and folders, spelled as Python does."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {
    "workbench.core.platform.gfile": """
        GFile copy=Copy exists=Exists glob=Glob isdir=IsDirectory listdir=ListDirectory
        makedirs=MakeDirs mkdir=MkDir remove=Remove rename=Rename rmtree=DeleteRecursively stat=Stat
        walk=Walk
        """,
}
_get, __dir__, __all__ = namespace(__name__, NAMES)


def __getattr__(name: str) -> Any:
    return _get(name)
