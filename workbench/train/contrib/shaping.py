"""Layers without variables: `tf.contrib.layers`."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import int32, int64
from workbench.core.ops import api
from workbench.core.ops.state.variable_scope import variable_scope
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.contrib.support import collect_named_outputs, last_dimension
from workbench.train.layers.core import Dropout
from workbench.train.layers.core import flatten as flatten_layer


@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Any:
    """All axes but the first as one.

    >>> import workbench as tf
    >>> flatten(tf.ones([2, 3, 4])).shape.as_list()
    [2, 12]
    """
    with name_scope(scope, "Flatten", [inputs]) as opened:
        outputs = flatten_layer(convert_to_tensor(inputs))
        return collect_named_outputs(outputs_collections, opened, outputs)


@add_arg_scope
def dropout(
    inputs: Any,
    keep_prob: Any = 0.5,
    noise_shape: Any = None,
    is_training: Any = True,
    outputs_collections: Any = None,
    scope: Any = None,
    seed: int | None = None,
) -> Any:
    """Sets elements to 0 in training and scales up the others; `keep_prob` of them stay.

    >>> import workbench as tf
    >>> dropout(tf.ones([2]), is_training=False).eval().tolist()
    [1.0, 1.0]
    """
    with variable_scope(scope, "Dropout", [inputs]) as opened:
        layer = Dropout(
            rate=1 - keep_prob, noise_shape=noise_shape, seed=seed, name=opened.name, _scope=opened
        )
        outputs = layer(convert_to_tensor(inputs), training=is_training)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def one_hot_encoding(
    labels: Any,
    num_classes: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """Rows of 0 with a 1 at each label.

    >>> import workbench as tf
    >>> one_hot_encoding(tf.constant([2, 0]), 3).eval().tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    with name_scope(scope, "OneHotEncoding", [labels, num_classes]) as opened:
        tensor = convert_to_tensor(labels)
        if tensor.dtype is int32:
            tensor = api.cast(tensor, int64)
        outputs = api.one_hot(tensor, num_classes, on_value=on_value, off_value=off_value)
        return collect_named_outputs(outputs_collections, opened, outputs)


@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Any:
    """The softmax along the last axis, whatever the rank.

    >>> import workbench as tf
    >>> softmax(tf.zeros([1, 1, 2])).eval().tolist()
    [[[0.5, 0.5]]]
    """
    with variable_scope(scope, "softmax", [logits]):
        tensor = convert_to_tensor(logits)
        rows = api.reshape(tensor, [-1, last_dimension(tensor.shape, min_rank=2)])
        result = api.reshape(api.softmax(rows), api.shape(tensor))
        result.set_shape(tensor.shape)
        return result


@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Any:
    """The largest value of each of `num_units` groups of features.

    >>> import workbench as tf
    >>> maxout(tf.constant([[1.0, 4.0, 2.0, 3.0]]), num_units=2).eval().tolist()
    [[2.0, 4.0]]
    """
    with name_scope(scope, "MaxOut", [inputs]):
        tensor = convert_to_tensor(inputs)
        sizes = tensor.shape.as_list()
        channels = sizes[axis]
        if channels is None or channels % num_units:
            raise ValueError(
                f"number of features({channels}) is not a multiple of num_units({num_units})"
            )
        place = axis % len(sizes)
        shape = [-1 if size is None else size for size in sizes]
        # The groups are interleaved: group i has the features i, i + num_units and so on.
        grouped = [*shape[:place], channels // num_units, num_units, *shape[place + 1 :]]
        return api.reduce_max(api.reshape(tensor, grouped), place)
