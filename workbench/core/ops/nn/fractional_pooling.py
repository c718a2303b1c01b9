"""Pooling over regions whose sizes vary at random, so that any ratio of sizes is possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.graph.constants import constant_entries
from workbench.core.graph.shapes import Entries, Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import fractional_pooling as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample

_SEQUENCES = "row_pooling_sequence: int64, col_pooling_sequence: int64"
_ATTRS = (
    "pooling_ratio: list(float) >= 4, pseudo_random: bool = false, overlapping: bool = false, "
    "deterministic: bool = false, seed: int = 0, seed2: int = 0, T: {float, double, int32, int64}"
)
_GRAD_ATTRS = "overlapping: bool = false, T: {float, double, int32, int64}"


def _shape(op: Any) -> list[Entries]:
    batch, height, width, channels = shape_rules.with_rank(
        op.inputs[0].entries, 4, "the value to pool"
    )
    ratios = op.attrs["pooling_ratio"]
    if len(ratios) != 4:
        raise ValueError(f"pooling_ratio must contain 4 numbers, got {len(ratios)}: {ratios}")
    rows, columns = _pooled_size(height, ratios[1]), _pooled_size(width, ratios[2])
    return [(batch, rows, columns, channels), (_border(rows),), (_border(columns),)]


def _pooled_size(size: Entry, ratio: float) -> Entry:
    return int(size / ratio) if isinstance(size, int) else None


def _border(size: Entry) -> Entry:
    """A sequence holds the borders of the regions, one more than there are regions."""
    return size + 1 if isinstance(size, int) else None


def _pooling(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel with the random stream of its operation, or with one fixed draw from it."""

    def pool(
        value: Any,
        *,
        pooling_ratio: Sequence[float],
        pseudo_random: bool,
        overlapping: bool,
        deterministic: bool,
        seed: int,
        seed2: int,
        context: Any,
    ) -> Any:
        generator = context.generator(seed, seed2)
        if deterministic:
            drawn = int(generator.integers(2**62))
            generator = np.random.default_rng(context.resource(lambda: drawn))
        return kernel(
            value,
            pooling_ratio=pooling_ratio,
            pseudo_random=pseudo_random,
            overlapping=overlapping,
            generator=generator,
        )

    return pool


def _max_gradient(op: Any, dy: Tensor, *unused: Any) -> Tensor:
    output, rows, columns = op.outputs
    return call(
        "FractionalMaxPoolGrad",
        None,
        orig_input=op.inputs[0],
        orig_output=output,
        out_backprop=dy,
        row_pooling_sequence=rows,
        col_pooling_sequence=columns,
        overlapping=op.attrs["overlapping"],
    )


def _avg_gradient(op: Any, dy: Tensor, *unused: Any) -> Tensor:
    return call(
        "FractionalAvgPoolGrad",
        None,
        orig_input_tensor_shape=api.shape(op.inputs[0], out_type="int64"),
        out_backprop=dy,
        row_pooling_sequence=op.outputs[1],
        col_pooling_sequence=op.outputs[2],
        overlapping=op.attrs["overlapping"],
    )


def _shape_input(op: Any) -> list[Entries]:
    return [constant_entries(op.inputs[0]) or (None,) * 4]


# A ratio that divides the size leaves nothing to chance.
_IMAGE = [[[[1.0], [8.0]], [[3.0], [4.0]], [[5.0], [6.0]], [[7.0], [2.0]]]]
_RATIO = [1.0, 2.0, 2.0, 1.0]

