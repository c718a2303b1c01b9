"""Notices graphs that grow from run to run: each run of them is planned anew."""

from __future__ import annotations

import warnings

from workbench.core.graph.graph import Graph
from workbench.core.graph.source import user_line

_GROWING_RUNS = 10


class Growth:
    """How often a session's graph had new operations when it was run."""

    def __init__(self) -> None:
        self._version = -1
        #: Negative once it was told.
        self._count = 0

    def note(self, graph: Graph) -> None:
        """Warns once when operations are added between runs, again and again."""
        version = graph.version
        if self._version >= 0 and version > self._version and self._count >= 0:
            self._count += 1
            if self._count >= _GROWING_RUNS:
                self._count = -1
                newest = graph.get_operations()[-1]
                line = user_line(newest.frames)
                warnings.warn(
                    f"The graph grows while it is run: {_GROWING_RUNS} runs came after new "
                    f"operations, the newest is {newest.name!r} of type {newest.type}"
                    + (f", made at {line}" if line else "")
                    + ". Build the graph once before the loop and feed what changes; "
                    "graph.finalize() turns the next addition into an error.",
                    stacklevel=4,
                )
        self._version = version
