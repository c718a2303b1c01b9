"""Maximum and average pooling of images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import pooling as kernels
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.nn import pooling_rules as rules
from workbench.core.ops.nn.pooling_rules import ATTRS_2D, FORMATS_2D, MAXIMUM_TYPES
from workbench.core.ops.nn.window_shapes import spread

#: Numbers all different, so that a small change moves no maximum.
_IMAGE = (np.arange(24) * 7 % 24 / 4.0).reshape(1, 3, 4, 2).tolist()
_FLAT = [[[[1.0], [3.0], [2.0], [5.0]]]]
_PAIRS: dict[str, Any] = {"ksize": [1, 1, 2, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}
_SQUARE: dict[str, Any] = {"ksize": [1, 2, 2, 1], "strides": [1, 1, 1, 1], "padding": "VALID"}
_NUMBER = "T: {real} = DT_FLOAT"

declare(
    "MaxPool",
    inputs="input: T",
    outputs="output: T",
    attrs=f"T: {MAXIMUM_TYPES} = DT_FLOAT, {ATTRS_2D}, explicit_paddings: list(int) = [], "
    f"{FORMATS_2D}",
    shape=rules.pooled(4),
    kernel=kernels.max_pool,
    gradient=rules.maximum_gradient("MaxPoolGrad"),
    samples=[
        sample(_FLAT, **_PAIRS, want=[[[[3.0], [5.0]]]]),
        sample(_IMAGE, **_SQUARE, want=lambda x: rules.windows(x, np.max, 2, 1)),
        sample(
            _FLAT, ksize=[1, 1, 3, 1], strides=[1, 1, 2, 1], padding="SAME", want=[[[[3.0], [5.0]]]]
        ),
        sample(
            [[[[1.0, 3.0, 2.0, 5.0]]]],
            ksize=[1, 1, 1, 2],
            strides=[1, 1, 1, 2],
            padding="VALID",
            data_format="NCHW",
            want=[[[[3.0, 5.0]]]],
        ),
    ],
)
declare(
    "MaxPoolGrad",
    inputs="orig_input: T, orig_output: T, grad: T",
    outputs="output: T",
    attrs=f"{ATTRS_2D}, explicit_paddings: list(int) = [], {FORMATS_2D}, {_NUMBER}",
    shape=rules.like_input(4),
    kernel=kernels.max_pool_grad,
    gradient=rules.maximum_second("MaxPoolGradGrad"),
    samples=[
        sample(
            _FLAT,
            [[[[3.0], [5.0]]]],
            [[[[10.0], [20.0]]]],
            **_PAIRS,
            want=[[[[0.0], [10.0], [0.0], [20.0]]]],
            gradient=[2],
        )
    ],
)
declare(
    "MaxPoolGradGrad",
    inputs="orig_input: T, orig_output: T, grad: T",
    outputs="output: T",
    attrs=f"{ATTRS_2D}, {FORMATS_2D}, T: {{real}}",
    shape=rules.pooled(4),
    kernel=kernels.max_pool_grad_grad,
    gradient=rules.maximum_second("MaxPoolGrad"),
    samples=[
        sample(
            _FLAT,
            [[[[3.0], [5.0]]]],
            [[[[1.0], [2.0], [3.0], [4.0]]]],
            **_PAIRS,
            want=[[[[2.0], [4.0]]]],
            gradient=[2],
        )
    ],
)


# -- the second version, whose windows are inputs ------------------------------------------------


def _windowed(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel with ksize and strides as its last inputs."""

    def by_inputs(*arrays: Any, padding: str, data_format: str) -> Any:
        *tensors, ksize, strides = arrays
        return kernel(
            *tensors,
            ksize=tuple(np.asarray(ksize).tolist()),
            strides=tuple(np.asarray(strides).tolist()),
            padding=padding,
            data_format=data_format,
        )

    return by_inputs


_WINDOW_INPUTS = "ksize: int32, strides: int32"
_V2_ATTRS = f"padding: {{'SAME', 'VALID'}}, {FORMATS_2D}"
_PAIR_INPUTS = ([1, 1, 2, 1], [1, 1, 2, 1])

