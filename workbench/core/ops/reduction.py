"""Reductions: sums, means, products and extremes over axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import bool as bool_type
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import reduction as kernels
from workbench.core.ops import api
from workbench.core.ops import reduction_gradient as gradients
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, Sample, declare, sample
from workbench.core.ops.static_shapes import reshape_like


def _reduced_entries(op: Any) -> list[Any]:
    """The input's shape without the reduced axes, or with size 1 for them."""
    source, indices = op.inputs
    entries, keep_dims = source.entries, op.attrs["keep_dims"]
    if indices.entries is not None and len(indices.entries) > 1:
        raise ValueError(
            f"Shape must be at most rank 1 but is rank {len(indices.entries)} for the axes"
        )
    value = constant_value(indices)
    if entries is None:
        return [None]
    rank = len(entries)
    if value is None:
        return [(None,) * rank if keep_dims else None]
    axes = set()
    for axis in value.reshape(-1).tolist():
        if not -rank <= axis < rank:
            raise ValueError(
                f"Invalid reduction dimension {axis} for input with {rank} dimensions."
            )
        axes.add(axis % rank)
    if keep_dims:
        return [tuple(1 if i in axes else e for i, e in enumerate(entries))]
    return [tuple(e for i, e in enumerate(entries) if i not in axes)]


def _reduction(
    type_name: str,
    kernel: Callable[..., Any],
    gradient: Any,
    samples: Sequence[Sample],
    types: str = "number",
) -> None:
    boolean = types == "bool"
    declare(
        type_name,
        inputs=f"input: {'bool' if boolean else 'T'}, reduction_indices: Tidx",
        outputs=f"output: {'bool' if boolean else 'T'}",
        attrs="keep_dims: bool = false, "
        + ("" if boolean else f"T: {{{types}}}, ")
        + "Tidx: {int32, int64} = DT_INT32",
        shape=_reduced_entries,
        kernel=kernel,
        gradient=gradient,
        samples=samples,
    )


_GRID = [[1.0, 2.0, 4.0], [3.0, -5.0, 0.5]]
_WHOLE = [[1, 2], [-4, 6]]


def _samples(rows: Any, columns: Any, everything: Any, kept: Any, integers: Any) -> list[Sample]:
    return [
        sample(_GRID, 0, want=rows),
        sample(_GRID, [-1], want=columns),
        sample(_GRID, [0, 1], want=everything),
        sample(_GRID, [1], keep_dims=True, want=kept),
        sample(_WHOLE, [1], want=integers),
    ]


_reduction(
    "Sum",
    kernels.sum,
    gradients.sum_gradient,
    _samples([4.0, -3.0, 4.5], [7.0, -1.5], 5.5, [[7.0], [-1.5]], [3, 2]),
)
_reduction(
    "Mean",
    kernels.mean,
    gradients.mean_gradient,
    _samples([2.0, -1.5, 2.25], [7 / 3, -0.5], 5.5 / 6, [[7 / 3], [-0.5]], [1, 1]),
)
_reduction(
    "Prod",
    kernels.prod,
    gradients.prod_gradient,
    [
        *_samples([3.0, -10.0, 2.0], [8.0, -7.5], -60.0, [[8.0], [-7.5]], [2, -24]),
        sample([0.0, 2.0, 3.0], [0], want=0.0),
    ],
)
_reduction(
    "Max",
    kernels.max,
    gradients.extreme_gradient,
    _samples([3.0, 2.0, 4.0], [4.0, 3.0], 4.0, [[4.0], [3.0]], [2, 6]),
    "real",
)
_reduction(
    "Min",
    kernels.min,
    gradients.extreme_gradient,
    _samples([1.0, -5.0, 0.5], [1.0, -5.0], -5.0, [[1.0], [-5.0]], [1, -4]),
    "real",
)
_TRUTHS = [[True, False], [True, True]]
_reduction(
    "All",
    kernels.all,
    NOT_DIFFERENTIABLE,
    [
        sample(_TRUTHS, [0], want=[True, False]),
        sample(_TRUTHS, 1, keep_dims=True, want=[[False], [True]]),
    ],
    "bool",
)
_reduction(
    "Any",
    kernels.any,
    NOT_DIFFERENTIABLE,
    [
        sample([[False, False], [True, False]], [0], want=[True, False]),
        sample([[False, False], [True, False]], [0, 1], want=True),
    ],
    "bool",
)


