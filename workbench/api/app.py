"""`tf.app`: the entry point of a script, and its flags."""

from __future__ import annotations

from workbench.core.platform import flags
from workbench.core.platform.app import run

__all__ = ["flags", "run"]
