"""Staging areas of a session."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.queues.threads import Task, wait_for

StagingArea = tf.contrib.staging.StagingArea
MapStagingArea = tf.contrib.staging.MapStagingArea


@pytest.fixture
def session() -> Any:
    with tf.Graph().as_default(), tf.Session() as session:
        yield session


def test_elements_come_out_in_the_order_they_went_in(session: Any) -> None:
    area = StagingArea([tf.float32, tf.string], shapes=[[None], []])
    x = tf.placeholder(tf.float32, [None])
    put, got, size = area.put([x, tf.as_string(tf.size(x))]), area.get(), area.size()
    assert got[0].shape.as_list() == [None]
    for count in (1, 3):
        session.run(put, {x: [1.0] * count})
    assert session.run(size) == 2
    assert session.run(got[1]) == b"1"
    session.run(area.clear())
    assert session.run(size) == 0


def test_step_overlaps_with_the_next_one(session: Any) -> None:
    area = StagingArea([tf.float32])
    x = tf.placeholder(tf.float32, [])
    put, (got,) = area.put([x]), area.get()
    session.run(put, {x: 0})
    found = [float(session.run([got * 2, put], {x: n})[0]) for n in range(1, 4)]
    assert found == [0.0, 2.0, 4.0]


@pytest.mark.parametrize(("limits", "fits"), [({"capacity": 2}, 2), ({"memory_limit": 12}, 1)])
def test_put_waits_for_room(session: Any, limits: dict[str, int], fits: int) -> None:
    area = StagingArea([tf.float32], **limits)
    put, got = area.put([tf.zeros([2])]), area.get()
    for _ in range(fits):
        session.run(put)
    task = Task(session.run, put)
    wait_for(session, 1)
    session.run(got)
    task.end()
    assert session.run(area.size()) == fits


def test_what_never_fits_is_an_error(session: Any) -> None:
    area = StagingArea([tf.float32], memory_limit=7)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="'8' bytes"):
        session.run(area.put([tf.zeros([2])]))


def test_peek_does_not_give_the_element_away(session: Any) -> None:
    area = StagingArea([tf.float32])
    session.run(area.put([tf.constant([1.0, 2.0])]))
    # What a step makes of the element in its place stays in the step.
    doubled = tf.exp(area.peek(0)[0])
    for _ in range(2):
        np.testing.assert_allclose(session.run(doubled), np.exp([1.0, 2.0]), rtol=1e-6)
    assert session.run(area.get()[0]).tolist() == [1.0, 2.0]


def test_areas_of_one_name_are_one(session: Any) -> None:
    areas = [StagingArea([tf.int32], shared_name="area") for _ in range(2)]
    session.run(areas[0].put([tf.constant(4)]))
    assert session.run(areas[1].get()) == [4]


@pytest.mark.parametrize(
    ("arguments", "values", "message"),
    [
        ({}, [tf.int32], "Datatypes do not match"),
        ({}, [tf.float32, tf.float32], "Unexpected number of inputs"),
        ({"names": ["a"]}, [tf.float32], "enqueue a dictionary"),
        ({"shapes": [[3]]}, [tf.float32], "ncompatible|not compatible"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_is_written(
    arguments: dict[str, Any], values: list[Any], message: str
) -> None:
    with tf.Graph().as_default():
        area = StagingArea([tf.float32], **arguments)
        with pytest.raises(ValueError, match=message):
            area.put([tf.placeholder(dtype, [2]) for dtype in values])


@pytest.mark.parametrize("ordered", [True, False])
def test_elements_are_found_by_their_keys(session: Any, ordered: bool) -> None:
    area = MapStagingArea([tf.float32, tf.int32], names=["x", "n"], ordered=ordered)
    key = tf.placeholder(tf.int64, [])
    x = tf.placeholder(tf.float32, [])
    put = area.put(key, {"x": x, "n": tf.cast(x, tf.int32)})
    peek, (_, got), (any_key, anything) = area.peek(key), area.get(key), area.get()
    for number in (30, 10, 20):
        session.run(put, {key: number, x: number / 10})
    assert session.run(peek, {key: 10}) == {"x": 1.0, "n": 1}
    assert session.run(got, {key: 20}) == {"x": 2.0, "n": 2}
    found = [session.run([any_key, anything["n"]]) for _ in range(2)]
    assert found == ([[10, 1], [30, 3]] if ordered else [[30, 3], [10, 1]])
    assert session.run([area.size(), area.incomplete_size()]) == [0, 0]


def test_components_come_and_go_one_by_one(session: Any) -> None:
    area = MapStagingArea([tf.int32, tf.int32])
    one, two = tf.constant(1), tf.constant(2)
    _, both = area.get(7)
    task = Task(session.run, both)
    wait_for(session, 1)
    session.run(area.put(7, [two], [1]))
    assert session.run([area.size(), area.incomplete_size()]) == [0, 1]
    session.run(area.put(7, [one], [0]))
    assert task.end() == [1, 2]
    session.run(area.put(8, [one, two], [0, 1]))
    assert session.run(area.get(8, indices=[1])[1]) == [2]
    with pytest.raises(tf.errors.InvalidArgumentError, match="already been removed"):
        session.run(area.get(8, indices=[1])[1])
    session.run(area.clear())


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        ([], ValueError, "Empty indices"),
        (3, TypeError, "Invalid indices"),
        ([0, "x"], TypeError, "Mixed types"),
        (["y"], ValueError, "Named index"),
    ],
)
def test_components_must_be_told_by_number_or_name(indices: Any, error: Any, message: str) -> None:
    with tf.Graph().as_default():
        area = MapStagingArea([tf.int32], names=["x"])
        with pytest.raises(error, match=message):
            area.get(1, indices=indices)


def test_state_goes_back() -> None:
    from workbench.core.runtime.snapshot import restore_snapshot, take_snapshot

    with tf.Graph().as_default(), tf.Session() as session:
        area, keyed = StagingArea([tf.float32]), MapStagingArea([tf.float32])
        (got,), (_, (found,)) = area.get(), keyed.get(3)
        session.run([area.put([tf.constant([1.0])]), keyed.put(3, [tf.constant(2.0)], [0])])
        snapshot = take_snapshot(session.state)
        for _ in range(2):
            value, other = session.run([got, found])
            assert (value.tolist(), other) == ([1.0], 2.0)
            value += 1
            restore_snapshot(session.state, snapshot)
