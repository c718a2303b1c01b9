"""Counting: elements that are not zero, numbers in bins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph import dtypes
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import listing
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, Sample, declare, sample
from workbench.core.ops.reduction import old_name


def _as_many_as(index: int, what: str) -> Callable[[Any], list[Any]]:
    """The output is a vector as long as a scalar input says."""

    def shape(op: Any) -> list[Any]:
        shape_rules.with_rank(op.inputs[index].entries, 0, what)
        size = constant_value(op.inputs[index])
        return [(None if size is None else max(int(size), 0),)]

    return shape


declare(
    "Bincount",
    inputs="arr: int32, size: int32, weights: T",
    outputs="bins: T",
    attrs="T: {int32, int64, float, double}",
    shape=_as_many_as(1, "size"),
    kernel=listing.bincount,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([1, 1, 3, 7], 4, [0.5, 0.25, 2.0, 9.0], want=[0.0, 0.75, 0.0, 2.0]),
        sample([1, 1, 3, 7], 5, np.zeros(0, np.int32), want=[0, 2, 0, 1, 0]),
    ],
)


declare(
    "Bucketize",
    inputs="input: T",
    outputs="output: int32",
    attrs="T: {int32, int64, float, double}, boundaries: list(float)",
    shape=shape_rules.first,
    kernel=listing.bucketize,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample([[-5, 0], [3, 12]], boundaries=[0, 3, 8], want=[[0, 1], [2, 3]]),
        sample([2.5, 8.0], boundaries=[0.0, 3.0, 8.0], want=[1, 3]),
    ],
)


declare(
    "HistogramFixedWidth",
    inputs="values: T, value_range: T, nbins: int32",
    outputs="out: dtype",
    attrs="T: {int32, int64, float, double}, dtype: {int32, int64} = DT_INT32",
    shape=_as_many_as(2, "nbins"),
    kernel=listing.histogram_fixed_width,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        Sample(
            ([[-1.0, 0.0, 1.5], [2.0, 5.0, 15.0]], [0.0, 5.0], 5),
            {"dtype": "int32"},
            [2, 1, 1, 0, 2],
        ),
        Sample(([3, 4], [0, 10], 2), {"dtype": "int64"}, [2, 0]),
    ],
)


def bucketize(input: Any, boundaries: Any, name: str | None = None) -> Tensor:
    """The number of the bucket of each element: how many of the sorted boundaries are not above it.

    Raises TypeError when `boundaries` is no list.
    """
    return call("Bucketize", name, input=input, boundaries=boundaries)


#: The name under which TensorFlow's own Python code knows it.
_bucketize = bucketize


def count_nonzero(
    input_tensor: Any,
    axis: Any = None,
    keep_dims: Any = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: Any = None,
) -> Tensor:
    """How many elements over `axis` are not zero (or not the empty string). See `reduce_sum`.

    >>> import workbench as tf
    >>> tf.count_nonzero([[0, 1, 0], [1, 1, 0]], axis=1).eval().tolist()
    [1, 2]
    """
    axis = old_name("axis", axis, "reduction_indices", reduction_indices)
    keep = bool(old_name("keepdims", keepdims, "keep_dims", keep_dims or None))
    with name_scope(name, "count_nonzero", [input_tensor]):
        x = convert_to_tensor(input_tensor, name="input_tensor")
        zero = b"" if x.dtype.base_dtype is dtypes.string else x.dtype.as_numpy_dtype()
        present = api.cast(api.not_equal(x, zero), dtypes.int64)
        total = api.reduce_sum(present, axis, keep_dims=keep)
        count: Tensor = api.cast(total, dtype)
        return count


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = dtypes.int32,
) -> Tensor:
    """How often each number from 0 occurs in `arr`; with `weights` the sum of theirs.

    The result is one longer than the largest number, or at least `minlength`, or at most
    `maxlength` long. A run fails for negative numbers.

    >>> import workbench as tf
    >>> tf.bincount([1, 1, 3]).eval().tolist()
    [0, 2, 0, 1]
    """
    arr = convert_to_tensor(arr, name="arr", dtype=dtypes.int32)
    occupied = api.cast(api.greater(api.size(arr), 0), dtypes.int32)
    size = occupied * (api.reduce_max(arr) + 1)
    if minlength is not None:
        size = api.maximum(convert_to_tensor(minlength, dtypes.int32, name="minlength"), size)
    if maxlength is not None:
        size = api.minimum(convert_to_tensor(maxlength, dtypes.int32, name="maxlength"), size)
    if weights is None:
        weights = api.constant([], dtype=dtype)
    return call("Bincount", None, arr=arr, size=size, weights=weights)


def histogram_fixed_width(
    values: Any,
    value_range: Any,
    nbins: Any = 100,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """How many values are in each of `nbins` bins of equal width between the two of `value_range`.

    What lies outside counts in the first or the last bin.

    >>> import workbench as tf
    >>> tf.histogram_fixed_width([-1.0, 0.0, 1.5, 2.0, 5.0, 15.0], [0.0, 5.0], 5).eval().tolist()
    [2, 1, 1, 0, 2]
    """
    with name_scope(name, "histogram_fixed_width", [values, value_range, nbins]) as scope:
        values = convert_to_tensor(values, name="values")
        return call(
            "HistogramFixedWidth",
            scope,
            values=values,
            value_range=value_range,
            nbins=nbins,
            dtype=dtype,
        )


def histogram_fixed_width_bins(
    values: Any,
    value_range: Any,
    nbins: Any = 100,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """The bin, of `nbins` of equal width between the two of `value_range`, of each value.

    What lies outside is in the first or the last bin.

    >>> import workbench as tf
    >>> tf.histogram_fixed_width_bins([-1.0, 0.0, 1.5, 5.0, 15.0], [0.0, 5.0], 5).eval().tolist()
    [0, 0, 1, 4, 4]
    """
    with name_scope(name, "histogram_fixed_width_bins", [values, value_range, nbins]) as scope:
        values = convert_to_tensor(values, name="values")
        limits = convert_to_tensor(value_range, dtype=values.dtype.base_dtype, name="value_range")
        nbins = convert_to_tensor(nbins, dtype=dtypes.int32, name="nbins")
        bins = api.cast(nbins, values.dtype.base_dtype)
        places = api.floor(bins * api.truediv(values - limits[0], limits[1] - limits[0]))
        inside = api.clip_by_value(places, 0, bins - 1)
        result: Tensor = api.cast(inside, dtype, name=scope)
        return result
