"""Probed programs: the plain ones, bit for bit, with their times and results to be seen."""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as tf
from workbench.core.plan import groups
from workbench.core.plan.node import READ
from workbench.core.runtime import blocks
from workbench.core.runtime.cache import RunSignature
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.probe import Probe
from workbench.core.runtime.program_writer import ProgramWriter

OPERATIONS = [
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: tf.tanh(x - y),
    lambda x, y: tf.exp(-tf.abs(x)),
    lambda x, y: tf.nn.relu(x),
    lambda x, y: tf.reshape(tf.reshape(x, [-1]), [8, 8]),
    lambda x, y: tf.matmul(x, y),
    lambda x, y: x - tf.reduce_mean(x),
    lambda x, y: tf.transpose(x) / 2.0,
]


class Probed:
    """A probed program beside the plain one; what is looked at is kept in `seen`."""

    def __init__(self, session: Any, fetches: Any, feeds: dict[Any, Any]) -> None:
        signature = RunSignature(session, FetchPlan(session.graph, fetches), list(feeds), False)
        self.plain, self.values = signature.prepare(feeds)
        self.seen: dict[int, tuple[Any, ...]] = {}
        self.probe = Probe(self.look)
        self.program = ProgramWriter(
            self.plain.plan, session, probe=self.probe, arena=self.plain.arena
        ).write()

    def look(self, slot: int, values: tuple[Any, ...]) -> None:
        self.seen[slot] = tuple(np.copy(value) for value in values)

    def run(self) -> tuple[Any, ...]:
        with np.errstate(all="ignore"):
            return self.program.run(*self.values)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_random_graphs(data: st.DataObject) -> None:
    check(data)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_random_graphs_with_groups(data: st.DataObject) -> None:
    # Small sizes take the way of large ones: groups of steps, in blocks, on several threads.
    with (
        mock.patch.multiple(groups, _LARGE=8, _LARGE_ALONE=8),
        mock.patch.multiple(blocks, _BLOCK=16, _SHARED=32),
    ):
        check(data)


def check(data: st.DataObject) -> None:
    """Draws a graph and which of its steps are looked at; compares bits and values."""
    random = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    # The bits of the interpreter: kernels of the compiled tier compute functions in their own way.
    with tf.Graph().as_default(), tf.Session(tier="interpreted") as session:
        x = tf.placeholder(tf.float32, [8, 8])
        variable = tf.Variable(random.normal(size=(8, 8)).astype(np.float32))
        session.run(variable.initializer)
        pool = [x, variable.value(), tf.random_uniform([8, 8], seed=3)]
        for _ in range(data.draw(st.integers(1, 12))):
            build = OPERATIONS[data.draw(st.integers(0, len(OPERATIONS) - 1))]
            first, second = (pool[data.draw(st.integers(0, len(pool) - 1))] for _ in range(2))
            pool.append(build(first, second))
        update = tf.assign_add(variable, pool[-1])
        fetches = [pool[-1], pool[data.draw(st.integers(0, len(pool) - 1))], update.op]
        feeds = {x: random.normal(size=(8, 8)).astype(np.float32)}
        probed = Probed(session, fetches, feeds)
        chosen = data.draw(st.sets(st.integers(0, len(probed.probe.nodes) - 1)))
        for slot in chosen:
            probed.probe.choose(slot)
        before, steps = session.run(variable), dict(session.state.random_steps)
        results = probed.run()
        after = session.run(variable)
        again = session.state.random_steps

        def go_back() -> None:
            variable.load(before, session)
            again.clear()
            again.update(steps)

        go_back()
        with np.errstate(all="ignore"):
            expected = probed.plain.run(*probed.values)
        for one, other in zip(results, expected, strict=True):
            assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
        assert session.run(variable).tobytes() == after.tobytes()
        assert set(probed.seen) == {s for s in chosen if probed.probe.nodes[s].dtypes}
        # What was seen is what fetching gives, though the program overwrites it.
        places = {probed.probe.nodes[slot]: slot for slot in chosen}
        for tensor, value in probed.plain.plan.values.items():
            slot = places.get(value.node)
            if slot is not None and value.node.type != READ and tensor.op.type != "AssignAdd":
                go_back()
                fetched = session.run(tensor, feeds)
                assert probed.seen[slot][value.index].tobytes() == fetched.tobytes(), tensor


def sleeping(seconds: float) -> Any:
    def sleep(value: Any) -> Any:
        time.sleep(seconds)
        return value

    return sleep


def test_times_are_those_of_the_steps() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [4])
        slow = tf.py_func(sleeping(0.03), [x], tf.float32, name="slow")
        quick = tf.exp(slow, name="quick")
        probed = Probed(session, [quick], {x: np.zeros(4, np.float32)})
        probed.run()
        nodes = [probed.probe.nodes[slot].name for slot in probed.probe.timed]
        seconds = dict(zip(nodes, probed.probe.seconds(), strict=True))
        assert 0.03 <= seconds["slow"] < 0.3
        assert seconds["quick"] < 0.03


def test_looks_count_for_no_step() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [4])
        first = tf.exp(x, name="first")
        probed = Probed(session, [tf.sin(tf.cos(first), name="last")], {x: np.zeros(4)})
        probed.probe._look = lambda slot, values: time.sleep(0.05)
        for slot in range(len(probed.probe.nodes)):
            probed.probe.choose(slot)
        probed.run()
        assert probed.probe.seconds().sum() < 0.05
        assert probed.probe.looking >= 0.15
        # Asleep, the thread did not work.
        assert 0 < probed.probe.work < 0.05
        probed.probe.clear()
        assert probed.probe.looking == 0
        probed.run()
        assert probed.probe.looking == 0


def test_groups_share_their_time_unless_one_is_looked_at() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [1 << 19])
        result = tf.tanh(tf.exp(tf.sin(x, name="a"), name="b"), name="c")
        probed = Probed(session, [result], {x: np.ones(1 << 19, np.float32)})
        (together,) = probed.run()
        seconds = probed.probe.seconds()
        assert len(seconds) == 3
        assert seconds.min() > 0
        assert seconds.max() - seconds.min() < 1e-12
        middle = [node.name for node in probed.probe.nodes].index("b")
        probed.probe.choose(middle)
        (alone,) = probed.run()
        assert len(set(probed.probe.seconds().tolist())) == 3
        np.testing.assert_array_equal(together, alone)
        np.testing.assert_array_equal(probed.seen[middle][0], np.exp(np.sin(probed.values[0])))


def test_both_programs_use_the_same_buffers() -> None:
    # The interpreter's: a compiled program has its arena elsewhere.
    with tf.Graph().as_default(), tf.Session(tier="interpreted") as session:
        x = tf.placeholder(tf.float32, [64, 64])
        probed = Probed(session, [tf.reduce_sum(tf.matmul(x, x))], {x: np.ones((64, 64))})
        assert probed.plain.arena is not None
        assert probed.program.arena is probed.plain.arena


@pytest.mark.parametrize("chosen", [False, True])
def test_errors_name_their_operation(chosen: bool) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [2, 2], name="x")
        probed = Probed(
            session, [tf.cholesky(tf.exp(x), name="root")], {x: np.array([[0, 9], [9, 0]])}
        )
        if chosen:
            for slot in range(len(probed.probe.nodes)):
                probed.probe.choose(slot)
        with pytest.raises(Exception) as caught:
            probed.run()
        found = probed.program.failed_node(caught.value.__traceback__)
        assert found is not None
        assert found[0].name == "root"
