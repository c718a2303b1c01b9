"""Frames are found, and graphs that can never run are refused with names."""

from __future__ import annotations

import pytest

from tests.core.runtime.dataflow.drawing import Drawing
from workbench.core.runtime.dataflow.structure import Kind, StructureError


def test_frames_are_found_by_what_enters_them() -> None:
    drawing = Drawing()
    drawing.source("start", 0)
    drawing.source("limit", 3)
    drawing.loop("loop", "start", "limit", lambda x: x + 1, parallel=7)
    structure = drawing.structure("loop.exit")
    outside = {structure.nodes[n].name for n in structure.frames[0].nodes}
    assert outside == {"start", "limit", "loop.enter", "loop.limit"}
    frame = structure.frames[1]
    assert (frame.name, frame.parent, frame.enters, frame.parallel_iterations) == ("loop", 0, 2, 7)
    assert structure.frame_path(1) == "loop"


def test_inputs_from_different_frames_are_refused() -> None:
    drawing = Drawing()
    drawing.source("start", 0)
    drawing.source("limit", 3)
    drawing.source("outside", 3)
    drawing.loop("loop", "start", "limit", lambda x: x + 1)
    drawing.plain("wrong", lambda a, b: a + b, "loop.switch:1", "outside")
    with pytest.raises(StructureError, match="'wrong' has inputs from different frames") as caught:
        drawing.structure()
    assert "'outside' is in frame ''" in str(caught.value)
    assert "'loop.switch' is in frame 'loop'" in str(caught.value)


def test_a_cycle_without_a_next_iteration_is_refused() -> None:
    drawing = Drawing()
    drawing.source("x", 0)
    drawing.node("merge", Kind.MERGE, "x", "add")
    drawing.plain("add", lambda x: x + 1, "merge")
    with pytest.raises(StructureError, match="contains a cycle with 2 nodes.*merge, add"):
        drawing.structure()


def test_an_exit_outside_of_loops_is_refused() -> None:
    drawing = Drawing()
    drawing.source("x", 0)
    drawing.node("exit", Kind.EXIT, "x")
    with pytest.raises(StructureError, match="'exit' leaves a frame that nothing entered"):
        drawing.structure()
