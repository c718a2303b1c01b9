"""Variables that are read and updated several times in a step, on both tiers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.two_tiers import Pair

START = np.arange(5, dtype=np.float32)


def updated_twice(by_name: bool, in_order: bool, fetched: Sequence[str]) -> None:
    """What is read between two updates of a variable, and after them."""
    with tf.Graph().as_default() as graph:
        variable = tf.Variable(START)
        old = tf.identity(variable.value())
        first = tf.assign_add(variable, old)
        with tf.control_dependencies([first.op]):
            between = variable.read_value()
            between = between if by_name else tf.identity(between) * 1.5
        with tf.control_dependencies([first.op] if in_order else []):
            second = tf.assign_add(variable, old)
        with tf.control_dependencies([second.op]):
            last = variable.read_value()
        values: dict[str, Any] = {
            "old": old, "first": first, "between": between, "second": second.op, "last": last,
            "first done": first.op,
        }  # fmt: skip
        with Pair(graph) as pair:
            for session in pair.sessions.values():
                variable.load(START, session)
            pair.check([values[name] for name in fetched], exact=True)


def read_before_update(resource: bool, fetched: bool) -> None:
    """The old value goes on being used after the variable has a new one."""
    with tf.Graph().as_default() as graph:
        variable = tf.get_variable("v", initializer=START, use_resource=resource)
        feed = tf.placeholder(tf.float32, [5])
        old = variable.read_value()
        with tf.control_dependencies([old]):
            update = tf.assign(variable, tf.tanh(feed) + old)
        with tf.control_dependencies([update]):
            later = old * 2.0 + variable.read_value()
        with Pair(graph) as pair:
            pair.initialise()
            pair.check([later, old] if fetched else [later], {feed: START - 2}, times=3)


def exchanged(resource: bool) -> None:
    """Two variables get each other's values."""
    with tf.Graph().as_default() as graph:
        a = tf.get_variable("a", initializer=START, use_resource=resource)
        b = tf.get_variable("b", initializer=-START - 1, use_resource=resource)
        x, y = a.read_value() * 1.0, b.read_value() + 0.0
        with tf.control_dependencies([x, y]):
            both = tf.group(tf.assign(a, y), tf.assign(b, x))
        with Pair(graph) as pair:
            pair.initialise()
            pair.check([both, x], exact=True, times=3)


def shifted() -> None:
    """A variable is updated with another arrangement of itself."""
    with tf.Graph().as_default() as graph:
        variable = tf.Variable(np.arange(12, dtype=np.float32).reshape(3, 4))
        value = tf.reshape(tf.transpose(variable.value()), [3, 4]) + variable
        update = tf.assign(variable, value[::-1])
        with Pair(graph) as pair:
            pair.initialise()
            pair.check([update.op, value], exact=True, times=4)


def kept_result() -> None:
    """What a run gave does not change when later runs update the variable."""
    with tf.Graph().as_default() as graph:
        variable = tf.Variable(START)
        update = tf.assign_add(variable, variable * 0.5)
        reshaped = tf.reshape(variable, [5, 1])
        with Pair(graph) as pair:
            pair.initialise()
            for session in pair.sessions.values():
                session.run(update.op)
                kept = session.run([variable, reshaped])
                copies = [np.array(k) for k in kept]
                for _ in range(3):
                    session.run(update.op)
                for value, copy in zip(kept, copies, strict=True):
                    np.testing.assert_array_equal(value, copy)


def scalars(resource: bool) -> None:
    """Counters and rates: variables without axes."""
    with tf.Graph().as_default() as graph:
        step = tf.get_variable("step", [], tf.int64, tf.zeros_initializer(), use_resource=resource)
        rate = tf.get_variable("rate", initializer=0.5, use_resource=resource)
        weights = tf.get_variable("weights", initializer=START, use_resource=resource)
        count = tf.assign_add(step, 1)
        with tf.control_dependencies([count]):
            decayed = tf.assign(rate, rate * 0.9)
        with tf.control_dependencies([decayed]):
            update = tf.assign_sub(weights, weights * rate)
        with Pair(graph) as pair:
            pair.initialise()
            pair.check([count, decayed, update], exact=True, times=4)


def cases() -> dict[str, Callable[[], None]]:
    """By name."""
    found: dict[str, Callable[[], None]] = {}
    for fetched in (
        ["between"], ["between", "second"], ["between", "last"], ["first", "last"],
        ["between", "first done", "second"], ["old", "between", "last"], ["first", "second"],
    ):  # fmt: skip
        for by_name in (False, True):
            for in_order in (False, True):
                name = f"{', '.join(fetched)}; by name {by_name}; in order {in_order}"
                found[name] = partial(updated_twice, by_name, in_order, fetched)
    for resource in (False, True):
        for flag in (False, True):
            name = f"read before update, resource {resource}, fetched {flag}"
            found[name] = partial(read_before_update, resource, flag)
        found[f"exchanged, resource {resource}"] = partial(exchanged, resource)
        found[f"scalars, resource {resource}"] = partial(scalars, resource)
    found["shifted"] = shifted
    found["kept result"] = kept_result
    return found
