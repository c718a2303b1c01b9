"""What a session remembers, saved and put back: in the same session and in a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.errors import FailedPreconditionError
from workbench.core.ops.mutable_lookup import MutableDenseHashTable, MutableHashTable
from workbench.core.runtime.snapshot import check_restorable, restore_snapshot, take_snapshot

Program = Callable[[], tuple[list[Any], list[Any]]]


def variables_and_random_numbers() -> tuple[list[Any], list[Any]]:
    v = tf.Variable(tf.random_normal([300]))
    n = tf.Variable(0)
    fetches = [v.assign_add(tf.random_uniform([300])), n.assign_add(1), tf.random_normal([2])]
    return fetches, [v.initializer, n.initializer]


def one_shot_iterator() -> tuple[list[Any], list[Any]]:
    data = tf.data.Dataset.range(100).shuffle(20).repeat()
    data = data.map(lambda i: tf.to_float(i) + tf.random_normal([])).prefetch(3)
    return [data.make_one_shot_iterator().get_next()], []


def fed_iterator() -> tuple[list[Any], list[Any]]:
    start = tf.placeholder_with_default(np.int64(5), [])
    iterator = tf.data.Dataset.range(start, 1000).shuffle(7, seed=3).make_initializable_iterator()
    return [iterator.get_next()], [iterator.initializer]


def iterator_that_fails_at_times() -> tuple[list[Any], list[Any]]:
    data = tf.data.Dataset.range(100).map(lambda i: 10 // (i % 3 - 1 + tf.constant(1, tf.int64)))
    return [data.make_one_shot_iterator().get_next()], []


def mutable_tables() -> tuple[list[Any], list[Any]]:
    words = MutableHashTable(tf.string, tf.int64, -1)
    pairs = MutableDenseHashTable(tf.int64, tf.float32, [0.0, 0.0], empty_key=-1)
    n = tf.Variable(0, dtype=tf.int64)
    count = n.assign_add(1)
    with tf.control_dependencies([count]):
        found = [words.lookup([tf.as_string(count - 1)]), pairs.lookup([count - 1])]
    with tf.control_dependencies(found):
        put = [
            words.insert([tf.as_string(count)], [count]),
            pairs.insert([count], [[1.0, tf.to_float(count)]]),
        ]
    return [*found, *words.export(), pairs.size(), *put], [n.initializer]


def learned_sampler() -> tuple[list[Any], list[Any]]:
    sampled = tf.nn.learned_unigram_candidate_sampler([[3]], 1, 4, True, 10)
    return [sampled.sampled_candidates, sampled.true_expected_count], []


def pooling_with_one_draw() -> tuple[list[Any], list[Any]]:
    image = tf.reshape(tf.range(144.0), [1, 12, 12, 1])
    pooled = tf.nn.fractional_max_pool(
        image, [1.0, 1.5, 1.5, 1.0], pseudo_random=True, deterministic=True
    )
    return [pooled[0]], []


def print_of_the_first() -> tuple[list[Any], list[Any]]:
    return [tf.Print(tf.constant(1.0), ["seen"], first_n=4)], []


PROGRAMS = [
    variables_and_random_numbers, one_shot_iterator, fed_iterator, iterator_that_fails_at_times,
    mutable_tables, learned_sampler, pooling_with_one_draw, print_of_the_first,
]  # fmt: skip


def steps(session: Any, fetches: list[Any], count: int) -> list[Any]:
    """What each of the next steps gives: its values, or the error's kind."""
    found: list[Any] = []
    for _ in range(count):
        try:
            values = [v for v in session.run(fetches) if v is not None]
            found.append([np.copy(v) for v in values])
        except tf.errors.OpError as error:
            found.append(type(error).__name__)
    return found


def assert_equal(one: list[Any], other: list[Any]) -> None:
    for left, right in zip(one, other, strict=True):
        if isinstance(left, str):
            assert left == right
        else:
            for a, b in zip(left, right, strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
@pytest.mark.parametrize("before", [0, 1, 5])
def test_going_on_from_a_snapshot_gives_the_same(
    program: Program, before: int, capfd: pytest.CaptureFixture[str]
) -> None:
    fetches, initializers = program()
    with tf.Session() as session, tf.Session() as other:
        session.run(initializers)
        steps(session, fetches, before)
        taken = take_snapshot(session.state)
        capfd.readouterr()
        wanted = steps(session, fetches, 6)
        printed = capfd.readouterr().err
        for _ in range(2):
            restore_snapshot(session.state, taken)
            assert_equal(steps(session, fetches, 6), wanted)
            assert capfd.readouterr().err == printed
        restore_snapshot(other.state, taken)
        assert_equal(steps(other, fetches, 6), wanted)
        assert capfd.readouterr().err == printed


class Closing:
    """A resource that can be saved and closed."""

    closed = False

    def saved(self) -> dict[str, Any]:
        return {}

    def restore(self, saved: dict[str, Any]) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def test_a_resource_that_was_not_there_is_closed() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        taken = take_snapshot(session.state)
        made = session.state.resource(("", "late"), Closing)
        restore_snapshot(session.state, taken)
        assert made.closed and session.state.resources == {}


def test_what_cannot_be_saved_is_named_and_nothing_changes() -> None:
    v = tf.Variable(1.0)
    with tf.Session() as session:
        session.run(v.initializer)
        taken = take_snapshot(session.state)
        session.run(v.assign(2.0))
        session.state.resource(("box", "odd"), object)
        for attempt in (
            lambda: check_restorable(session.state),
            lambda: take_snapshot(session.state),
            lambda: restore_snapshot(session.state, taken),
        ):
            with pytest.raises(FailedPreconditionError, match="'box/odd', a object"):
                attempt()
        assert session.run(v) == 2.0
