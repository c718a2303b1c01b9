"""Tells where operations run, for sessions with `log_device_placement`."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from workbench.core.graph.operation import Operation


class PlacementLog:
    """Writes a line for each operation that a session places, the first time that it does."""

    def __init__(self) -> None:
        self._told: set[Operation] = set()

    def note(self, devices: Mapping[Operation, str]) -> None:
        """Tells of the operations of a step that are new."""
        new = [op for op in devices if op not in self._told]
        self._told.update(new)
        if new:
            lines = [f"{op.name}: ({op.type}): {devices[op]}\n" for op in new]
            sys.stderr.write("".join(lines))