declare(
    "FractionalMaxPool",
    inputs="value: T",
    outputs=f"output: T, {_SEQUENCES}",
    attrs=_ATTRS,
    shape=_shape,
    kernel=_pooling(kernels.fractional_max_pool),
    gradient=_max_gradient,
    stateful=True,
    samples=[
        sample(_IMAGE, pooling_ratio=_RATIO, want=([[[[8.0]], [[7.0]]]], [0, 2, 4], [0, 2])),
        sample(
            _IMAGE,
            pooling_ratio=_RATIO,
            overlapping=True,
            deterministic=True,
            want=([[[[8.0]], [[7.0]]]], [0, 2, 4], [0, 2]),
        ),
    ],
)
declare(
    "FractionalAvgPool",
    inputs="value: T",
    outputs=f"output: T, {_SEQUENCES}",
    attrs=_ATTRS,
    shape=_shape,
    kernel=_pooling(kernels.fractional_avg_pool),
    gradient=_avg_gradient,
    stateful=True,
    samples=[sample(_IMAGE, pooling_ratio=_RATIO, want=([[[[4.0]], [[5.0]]]], [0, 2, 4], [0, 2]))],
)
declare(
    "FractionalMaxPoolGrad",
    inputs=f"orig_input: T, orig_output: T, out_backprop: T, {_SEQUENCES}",
    outputs="output: T",
    attrs=_GRAD_ATTRS,
    shape=shape_rules.first,
    kernel=kernels.fractional_max_pool_grad,
    gradient=None,
    samples=[
        sample(
            _IMAGE,
            [[[[8.0]], [[7.0]]]],
            [[[[10.0]], [[20.0]]]],
            [0, 2, 4],
            [0, 2],
            dtype=(None, None, None, "int64", "int64"),
            want=[[[[0.0], [10.0]], [[0.0], [0.0]], [[0.0], [0.0]], [[20.0], [0.0]]]],
        )
    ],
)
declare(
    "FractionalAvgPoolGrad",
    inputs=f"orig_input_tensor_shape: int64, out_backprop: T, {_SEQUENCES}",
    outputs="output: T",
    attrs=_GRAD_ATTRS,
    shape=_shape_input,
    kernel=kernels.fractional_avg_pool_grad,
    gradient=None,
    samples=[
        sample(
            [1, 4, 2, 1],
            [[[[8.0]], [[4.0]]]],
            [0, 2, 4],
            [0, 2],
            dtype=("int64", None, "int64", "int64"),
            want=[[[[2.0], [2.0]], [[2.0], [2.0]], [[1.0], [1.0]], [[1.0], [1.0]]]],
        )
    ],
)


class FractionalPool(NamedTuple):
    """The pooled regions, and the borders of the regions along rows and columns."""

    output: Tensor
    row_pooling_sequence: Tensor
    col_pooling_sequence: Tensor


def _fractional(type_name: str, name: str | None, **arguments: Any) -> FractionalPool:
    return FractionalPool(*create(type_name, name, **arguments).outputs)


def fractional_max_pool(
    value: Any,
    pooling_ratio: Sequence[float],
    pseudo_random: bool | None = None,
    overlapping: bool | None = None,
    deterministic: bool | None = None,
    seed: int | None = None,
    seed2: int | None = None,
    name: str | None = None,
) -> FractionalPool:
    """The largest element of each of size / ratio random regions, along height and width.

    `pooling_ratio` is [1, rows, columns, 1], each at least 1. Regions differ by one in size;
    `pseudo_random` draws them all at once, `overlapping` lets neighbours share their border,
    `deterministic` uses the same ones in every step.

    >>> import workbench as tf
    >>> image = tf.reshape(tf.range(16.0), [1, 4, 4, 1])
    >>> tf.nn.fractional_max_pool(image, [1.0, 2.0, 2.0, 1.0]).output.eval().ravel().tolist()
    [5.0, 7.0, 13.0, 15.0]
    """
    return _fractional(
        "FractionalMaxPool",
        name,
        value=value,
        pooling_ratio=pooling_ratio,
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
    )


def fractional_avg_pool(
    value: Any,
    pooling_ratio: Sequence[float],
    pseudo_random: bool | None = None,
    overlapping: bool | None = None,
    deterministic: bool | None = None,
    seed: int | None = None,
    seed2: int | None = None,
    name: str | None = None,
) -> FractionalPool:
    """The mean of each of size / ratio random regions; see `tf.nn.fractional_max_pool`."""
    return _fractional(
        "FractionalAvgPool",
        name,
        value=value,
        pooling_ratio=pooling_ratio,
        pseudo_random=pseudo_random,
        overlapping=overlapping,
        deterministic=deterministic,
        seed=seed,
        seed2=seed2,
    )
