"""Programs: plans that can run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

from workbench.core.plan.node import Node
from workbench.core.plan.plan import Plan
from workbench.core.runtime.arena import Arena

FILENAME = "<workbench program>"

#: Called after a step of an observed program: the step's node and its results.
Observer = Callable[[Node, tuple[Any, ...]], None]


class Program(NamedTuple):
    """A runnable plan."""

    plan: Plan
    #: Takes the fed values in order, gives the fetched ones.
    run: Callable[..., tuple[Any, ...]]
    source: str
    #: For each line of the source the node it computes.
    nodes_by_line: list[Node | None]
    #: Its buffers, for another program of the same plan.
    arena: Arena | None = None
    #: "interpreted", or "compiled" where regions of it are machine code.
    tier: str = "interpreted"
    #: Set where all of it is one compiled region: then a C function can do the whole run.
    whole: WholeProgram | None = None

    def failed_node(self, traceback: TracebackType | None) -> tuple[Node, dict[str, Any]] | None:
        """The node whose line raised, and the program's local values; None for other frames."""
        while traceback is not None:
            frame = traceback.tb_frame
            if frame.f_code.co_filename == FILENAME:
                # A program that another one calls has lines of its own.
                node = frame.f_globals["_nodes"][traceback.tb_lineno - 1]
                if node is not None:
                    return node, frame.f_locals
            traceback = traceback.tb_next
        return None


class WholeProgram(NamedTuple):
    """A program that is one compiled region."""

    #: Makes a C function of the fed values that gives outputs of the region, by their numbers;
    #: those of a mapping are written to the same arrays each time.
    enter: Callable[[str, tuple[int, ...], Mapping[int, Any]], Any]
    #: For each fetched value the number of the output; for None see `enter`.
    outputs: tuple[int, ...]