# -- public functions ----------------------------------------------------------------------------


def old_name(name: str, value: Any, old: str, old_value: Any) -> Any:
    """The value of an argument that may be given by its old name; ValueError for both."""
    if old_value is not None:
        if value is not None:
            raise ValueError(f"Cannot specify both '{name}' and '{old}'")
        return old_value
    return value


def axes_or_all(x: Tensor, axis: Any) -> Any:
    """The axes, every one where `axis` is None."""
    if axis is not None:
        return axis
    if x.entries is not None:
        return api.constant(np.arange(len(x.entries), dtype=np.int32))
    return api.range(0, api.rank(x))


def _reduce(
    type_name: str,
    x: Any,
    axis: Any,
    keep_dims: Any,
    name: str | None,
    reduction_indices: Any,
    keepdims: Any,
) -> Tensor:
    axis = old_name("axis", axis, "reduction_indices", reduction_indices)
    keep = bool(old_name("keepdims", keepdims, "keep_dims", keep_dims or None))
    x = convert_to_tensor(x, bool_type if type_name in ("All", "Any") else None, "input_tensor")
    axes = axes_or_all(x, axis)
    result = call(type_name, name, input=x, reduction_indices=axes, keep_dims=keep)
    if axis is None and not keep and result.entries is None:
        result.set_shape(())
    return result


def reduce_sum(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """The sum over `axis` (an int, a list, or None for all axes).

    With `keep_dims` the reduced axes stay, with size 1. `reduction_indices` is the old name of
    `axis`, `keepdims` the later one of `keep_dims`: so for every reduction.

    >>> import workbench as tf
    >>> x = tf.constant([[1, 1, 1], [1, 1, 1]])
    >>> tf.reduce_sum(x).eval(), tf.reduce_sum(x, 1, keep_dims=True).eval().tolist()
    (np.int32(6), [[3], [3]])
    """
    return _reduce("Sum", input_tensor, axis, keep_dims, name, reduction_indices, keepdims)


def reduce_mean(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """The mean over `axis`; of integers an integer, rounded towards zero. See `reduce_sum`."""
    return _reduce("Mean", input_tensor, axis, keep_dims, name, reduction_indices, keepdims)


def reduce_prod(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """The product over `axis`. See `reduce_sum`."""
    return _reduce("Prod", input_tensor, axis, keep_dims, name, reduction_indices, keepdims)


def reduce_max(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """The largest element over `axis`; equal ones share the gradient. See `reduce_sum`."""
    return _reduce("Max", input_tensor, axis, keep_dims, name, reduction_indices, keepdims)


def reduce_min(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """The smallest element over `axis`; equal ones share the gradient. See `reduce_sum`."""
    return _reduce("Min", input_tensor, axis, keep_dims, name, reduction_indices, keepdims)


def reduce_all(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """True where all elements over `axis` are. See `reduce_sum`."""
    return _reduce("All", input_tensor, axis, keep_dims, name, reduction_indices, keepdims)


def reduce_any(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """True where one element over `axis` is. See `reduce_sum`."""
    return _reduce("Any", input_tensor, axis, keep_dims, name, reduction_indices, keepdims)


def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """log(sum(exp(x))) over `axis`, without overflow. See `reduce_sum`.

    >>> import workbench as tf
    >>> round(float(tf.reduce_logsumexp([1000.0, 1000.0]).eval()), 4)
    1000.6932
    """
    axis = old_name("axis", axis, "reduction_indices", reduction_indices)
    keep = bool(old_name("keepdims", keepdims, "keep_dims", keep_dims or None))
    with name_scope(name, "ReduceLogSumExp", [input_tensor]):
        x = convert_to_tensor(input_tensor, name="input_tensor")
        largest = reduce_max(x, axis, keep_dims=True)
        # Where all are -inf, or one is inf, the shift itself would make NaN of infinities.
        finite = api.where(api.is_finite(largest), largest, api.zeros_like(largest))
        shift = api.stop_gradient(finite)
        total = api.log(reduce_sum(api.exp(x - shift), axis, keep_dims=keep))
        return call("Add", None, x=total, y=shift if keep else reshape_like(shift, total))
