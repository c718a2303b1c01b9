"""Loads all that a worker of a pool uses, and starts nothing: copies are made of the process."""

from __future__ import annotations

import importlib
import os

_MODULES = """
    distributed.nanny distributed.worker
    workbench.cluster.server workbench.pool.keys workbench.pool.runtime
    workbench.pool.worker_plugin workbench.pool.worker_service workbench.pool.runs.service
"""


def _apart() -> None:
    """What copies must not have in common: NumPy's random numbers."""
    import numpy

    numpy.random.seed(None)


for _module in _MODULES.split():
    importlib.import_module(_module)
os.register_at_fork(after_in_child=_apart)
