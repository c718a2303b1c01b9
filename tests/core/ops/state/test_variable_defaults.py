"""What a scope gives to the variables in it: initializers, getters, regularizers, collections."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import workbench as tf
from tests.core.ops.state.making import evaluated, variable

pytestmark = pytest.mark.usefixtures("graph")


def test_scope_gives_defaults() -> None:
    def half(value: Any) -> Any:
        return value / 2.0

    with tf.variable_scope(
        "s",
        initializer=tf.constant_initializer(3.0),
        dtype=tf.float64,
        constraint=half,
        caching_device="/cpu:0",
    ) as scope:
        v = tf.get_variable("v", [2])
        own = tf.get_variable("own", [2], dtype=tf.float32, initializer=tf.zeros_initializer())
    assert v.dtype.base_dtype == tf.float64
    assert v.constraint is half
    assert v.value().device == "/device:CPU:0"
    assert own.dtype.base_dtype == tf.float32
    assert [x.tolist() for x in evaluated([v, own])] == [[3.0, 3.0], [0.0, 0.0]]
    with tf.variable_scope(scope), tf.variable_scope("inner"):
        assert tf.get_variable("v", [2]).dtype.base_dtype == tf.float64


def test_settings_can_be_changed_and_do_not_leak() -> None:
    with tf.variable_scope("s") as scope:
        scope.set_initializer(tf.ones_initializer())
        scope.set_dtype(tf.float64)
        scope.set_caching_device("/cpu:0")
        scope.set_regularizer(tf.reduce_sum)
        scope.set_partitioner(tf.fixed_size_partitioner(2))
        scope.set_use_resource(False)
        scope.set_custom_getter(lambda getter, name, **rest: getter(f"{name}_x", **rest))
        v = tf.get_variable("v", [4])
    assert [part.name for part in v] == ["s/v_x/part_0:0", "s/v_x/part_1:0"]
    assert v.dtype == tf.float64
    assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 2
    assert tf.get_variable_scope().initializer is None


def test_regularizers() -> None:
    def regularizer(value: Any) -> Any:
        return tf.reduce_sum(value)

    ones = tf.ones_initializer()
    with tf.variable_scope("s", regularizer=regularizer, initializer=ones):
        tf.get_variable("v", [3])
        tf.get_variable("free", [3], regularizer=tf.no_regularizer)
        tf.get_variable("nothing", [3], regularizer=lambda value: None)
    with tf.variable_scope("s", reuse=True, regularizer=regularizer):
        tf.get_variable("v", [3])
    losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert [loss.op.name for loss in losses] == ["s/v/Regularizer/Sum"]
    assert evaluated(losses) == [3.0]


def test_custom_getters_nest() -> None:
    def doubled(getter: Any, name: str, *rest: Any, **arguments: Any) -> Any:
        return 2.0 * getter(name, *rest, **arguments)

    def summed(getter: Any, name: str, *rest: Any, **arguments: Any) -> Any:
        return getter(f"{name}_0", *rest, **arguments) + getter(f"{name}_1", *rest, **arguments)

    with (
        tf.variable_scope("a", custom_getter=doubled, initializer=tf.ones_initializer()),
        tf.variable_scope("b", custom_getter=summed),
    ):
        v = tf.get_variable("v", [2])
    assert [x.name for x in tf.trainable_variables()] == ["a/b/v_0:0", "a/b/v_1:0"]
    assert evaluated(v).tolist() == [4.0, 4.0]


def test_custom_getters_written_before_constraints() -> None:
    seen: dict[str, Any] = {}

    def getter_of_1_3(
        getter: Any,
        name: str,
        shape: Any,
        dtype: Any,
        initializer: Any,
        regularizer: Any,
        reuse: Any,
        trainable: Any,
        collections: Any,
        caching_device: Any,
        partitioner: Any,
        validate_shape: Any,
        use_resource: Any,
    ) -> Any:
        seen.update(reuse=reuse, trainable=trainable, dtype=dtype)
        return getter(name, shape, dtype, initializer)

    v = tf.get_variable("v", [2], trainable=False, custom_getter=getter_of_1_3)
    assert v.name == "v:0"
    assert seen == {"reuse": False, "trainable": False, "dtype": tf.float32}


def test_collections_of_a_scope() -> None:
    variable("a")
    with tf.variable_scope("s_") as first:
        variable("a")
        variable("b", trainable=False)
    with tf.variable_scope("s") as second:
        variable("a")
        tf.get_local_variable("l", [])
    assert [v.name for v in first.trainable_variables()] == ["s_/a:0"]
    assert [v.name for v in first.global_variables()] == ["s_/a:0", "s_/b:0"]
    assert [v.name for v in second.global_variables()] == ["s/a:0"]
    assert [v.name for v in second.local_variables()] == ["s/l:0"]
    root = tf.get_variable_scope()
    assert [v.name for v in root.trainable_variables()] == ["a:0", "s_/a:0", "s/a:0"]


def test_local_variables() -> None:
    v = tf.get_local_variable("l", [2], collections=["mine"])
    assert tf.local_variables() == [v] == tf.get_collection("mine")
    assert tf.global_variables() == tf.trainable_variables() == []
    with tf.variable_scope("", reuse=True):
        assert tf.get_local_variable("l") is v


def test_local_variables_take_the_same_arguments() -> None:
    signatures = [inspect.signature(f) for f in (tf.get_variable, tf.get_local_variable)]
    assert list(signatures[0].parameters) == list(signatures[1].parameters)
