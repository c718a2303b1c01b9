"""Which variable `tf.get_variable` gives: a new one, or one that is there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import workbench as tf
from tests.core.ops.state.making import variable

pytestmark = pytest.mark.usefixtures("graph")


AUTO = tf.AUTO_REUSE


def test_reuse_gives_the_same_variable() -> None:
    with tf.variable_scope("s"):
        v = tf.get_variable("v", [2])
    with tf.variable_scope("s", reuse=True):
        assert tf.get_variable("v", [2]) is v
        assert tf.get_variable("v") is v
    with tf.variable_scope("s") as scope:
        scope.reuse_variables()
        assert tf.get_variable("v") is v
    with tf.variable_scope("s", reuse=AUTO):
        assert tf.get_variable("v", [2]) is v
        made = tf.get_variable("u", [2])
    with tf.variable_scope("s", reuse=AUTO):
        assert tf.get_variable("u", [2]) is made


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        (False, None, False),
        (False, True, True),
        (True, None, True),
        (True, False, True),
        (True, AUTO, AUTO),
        (AUTO, None, AUTO),
        (AUTO, False, AUTO),
        (AUTO, True, True),
    ],
)
def test_reuse_is_inherited(outer: Any, inner: Any, expected: Any) -> None:
    with tf.variable_scope("a", reuse=outer), tf.variable_scope("b", reuse=inner) as scope:
        assert scope.reuse is expected


def test_reuse_of_a_scope_object_cannot_be_undone() -> None:
    with tf.variable_scope("a", reuse=True) as scope:
        pass
    with tf.variable_scope(scope, reuse=False) as again:
        assert again.reuse is True


def test_each_graph_has_variables_of_its_own() -> None:
    first = tf.get_variable("v", [2])
    with tf.Graph().as_default():
        second = tf.get_variable("v", [3])
    assert first.name == second.name
    assert first.graph is not second.graph


def test_each_thread_has_a_scope_of_its_own(graph: Any) -> None:
    seen: list[str] = []

    def work() -> None:
        with graph.as_default():
            seen.append(tf.get_variable_scope().name)
            seen.append(tf.get_variable("v", []).name)

    with tf.variable_scope("outer"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == ["", "v:0"]


def test_existing_variable_names_the_line_that_made_it() -> None:
    with tf.variable_scope("s"):
        tf.get_variable("w", [2])  # the first one
    with pytest.raises(ValueError) as error, tf.variable_scope("s"):
        tf.get_variable("w", [2])
    message = str(error.value)
    assert message.startswith(
        "Variable s/w already exists, disallowed. Did you mean to set reuse=True or "
        "reuse=tf.AUTO_REUSE in VarScope? Originally defined at:"
    )
    assert "test_variable_reuse.py:" in message
    assert message.endswith('tf.get_variable("w", [2])  # the first one')


def test_other_shape_names_both_lines() -> None:
    tf.get_variable("w", [2])  # made here
    with pytest.raises(ValueError) as error, tf.variable_scope("", reuse=True):
        tf.get_variable("w", [3])  # asked for here
    first, specified, created = str(error.value).splitlines()
    assert first == ("Trying to share variable w, but specified shape (3,) and found shape (2,).")
    assert specified.endswith("# asked for here")
    assert created.endswith("# made here")


def _share(*made: Any, **asked: Any) -> None:
    tf.get_variable("w", *made)
    with tf.variable_scope("", reuse=True):
        tf.get_variable("w", **asked)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: _share([2], dtype=tf.int32),
            "Trying to share variable w, but specified dtype int32 and found dtype float32",
        ),
        (
            lambda: tf.get_variable("w", [None, 2]),
            r"Shape of a new variable \(w\) must be fully defined, but instead was \(\?, 2\)",
        ),
        (lambda: tf.get_variable("w"), r"Shape of a new variable \(w\) must be fully defined"),
        (
            lambda: tf.get_variable("w", [1], initializer=tf.constant([1.0])),
            "If initializer is a constant, do not specify shape",
        ),
        (
            lambda: tf.get_variable("w", initializer=tf.constant([1.0]), dtype=tf.float64),
            "Initializer type .*float32.* and explicit dtype .*float64.* don't match",
        ),
        (
            lambda: tf.get_variable("w", [1], dtype=tf.complex64),
            "An initializer for variable w of .*complex64.* is required",
        ),
        (
            lambda: tf.get_variable("w", [1], custom_getter=3),
            "custom_getter which is not callable: 3",
        ),
        (lambda: tf.variable_scope("s", reuse=1), "reuse parameter must be True, False"),
        (lambda: tf.variable_scope(None, "d", reuse=True), "reuse=True cannot be used without"),
    ],
)
def test_wrong_values(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()


def test_missing_variable() -> None:
    with tf.variable_scope("a") as scope:
        scope.reuse_variables()
        with pytest.raises(ValueError) as error:
            variable()
    assert str(error.value) == (
        "Variable a/v does not exist, or was not created with tf.get_variable(). Did you mean to "
        "set reuse=tf.AUTO_REUSE in VarScope?"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None,), "If default_name is None then name_or_scope is required"),
        ((3,), "name_or_scope must be a string or VariableScope"),
        (("s", *[None] * 11, 3), "auxiliary_name_scope must be `True` or `False`"),
    ],
)
def test_wrong_names(arguments: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tf.variable_scope(*arguments)


def test_failed_creation_leaves_no_variable_behind() -> None:
    def broken(shape: Any, dtype: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tf.get_variable("w", [2], initializer=broken)
    assert tf.get_variable("w", [2]).get_shape().as_list() == [2]
