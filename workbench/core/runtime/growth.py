"""Notices graphs that grow from run to run: each run of them is planned anew."""

from __future__ import annotations

import warnings
from collections import Counter

from workbench.core.graph.graph import Graph
from workbench.core.graph.source import Frames, user_line

_GROWING_RUNS = 10


class Growth:
    """How often a session's graph had new operations when it was run.

    Only those of one place in the user's code count together, as a loop makes them: cells that are
    run one after the other may each add something to look at.
    """

    def __init__(self) -> None:
        self._version = -1
        #: By where the newest operation was made; None once it was told.
        self._counts: Counter[Frames] | None = Counter()

    def note(self, graph: Graph) -> None:
        """Warns once when operations are added between runs, again and again."""
        version = graph.version
        if self._version >= 0 and version > self._version and self._counts is not None:
            newest = graph._operations[-1]
            self._counts[newest.frames] += 1
            if self._counts[newest.frames] >= _GROWING_RUNS:
                self._counts = None
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
