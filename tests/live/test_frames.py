"""States in memory: the budget, what is given up, what comes back exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.live.support import PATIENCE, closing, make_model, variables
from workbench.core.errors import FailedPreconditionError
from workbench.core.graph.dtypes import float32
from workbench.core.runtime.snapshot import (
    SavedVariable,
    StateSnapshot,
    aligned_copy,
    restore_snapshot,
    take_snapshot,
)
from workbench.live.frames import Frame, Frames


def frame(step: int, floats: int = 100) -> Frame:
    value = np.full(floats, step, np.float32)
    variable = SavedVariable(float32, (floats,), value)
    return Frame(step, StateSnapshot({"v": variable}, {}, 0, {}), {})


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=200),
    st.integers(3, 20),
    st.sets(st.integers(0, 2000), max_size=3),
)
def test_the_ring_keeps_its_budget_and_its_ends(
    gaps: list[int], kept: int, pinned: set[int]
) -> None:
    frames = Frames(kept * frame(0).state.nbytes)
    frames.add(frame(0), pinned=True)
    steps = np.cumsum(gaps).tolist()
    for step in steps:
        frames.add(frame(step), step in pinned)
        assert frames.nbytes <= frames.budget
        assert frames.steps[0] == 0 and frames.steps[-1] == step
    assert len(frames.steps) == min(kept, len(steps) + 1)
    if len(pinned & set(steps)) <= kept - 2:
        # There is room for them beside the first and the newest.
        assert (pinned & set(steps)) <= set(frames.steps)
    for step in range(steps[-1] + 1):
        found = frames.nearest(step)
        assert found is not None and found.step == max(s for s in frames.steps if s <= step)


def test_older_frames_stand_farther_apart() -> None:
    frames = Frames(20 * frame(0).state.nbytes)
    for step in range(0, 10_000, 10):
        frames.add(frame(step))
    gaps = np.diff(frames.steps)
    # The way to any step is short for its age, and the youngest stand close.
    ages = frames.steps[-1] - np.array(frames.steps[:-1])
    assert (gaps <= np.maximum(0.7 * ages, 10)).all()
    assert gaps[-1] == 10


def test_a_cut_gives_up_what_came_later() -> None:
    frames = Frames()
    for step in (0, 5, 10):
        frames.add(frame(step))
    frames.cut(7)
    assert frames.steps == [0, 5] and frames.nbytes == 2 * frame(0).state.nbytes
    assert frames.nearest(-1) is None


def test_frames_are_shared_up_to_a_step() -> None:
    frames = Frames()
    for step in (0, 5, 10):
        frames.add(frame(step))
    copy = frames.shared(5, 1 << 20)
    assert copy.steps == [0, 5] and copy.nearest(5) is frames.nearest(5)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "c8", "?"])
def test_copies_are_aligned_and_lie_as_the_original(order: Any, dtype: str) -> None:
    original = np.asarray(np.arange(24).reshape(2, 3, 4), dtype=dtype, order=order)
    turned = original.transpose(1, 2, 0)
    for array in (original, turned, turned[1:], original[:, ::2], np.empty((0, 3), dtype)):
        copy = aligned_copy(array)
        assert np.array_equal(copy, array) and copy.dtype == array.dtype
        assert not copy.size or copy.ctypes.data % 64 == 0
        if array.size and (array.flags.c_contiguous or array.flags.f_contiguous):
            assert copy.flags.c_contiguous == array.flags.c_contiguous
            assert copy.flags.f_contiguous == array.flags.f_contiguous


def test_a_snapshot_does_not_change_with_the_session() -> None:
    v = wb.Variable([1.0, 2.0])
    text = wb.Variable(["a"])
    with wb.Session() as session:
        session.run([v.initializer, text.initializer])
        taken = take_snapshot(session.state)
        session.run([v.assign_add([1.0, 1.0]), text.assign(["b"])])
        restore_snapshot(session.state, taken)
        session.run(v.assign_add([1.0, 1.0]))
        restore_snapshot(session.state, taken)
        assert session.run(v).tolist() == [1.0, 2.0] and session.run(text).tolist() == [b"a"]
        with wb.Session() as other:
            restore_snapshot(other.state, taken)
            assert other.run(v).tolist() == [1.0, 2.0]


def test_a_variable_without_a_value_comes_back_without() -> None:
    v = wb.Variable(1.0)
    with wb.Session() as session:
        with pytest.raises(FailedPreconditionError):
            session.run(v)
        taken = take_snapshot(session.state)
        session.run(v.initializer)
        restore_snapshot(session.state, taken)
        with pytest.raises(FailedPreconditionError):
            session.run(v)


def test_snapshots_of_a_run_are_exact_starting_points() -> None:
    run = make_model().run(60, paused=True)
    with closing(run):
        states = {}
        for step in (10, 25, 40):
            run.step(step - run.step_number)
            assert run.snapshot() == step
            states[step] = variables(run)
        run.resume()
        run.wait(PATIENCE)
        recorded = run.history["loss"].copy()
        assert set(states) <= set(run._loop.past.frames.steps)
        for step in (40, 25, 10):
            run.rewind(step)
            for name, value in variables(run).items():
                assert np.array_equal(value, states[step][name])
        run.resume()
        run.wait(PATIENCE)
        assert np.array_equal(run.history["loss"], recorded)


def test_frames_are_taken_while_it_trains_and_within_the_budget() -> None:
    v = wb.get_variable("v", [1000], initializer=wb.zeros_initializer())
    run = wb.run(v.assign_add(wb.ones([1000])), folder=None, snapshot_bytes=5 * 4100)
    with closing(run):
        while len(run._loop.past.frames.steps) < 5:
            assert run.status().seconds < PATIENCE
        run.pause()
        frames = run._loop.past.frames
        assert frames.nbytes <= frames.budget
        middle = frames.steps[2]
        run.rewind(middle + 3)
        assert (run.eval(v) == middle + 3).all()
