"""`tf.saved_model`: graphs with their variables and signatures, for others to load and serve."""

from __future__ import annotations

from typing import Any

from workbench.api.lazy import namespace

NAMES: dict[str, str] = {"workbench.train.saved_model.simple_save": "simple_save"}
_MODULES = """
    builder constants loader main_op signature_constants signature_def_utils tag_constants utils
    """
_get, __dir__, __all__ = namespace(
    __name__, NAMES, {name: f"workbench.train.saved_model.{name}" for name in _MODULES.split()}
)


def __getattr__(name: str) -> Any:
    return _get(name)
