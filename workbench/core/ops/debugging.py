"""What TensorFlow's debugger puts beside an operation: copies, and numbers about their elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.dtypes import as_dtype
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

_WATCHED = "T: type, device_name: string = '', tensor_name: string = ''"
_GATED = "debug_urls: list(string) = [], gated_grpc: bool = false"


def _copy(input: Any) -> Any:
    array = as_array(input)
    return array.copy() if array.ndim else array[()]


for _type_name in ("Copy", "CopyHost"):
    declare(
        _type_name,
        inputs="input: T",
        outputs="output: T",
        attrs="T: type, tensor_name: string = '', debug_ops_spec: list(string) = []",
        shape=shape_rules.first,
        kernel=_copy,
        gradient=NOT_DIFFERENTIABLE,
        samples=[sample([1.0, 2.0], want=[1.0, 2.0])],
    )
declare(
    "DebugGradientIdentity",
    inputs="input: T",
    outputs="output: T",
    attrs="T: type",
    shape=shape_rules.first,
    kernel=_copy,
    gradient=lambda op, grad: [grad],
    samples=[sample([1.0, 2.0], want=[1.0, 2.0])],
)
declare(
    "DebugIdentity",
    inputs="input: T",
    outputs="output: T",
    attrs=f"{_WATCHED}, {_GATED}",
    shape=shape_rules.first,
    kernel=_copy,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([b"a"], want=[b"a"])],
)


def _nan_count(input: Any) -> np.int64:
    array = as_array(input)
    return np.int64(np.sum(array != array)) if array.dtype.kind in "fcV" else np.int64(0)


declare(
    "DebugNanCount",
    inputs="input: T",
    outputs="output: int64",
    attrs=f"{_WATCHED}, {_GATED}",
    shape=lambda op: [(1,)],
    kernel=lambda input: np.array([_nan_count(input)]),
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([1.0, np.nan, np.nan], want=[2]), sample([1, 2], want=[0])],
)


def _numeric_summary(
    input: Any, *, lower_bound: float, upper_bound: float, mute_if_healthy: bool
) -> Any:
    """Counts of NaN, infinite, negative, zero and positive elements, extremes, mean, variance.

    Numbers beyond the bounds count as infinite. Then come type, rank and sizes.
    """
    array = as_array(input)
    values = array.astype(np.float64).reshape(-1)
    finite = values[np.isfinite(values)]
    low = finite <= lower_bound if np.isfinite(lower_bound) else np.zeros(finite.shape, bool)
    high = finite >= upper_bound if np.isfinite(upper_bound) else np.zeros(finite.shape, bool)
    inside = finite[~low & ~high]
    infinite_low = np.sum(values == -np.inf) + np.sum(low)
    infinite_high = np.sum(values == np.inf) + np.sum(high & ~low)
    nans = np.sum(np.isnan(values))
    if mute_if_healthy and not nans + infinite_low + infinite_high:
        return np.zeros(0, np.float64)
    extremes = (finite.min(), finite.max()) if finite.size else (np.inf, -np.inf)
    moments = (finite.mean(), finite.var()) if finite.size else (np.nan, np.nan)
    counts = [nans, infinite_low, *(np.sum(t) for t in (inside < 0, inside == 0, inside > 0))]
    kind = as_dtype(array.dtype).as_datatype_enum
    return np.array(
        [
            1,
            array.size,
            *counts,
            infinite_high,
            *extremes,
            *moments,
            kind,
            array.ndim,
            *array.shape,
        ],
        np.float64,
    )


def _summary_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    known = entries is not None and not op.attrs["mute_if_healthy"]
    return [(14 + len(entries),) if known else (None,)]


declare(
    "DebugNumericSummary",
    inputs="input: T",
    outputs="output: double",
    attrs=(
        f"{_WATCHED}, debug_urls: list(string) = [], lower_bound: float = -1e999, "
        "upper_bound: float = 1e999, mute_if_healthy: bool = false, gated_grpc: bool = false"
    ),
    shape=_summary_shape,
    kernel=_numeric_summary,
    gradient=NOT_DIFFERENTIABLE,
    samples=[
        sample(
            [[np.nan, -np.inf, -4.0, 0.0, 1.0, np.inf]],
            want=[1, 6, 1, 1, 1, 1, 1, 1, -4.0, 1.0, -1.0, 14 / 3, 1, 2, 1, 6],
        ),
        sample([1.0], mute_if_healthy=True, want=[]),
        sample(
            [-5, 5, 6],
            lower_bound=-5.0,
            upper_bound=6.0,
            want=[1, 3, 0, 1, 0, 0, 1, 1, -5.0, 6.0, 2.0, 74 / 3, 3, 1, 3],
        ),
    ],
)
