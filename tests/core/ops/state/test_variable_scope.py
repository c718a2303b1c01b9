"""Names of variables and of what they bring, in scopes of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import workbench as tf
from tests.core.ops.state.making import names, variable

pytestmark = pytest.mark.usefixtures("graph")


AUTO = tf.AUTO_REUSE


def both() -> None:
    """A variable and an operation, whose names follow different scopes."""
    variable()
    tf.constant(1.0, name="c")


def nested() -> None:
    with tf.variable_scope("a"):
        both()
        with tf.variable_scope("b"):
            both()
    with tf.variable_scope("a", reuse=True):
        both()
        with tf.variable_scope("b"):
            both()


def entered_by_object() -> None:
    with tf.variable_scope("a") as scope:
        both()
    with tf.variable_scope("x"), tf.variable_scope(scope, reuse=True):
        both()
    with tf.variable_scope(scope, reuse=True):
        both()
        with tf.variable_scope("d", reuse=AUTO):
            both()


def original_name_scope() -> None:
    with tf.variable_scope("a") as scope:
        variable()
    with tf.variable_scope(scope, reuse=True), tf.name_scope(scope.original_name_scope):
        tf.constant(1.0, name="c")
    with tf.name_scope("n"), tf.variable_scope("a", reuse=True):
        both()


def default_names() -> None:
    for _ in range(3):
        with tf.variable_scope(None, "layer"):
            both()
    with tf.variable_scope("q"):
        for _ in range(2):
            with tf.variable_scope(None, "layer"):
                both()


def numbering_after_a_jump() -> None:
    with tf.variable_scope("default") as scope:
        for _ in range(2):
            with tf.variable_scope(None, "layer"):
                both()
        with tf.variable_scope(scope):
            pass
        with tf.variable_scope(None, "layer"):
            both()


def without_name_scope() -> None:
    with tf.variable_scope("a") as scope:
        both()
    with tf.variable_scope(scope, reuse=True, auxiliary_name_scope=False):
        both()
    with tf.name_scope("n"):
        with tf.variable_scope("z", auxiliary_name_scope=False):
            both()
        with tf.variable_scope(None, "d", auxiliary_name_scope=False):
            both()


def root_scope() -> None:
    root = tf.get_variable_scope()
    with tf.name_scope("n"), tf.variable_scope(root):
        both()
    with tf.variable_scope("a"), tf.variable_scope(root):
        variable("w")
        tf.constant(1.0, name="c")


def path_as_name() -> None:
    with tf.variable_scope("a/b"):
        both()


def name_taken_by_an_operation() -> None:
    tf.placeholder(tf.float32, name="v")
    variable()


def old_spelling() -> None:
    with tf.variable_op_scope([], None, "layer"):
        both()


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (nested, "a/v a/c a/b/v a/b/c a_1/c a_1/b/c"),
        (entered_by_object, "a/v a/c x/a/c a_1/c a/d/v a_1/d/c"),
        (original_name_scope, "a/v a/c n/a/c"),
        (
            default_names,
            "layer/v layer/c layer_1/v layer_1/c layer_2/v layer_2/c "
            "q/layer/v q/layer/c q/layer_1/v q/layer_1/c",
        ),
        (
            numbering_after_a_jump,
            "default/layer/v default/layer/c default/layer_1/v default/layer_1/c "
            "default/layer_2/v default/layer_2/c",
        ),
        (without_name_scope, "a/v a/c c z/v n/c d/v n/c_1"),
        (root_scope, "v n/c w a/c"),
        (path_as_name, "a/b/v a/b/c"),
        (name_taken_by_an_operation, "v v_1"),
        (old_spelling, "layer/v layer/c"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_names(build: Callable[[], None], expected: str) -> None:
    build()
    assert names() == expected.split()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"shape": [2, 3]},
            "random_uniform/shape random_uniform/min random_uniform/max "
            "random_uniform/RandomUniform random_uniform/sub random_uniform/mul random_uniform",
        ),
        ({"shape": [2], "dtype": tf.int32}, "zeros"),
        ({"shape": [2], "initializer": tf.ones_initializer}, "ones"),
        ({"shape": [2], "initializer": tf.constant_initializer(3.0)}, "Const"),
        (
            {"shape": [2], "initializer": tf.random_normal_initializer()},
            "random_normal/shape random_normal/mean random_normal/stddev "
            "random_normal/RandomStandardNormal random_normal/mul random_normal",
        ),
        (
            {"shape": [2], "initializer": tf.variance_scaling_initializer()},
            "truncated_normal/shape truncated_normal/mean truncated_normal/stddev "
            "truncated_normal/TruncatedNormal truncated_normal/mul truncated_normal",
        ),
    ],
)
def test_names_of_what_a_variable_brings(arguments: dict[str, Any], expected: str) -> None:
    with tf.variable_scope("s"):
        tf.get_variable("w", **arguments)
    made = [op.name for op in tf.get_default_graph().get_operations()]
    initial = [f"s/w/Initializer/{name}" for name in expected.split()]
    assert made == [*initial, "s/w", "s/w/Assign", "s/w/read"]


def test_scopes_may_be_entered_again_and_leave_on_errors() -> None:
    scope = tf.variable_scope("a")
    with scope:
        pass
    with scope as second:
        assert second.name == "a"
    with pytest.raises(ZeroDivisionError), tf.variable_scope("b"):
        raise ZeroDivisionError
    assert tf.get_variable_scope().name == ""
    assert tf.constant(1.0, name="c").op.name == "c"


def test_values_choose_the_graph() -> None:
    other = tf.Graph()
    with other.as_default():
        x = tf.constant(1.0)
    with tf.variable_scope("s", values=[x]):
        assert tf.get_variable("v", []).graph is other


def test_improper_nesting() -> None:
    outer, inner = tf.variable_scope("outer"), tf.variable_scope("inner")
    outer.__enter__()
    inner.__enter__()
    with pytest.raises(RuntimeError, match="Improper nesting of variable_scope: 'outer' is left"):
        outer.__exit__(None, None, None)
