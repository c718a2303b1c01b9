"""What goes wrong, and what is given in unusual ways: both tiers alike, and nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

import workbench as tf
from tests.core.fusion.feed_cases import (
    UNUSUAL,
    WRONG,
    another_shape,
    bad_label,
    bad_rows,
    fed_two_ways,
    scalars,
    unusual_feed,
    wrong_feed,
)
from tests.core.fusion.thread_cases import (
    closed_while_compiling,
    forked,
    threads_in_one_session,
    threads_with_sessions,
)
from tests.core.fusion.training_step import Step
from tests.core.fusion.two_tiers import Pair, compare


def uninitialised() -> None:
    """The variable that is missing is named."""
    with Step(initialise=False) as step:
        outcomes = step.pair.run(step.fetches, step.feeds)
        compare(outcomes["compiled"], outcomes["interpreted"])
        assert "uninitialized" in str(outcomes["compiled"].error)
        step.pair.initialise()
        step.agrees(step.feeds)


def one_uninitialised() -> None:
    """All but the last variable have values: nothing is updated before that is found."""
    with Step() as step:
        for variable in (step.variables[0], step.variables[-1]):
            for session in step.pair.sessions.values():
                session.state.variables[variable.op.name].value = None
            outcomes = step.pair.run(step.fetches, step.feeds)
            slow, fast = outcomes["interpreted"], outcomes["compiled"]
            assert str(fast.error) == str(slow.error)
            assert variable.op.name in str(fast.error)
            step.pair.initialise()
            step.agrees(step.feeds)


def loaded_between() -> None:
    """Variables get values from outside between two steps, in any form of array."""
    with Step() as step:
        step.agrees(step.feeds)
        for form in UNUSUAL.values():
            for variable in step.variables[1:3]:
                values = np.random.RandomState(1).standard_normal(variable.shape.as_list())
                given = form(values.astype(np.float32))
                for session in step.pair.sessions.values():
                    variable.load(given, session)
            step.agrees(step.feeds, 3e-3)


def failing_after_update() -> None:
    """A check that comes after an update in order: no tier does half of the rest."""
    with tf.Graph().as_default() as graph:
        count = tf.Variable(np.zeros(4, np.float32))
        logits = tf.placeholder(tf.float32, [3, 4])
        labels = tf.placeholder(tf.int32, [3])
        first = tf.assign_add(count, tf.ones([4]))
        with tf.control_dependencies([first]):
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=labels, logits=tf.identity(logits) + count
            )
        second = tf.assign_add(count, tf.reduce_sum(losses) * tf.ones([4]))
        rows = np.ones((3, 4), np.float32)
        with Pair(graph) as pair:
            pair.initialise()
            pair.check([second.op, losses], {logits: rows, labels: [0, 1, 2]})
            for wrong in ([0, 4, 1], [-1, 0, 0]):
                pair.check([second.op, losses], {logits: rows, labels: wrong})
            pair.check([second.op, losses], {logits: rows, labels: [3, 3, 3]})


def numerics_checked() -> None:
    """A step that stops at the first NaN says where, on both tiers."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [5])
        total = tf.Variable(np.zeros(5, np.float32))
        checked = tf.check_numerics(tf.log(x), "no logarithm")
        update = tf.assign_add(total, checked * 2.0)
        with Pair(graph) as pair:
            pair.initialise()
            good = np.arange(1, 6, dtype=np.float32)
            pair.check([update.op, checked], {x: good})
            pair.check([update.op, checked], {x: good - 3})
            pair.check([update.op, checked], {x: good - 1})
            pair.check([update.op, checked], {x: good})


def cases() -> dict[str, Callable[[], None]]:
    """By name."""
    found: dict[str, Callable[[], None]] = {
        f.__name__: f
        for f in (
            uninitialised, one_uninitialised, scalars, loaded_between, fed_two_ways, another_shape,
            failing_after_update, numerics_checked, closed_while_compiling, threads_with_sessions,
            threads_in_one_session, forked,
        )
    }  # fmt: skip
    for label in (5, -1, 1 << 30):
        found[f"label {label}"] = partial(bad_label, label)
    for index in (4, -1):
        found[f"row {index}"] = partial(bad_rows, index)
    for name, wrong in WRONG.items():
        found[f"wrong: {name}"] = partial(wrong_feed, wrong)
    for name, form in UNUSUAL.items():
        found[f"unusual: {name}"] = partial(unusual_feed, form)
    return found