declare(
    "MaxPoolV2",
    inputs=f"input: T, {_WINDOW_INPUTS}",
    outputs="output: T",
    attrs=f"T: {MAXIMUM_TYPES} = DT_FLOAT, {_V2_ATTRS}",
    shape=rules.pooled_by_inputs,
    kernel=_windowed(kernels.max_pool),
    gradient=rules.maximum_gradient("MaxPoolGradV2"),
    samples=[sample(_FLAT, *_PAIR_INPUTS, padding="VALID", want=[[[[3.0], [5.0]]]])],
)
declare(
    "MaxPoolGradV2",
    inputs=f"orig_input: T, orig_output: T, grad: T, {_WINDOW_INPUTS}",
    outputs="output: T",
    attrs=f"{_V2_ATTRS}, {_NUMBER}",
    shape=rules.like_input(4),
    kernel=_windowed(kernels.max_pool_grad),
    gradient=rules.maximum_second("MaxPoolGradGradV2"),
    samples=[
        sample(
            _FLAT,
            [[[[3.0], [5.0]]]],
            [[[[10.0], [20.0]]]],
            *_PAIR_INPUTS,
            padding="VALID",
            want=[[[[0.0], [10.0], [0.0], [20.0]]]],
            gradient=[2],
        )
    ],
)
declare(
    "MaxPoolGradGradV2",
    inputs=f"orig_input: T, orig_output: T, grad: T, {_WINDOW_INPUTS}",
    outputs="output: T",
    attrs=f"{_V2_ATTRS}, T: {{real}}",
    shape=rules.pooled_by_inputs,
    kernel=_windowed(kernels.max_pool_grad_grad),
    gradient=rules.maximum_second("MaxPoolGradV2"),
    samples=[
        sample(
            _FLAT,
            [[[[3.0], [5.0]]]],
            [[[[1.0], [2.0], [3.0], [4.0]]]],
            *_PAIR_INPUTS,
            padding="VALID",
            want=[[[[2.0], [4.0]]]],
            gradient=[2],
        )
    ],
)


# -- averages ------------------------------------------------------------------------------------

declare(
    "AvgPool",
    inputs="value: T",
    outputs="output: T",
    attrs=f"{ATTRS_2D}, {FORMATS_2D}, T: {{floating}}",
    shape=rules.pooled(4),
    kernel=kernels.avg_pool,
    gradient=rules.average_gradient("AvgPoolGrad"),
    samples=[
        sample(_FLAT, **_PAIRS, want=[[[[2.0], [3.5]]]]),
        sample(_IMAGE, **_SQUARE, want=lambda x: rules.windows(x, np.mean, 2, 1)),
        # Padding does not count: the first window has two elements.
        sample(
            _FLAT,
            ksize=[1, 1, 3, 1],
            strides=[1, 1, 1, 1],
            padding="SAME",
            want=[[[[2.0], [2.0], [10 / 3], [3.5]]]],
        ),
        sample(
            [[[[1.0, 3.0, 2.0, 5.0]]]],
            ksize=[1, 1, 1, 2],
            strides=[1, 1, 1, 2],
            padding="VALID",
            data_format="NCHW",
            want=[[[[2.0, 3.5]]]],
        ),
    ],
)
declare(
    "AvgPoolGrad",
    inputs="orig_input_shape: int32, grad: T",
    outputs="output: T",
    attrs=f"{ATTRS_2D}, {FORMATS_2D}, T: {{floating}}",
    shape=rules.like_shape_input(4),
    kernel=kernels.avg_pool_grad,
    gradient=rules.average_second("AvgPool", "value"),
    samples=[
        sample(
            [1, 1, 4, 1],
            [[[[10.0], [20.0]]]],
            **_PAIRS,
            want=[[[[5.0], [5.0], [10.0], [10.0]]]],
        )
    ],
)

# -- public functions ----------------------------------------------------------------------------


def _pool(
    type_name: str,
    argument: str,
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    name: str | None,
) -> Tensor:
    with name_scope(name, type_name, [value]) as scope:
        value = convert_to_tensor(value, name="input")
        return call(
            type_name,
            scope,
            **{argument: value},
            ksize=spread(ksize, 4, data_format, "ksize"),
            strides=spread(strides, 4, data_format, "strides"),
            padding=padding,
            data_format=data_format,
        )


def max_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """The largest element of each window of `value` [batch, height, width, channels].

    `ksize` and `strides` have one number for each axis (or one for height and width), `padding` is
    "SAME" or "VALID". Raises ValueError where the window is larger than the input.

    >>> import workbench as tf
    >>> image = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    >>> tf.nn.max_pool(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID").eval().ravel().tolist()
    [5.0, 7.0, 13.0, 15.0]
    """
    value = input if value is None else value
    return _pool("MaxPool", "input", value, ksize, strides, padding, data_format, name)


def avg_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """The mean of each window of `value` [batch, height, width, channels]; padding is left out.

    >>> import workbench as tf
    >>> image = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    >>> tf.nn.avg_pool(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID").eval().ravel().tolist()
    [2.5, 4.5, 10.5, 12.5]
    """
    value = input if value is None else value
    return _pool("AvgPool", "value", value, ksize, strides, padding, data_format, name)
