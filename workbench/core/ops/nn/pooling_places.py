"""Maximum pooling that also tells where the maxima are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import pooling as kernels
from workbench.core.ops import api
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.nn import pooling_rules as rules
from workbench.core.ops.nn.pooling_rules import ATTRS_2D
from workbench.core.ops.nn.window_shapes import spread

Array = np.ndarray[Any, Any]
_SHARED = ("ksize", "strides", "padding", "include_batch_in_index")
_NUMBER = "T: {real} = DT_FLOAT"
_ATTRS = f"{ATTRS_2D}, include_batch_in_index: bool = false, Targmax: {{int32, int64}}"
_FLAT = [[[[1.0], [3.0], [2.0], [5.0]]]]
_PAIRS: dict[str, Any] = {"ksize": [1, 1, 2, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}

# The kernels count places through the whole batch, the operations within each image unless
# `include_batch_in_index` says otherwise.


def _max_pool_with_argmax(
    input: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    Targmax: Any,
    include_batch_in_index: bool,
) -> tuple[Array, Array]:
    output, places = kernels.max_pool_with_argmax(
        input, ksize=ksize, strides=strides, padding=padding, Targmax=Targmax
    )
    return output, places if include_batch_in_index else places - _image_starts(input, Targmax)


def _max_pool_grad_with_argmax(
    input: Array,
    grad: Array,
    argmax: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    include_batch_in_index: bool,
) -> Array:
    places = argmax if include_batch_in_index else argmax + _image_starts(input, argmax.dtype)
    return kernels.max_pool_grad_with_argmax(
        input, grad, places, ksize=ksize, strides=strides, padding=padding
    )


def _max_pool_grad_grad_with_argmax(
    input: Array,
    grad: Array,
    argmax: Array,
    *,
    ksize: Sequence[int],
    strides: Sequence[int],
    padding: str,
    include_batch_in_index: bool,
) -> Array:
    places = argmax if include_batch_in_index else argmax + _image_starts(input, argmax.dtype)
    return kernels.max_pool_grad_grad_with_argmax(
        input, grad, places, ksize=ksize, strides=strides, padding=padding
    )


def _image_starts(batch: Array, dtype: Any) -> Array:
    """The place of each image's first element, [batch, 1, 1, 1]."""
    size = int(np.prod(batch.shape[1:]))
    return (np.arange(batch.shape[0], dtype=dtype) * size).reshape(-1, 1, 1, 1)


def _places_arguments(op: Any) -> dict[str, Any]:
    return {name: op.attrs[name] for name in _SHARED}


def _argmax_gradient(op: Any, dy: Tensor, unused: Any) -> Tensor:
    return call(
        "MaxPoolGradWithArgmax",
        None,
        input=op.inputs[0],
        grad=dy,
        argmax=op.outputs[1],
        **_places_arguments(op),
    )


def _argmax_second(other_type: str) -> Callable[..., Any]:
    def gradient(op: Any, dy: Tensor) -> tuple[Any, Tensor, None]:
        x, _, places = op.inputs
        by_grad = call(other_type, None, input=x, grad=dy, argmax=places, **_places_arguments(op))
        return api.zeros_like(x), by_grad, None

    return gradient


declare(
    "MaxPoolWithArgmax",
    inputs="input: T",
    outputs="output: T, argmax: Targmax",
    attrs="ksize: list(int) >= 4, strides: list(int) >= 4, Targmax: {int32, int64} = DT_INT64, "
    f"padding: {{'SAME', 'VALID'}}, include_batch_in_index: bool = false, {_NUMBER}",
    shape=rules.pooled(4),
    kernel=_max_pool_with_argmax,
    gradient=_argmax_gradient,
    samples=[
        sample(_FLAT, **_PAIRS, want=([[[[3.0], [5.0]]]], [[[[1], [3]]]])),
        sample(_FLAT * 2, **_PAIRS, want=([[[[3.0], [5.0]]]] * 2, [[[[1], [3]]]] * 2)),
        sample(
            _FLAT * 2,
            **_PAIRS,
            include_batch_in_index=True,
            want=([[[[3.0], [5.0]]]] * 2, [[[[1], [3]]], [[[5], [7]]]]),
        ),
    ],
)
declare(
    "MaxPoolGradWithArgmax",
    inputs="input: T, grad: T, argmax: Targmax",
    outputs="output: T",
    attrs=f"{_ATTRS}, {_NUMBER}",
    shape=rules.like_input(4),
    kernel=_max_pool_grad_with_argmax,
    gradient=_argmax_second("MaxPoolGradGradWithArgmax"),
    samples=[
        sample(
            _FLAT,
            [[[[10.0], [20.0]]]],
            [[[[1], [3]]]],
            **_PAIRS,
            want=[[[[0.0], [10.0], [0.0], [20.0]]]],
        )
    ],
)
declare(
    "MaxPoolGradGradWithArgmax",
    inputs="input: T, grad: T, argmax: Targmax",
    outputs="output: T",
    attrs=f"{_ATTRS}, T: {{real}}",
    shape=rules.pooled(4),
    kernel=_max_pool_grad_grad_with_argmax,
    gradient=_argmax_second("MaxPoolGradWithArgmax"),
    samples=[
        sample(
            _FLAT,
            [[[[1.0], [2.0], [3.0], [4.0]]]],
            [[[[1], [3]]]],
            **_PAIRS,
            want=[[[[2.0], [4.0]]]],
        )
    ],
)


class MaxPoolWithArgmax(NamedTuple):
    """The maxima of each window, and where in the flattened image each was."""

    output: Tensor
    argmax: Tensor


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    Targmax: Any = None,
    name: str | None = None,
    include_batch_in_index: bool = False,
) -> MaxPoolWithArgmax:
    """`max_pool`, and where each maximum was in its flattened image.

    That is (y * width + x) * channels + channel, of type `Targmax` (int64); counted through the
    whole batch with `include_batch_in_index`.

    >>> import workbench as tf
    >>> found = tf.nn.max_pool_with_argmax([[[[1.0], [3.0]]]], [1, 1, 2, 1], [1, 1, 1, 1], "VALID")
    >>> found.argmax.eval().tolist()
    [[[[1]]]]
    """
    op = create(
        "MaxPoolWithArgmax",
        name,
        input=input,
        ksize=spread(ksize, 4, None, "ksize"),
        strides=spread(strides, 4, None, "strides"),
        padding=padding,
        Targmax=Targmax,
        include_batch_in_index=include_batch_in_index,
    )
    return MaxPoolWithArgmax(*op.outputs)
