"""Updates of some rows or elements of a variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample
from workbench.core.ops.state.assignment import _mutable
from workbench.core.ops.static_shapes import check_scatter_nd

Array = np.ndarray[Any, Any]
Combine = Callable[[Array, Any, Any], None]


def check_rows(indices: Any, rows: int) -> None:
    """Raises InvalidArgumentError naming the first index that is no row."""
    flat = np.asarray(indices).reshape(-1)
    bad = (flat < 0) | (flat >= rows)
    if bad.any():
        position = int(bad.argmax())
        raise InvalidArgumentError(
            None, None, f"indices[{position}] = {int(flat[position])} is not in [0, {rows})"
        )


def _set(array: Array, where: Any, values: Any) -> None:
    array[where] = values


_COMBINERS: dict[str, Combine] = {
    "Update": _set,
    "Add": np.add.at,
    "Sub": np.subtract.at,
    "Mul": np.multiply.at,
    "Div": np.divide.at,
    "Min": np.minimum.at,
    "Max": np.maximum.at,
}


def _rows(combine: Combine) -> Any:
    def kernel(ref: Any, indices: Any, updates: Any, *, inplace: bool) -> Any:
        array = ref if inplace else ref.copy()
        check_rows(indices, array.shape[0])
        combine(array, np.asarray(indices), updates)
        return array

    return kernel


def _elements(combine: Combine) -> Any:
    def kernel(ref: Any, indices: Any, updates: Any, *, inplace: bool) -> Any:
        array = ref if inplace else ref.copy()
        indices = np.asarray(indices)
        depth = indices.shape[-1]
        for axis in range(depth):
            check_rows(indices[..., axis], array.shape[axis])
        combine(array, tuple(np.moveaxis(indices, -1, 0)), updates)
        return array

    return kernel


_ORDERED = "{half, bfloat16, float, double, int32, int64}"
_DTYPES = {"Min": _ORDERED, "Max": _ORDERED}
_WANTED = {
    "Update": [[9.0, 9.0], [3.0, 4.0]],
    "Add": [[10.0, 11.0], [3.0, 4.0]],
    "Sub": [[-8.0, -7.0], [3.0, 4.0]],
    "Mul": [[9.0, 18.0], [3.0, 4.0]],
    "Div": [[1.0 / 9.0, 2.0 / 9.0], [3.0, 4.0]],
    "Min": [[1.0, 2.0], [3.0, 4.0]],
    "Max": [[9.0, 9.0], [3.0, 4.0]],
}


def _scatter_nd_shape(op: Any) -> list[Any]:
    variable, indices, updates = (t.entries for t in op.inputs)
    check_scatter_nd(indices, updates, variable, "input")
    return [variable]


def _scatter_shape(op: Any) -> list[Any]:
    variable, indices, updates = op.inputs
    # A scalar goes to all the rows.
    if None not in (variable.entries, indices.entries, updates.entries) and updates.entries:
        wanted = indices.entries + variable.entries[1:]
        if not updates.shape.is_compatible_with(wanted):
            raise ValueError(
                f"Shapes must be equal: updates have {updates.shape}, but indices and the variable "
                f"ask for {tuple(wanted)}"
            )
    return [variable.entries]


for _kind, _combine in _COMBINERS.items():
    declare(
        f"Scatter{_kind}",
        inputs="ref: Ref(T), indices: Tindices, updates: T",
        outputs="output_ref: Ref(T)",
        attrs=(
            f"T: {_DTYPES.get(_kind, 'type')}, Tindices: {{int32, int64}}, "
            "use_locking: bool = false"
        ),
        shape=_scatter_shape,
        kernel=_rows(_combine),
        stateful=True,
        gradient=NOT_DIFFERENTIABLE,
        samples=[
            sample(
                [[1.0, 2.0], [3.0, 4.0]],
                [0],
                [[9.0, 9.0]],
                want=_WANTED[_kind],
                dtype=(None, "int32", None),
            )
        ],
    )
    if _kind in ("Update", "Add", "Sub"):
        declare(
            f"ScatterNd{_kind}",
            inputs="ref: Ref(T), indices: Tindices, updates: T",
            outputs="output_ref: Ref(T)",
            attrs="T: type, Tindices: {int32, int64}, use_locking: bool = true",
            shape=_scatter_nd_shape,
            kernel=_elements(_combine),
            stateful=True,
            gradient=NOT_DIFFERENTIABLE,
            samples=[
                sample(
                    [[1.0, 2.0], [3.0, 4.0]],
                    [[0]],
                    [[9.0, 9.0]],
                    want=_WANTED[_kind],
                    dtype=(None, "int32", None),
                )
            ],
        )


def _scatter(kind: str, doc: str) -> Callable[..., Tensor]:
    def scatter(
        ref: Any,
        indices: Any,
        updates: Any,
        use_locking: bool | None = None,
        name: str | None = None,
    ) -> Tensor:
        return call(
            kind, name, ref=_mutable(ref), indices=indices, updates=updates, use_locking=use_locking
        )

    scatter.__doc__ = doc
    return scatter


_ROWS = "the rows of a variable that `indices` names; the result is the variable after that."
_ITEMS = "the elements or slices of a variable that the rows of `indices` name."
scatter_update = _scatter("ScatterUpdate", f"Replaces {_ROWS}")
scatter_add = _scatter("ScatterAdd", f"Adds `updates` to {_ROWS} Repeated rows add up.")
scatter_sub = _scatter("ScatterSub", f"Subtracts `updates` from {_ROWS}")
scatter_mul = _scatter("ScatterMul", f"Multiplies with `updates` {_ROWS}")
scatter_div = _scatter("ScatterDiv", f"Divides by `updates` {_ROWS}")
scatter_min = _scatter("ScatterMin", f"Takes the smaller of `updates` and {_ROWS}")
scatter_max = _scatter("ScatterMax", f"Takes the larger of `updates` and {_ROWS}")
scatter_nd_update = _scatter("ScatterNdUpdate", f"Replaces {_ITEMS}")
scatter_nd_add = _scatter("ScatterNdAdd", f"Adds `updates` to {_ITEMS}")
scatter_nd_sub = _scatter("ScatterNdSub", f"Subtracts `updates` from {_ITEMS}")
