"""Variables and assignments to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError, OutOfRangeError
from workbench.core.graph.shapes import merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.alignment import aligned_copy
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

Array = np.ndarray[Any, Any]


def _no_kernel() -> None:
    """Never called: the planner reads variables itself."""


for _type_name in ("VariableV2", "Variable"):
    declare(
        _type_name,
        outputs="ref: Ref(dtype)",
        attrs="shape: shape, dtype: type, container: string = '', shared_name: string = ''",
        shape=shape_rules.from_attribute("shape"),
        kernel=_no_kernel,
        stateful=True,
        gradient=NOT_DIFFERENTIABLE,
    )


def replace(old: Any, new: Any, inplace: bool) -> Any:
    """The new value of a variable as an array of its own, in the old array where that fits."""
    if np.ndim(new) == 0 and not (isinstance(new, np.ndarray) and new.dtype == object):
        return new[()] if isinstance(new, np.ndarray) else new
    if inplace and isinstance(old, np.ndarray) and old.shape == new.shape:
        np.copyto(old, new)
        return old
    return aligned_copy(np.ascontiguousarray(new))


def _assign_shape(op: Any) -> list[Any]:
    variable, value = op.inputs
    if not op.attrs["validate_shape"]:
        return [value.entries]
    return [merge_shapes(variable.entries, value.entries)]


def _assign(ref: Any, value: Any, *, validate_shape: bool, inplace: bool) -> Any:
    if validate_shape and ref is not None and np.shape(ref) != np.shape(value):
        raise InvalidArgumentError(
            None,
            None,
            "Assign requires shapes of both tensors to match. lhs shape= "
            f"{list(np.shape(ref))} rhs shape= {list(np.shape(value))}",
        )
    return replace(ref, value, inplace)


declare(
    "Assign",
    inputs="ref: Ref(T), value: T",
    outputs="output_ref: Ref(T)",
    attrs="T: type, validate_shape: bool = true, use_locking: bool = true",
    shape=_assign_shape,
    kernel=_assign,
    stateful=True,
    allows_uninitialized=True,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([1.0, 2.0], [3.0, 4.0], want=[3.0, 4.0])],
)


def _accumulate(ufunc: np.ufunc) -> Any:
    def kernel(ref: Any, value: Any, *, inplace: bool) -> Any:
        if np.shape(ref) != np.shape(value):
            raise InvalidArgumentError(
                None,
                None,
                f"shapes must be equal: the variable has {np.shape(ref)}, the value "
                f"{np.shape(value)}",
            )
        if inplace and isinstance(ref, np.ndarray):
            return ufunc(ref, value, out=ref)
        return ufunc(ref, value)

    return kernel


for _type_name, _ufunc, _want in (
    ("AssignAdd", np.add, [4.0, 6.0]),
    ("AssignSub", np.subtract, [-2.0, -2.0]),
):
    declare(
        _type_name,
        inputs="ref: Ref(T), value: T",
        outputs="output_ref: Ref(T)",
        attrs="T: {number}, use_locking: bool = false",
        shape=shape_rules.merged,
        kernel=_accumulate(_ufunc),
        stateful=True,
        gradient=NOT_DIFFERENTIABLE,
        samples=[sample([1.0, 2.0], [3.0, 4.0], want=_want)],
    )


def _is_initialized(ref: Any) -> np.bool_:
    return np.bool_(ref is not None)


declare(
    "IsVariableInitialized",
    inputs="ref: Ref(dtype)",
    outputs="is_initialized: bool",
    attrs="dtype: type",
    shape=shape_rules.scalar,
    kernel=_is_initialized,
    stateful=True,
    updates=0,
    allows_uninitialized=True,
    samples=[sample([1.0], want=True)],
)


def _initialized_value(ref: Any, initial: Any) -> Any:
    return initial if ref is None else ref


declare(
    "InitializedValue",
    inputs="ref: Ref(T), initial: T",
    outputs="value: T",
    attrs="T: type",
    shape=shape_rules.same(1),
    kernel=_initialized_value,
    stateful=True,
    updates=0,
    allows_uninitialized=True,
    samples=[sample([1.0], [2.0], want=[1.0])],
)


def _count_up_to(ref: Any, *, limit: int, inplace: bool) -> tuple[Any, Any]:
    if ref >= limit:
        raise OutOfRangeError(None, None, f"Reached limit of {limit}")
    kind = np.asarray(ref).dtype.type
    return kind(ref + 1), kind(ref)


declare(
    "CountUpTo",
    inputs="ref: Ref(T)",
    outputs="output: T",
    attrs="limit: int, T: {int32, int64}",
    shape=shape_rules.scalar,
    kernel=_count_up_to,
    stateful=True,
    samples=[sample(3, limit=5, want=3)],
)


def _mutable(ref: Any) -> Any:
    """A tensor that stands for the variable `ref` names or is."""
    from workbench.core.graph.convert import convert_to_tensor

    return convert_to_tensor(ref, as_ref=True)


def assign(
    ref: Any,
    value: Any,
    validate_shape: bool | None = None,
    use_locking: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """Gives a variable, or a slice of one, a new value; the result is the variable after that.

    >>> import workbench as tf
    >>> v = tf.Variable([1.0, 2.0])
    >>> tf.assign(v, [3.0, 4.0]).eval().tolist()
    [3.0, 4.0]
    """
    if isinstance(ref, Tensor) and not ref.dtype._is_ref_dtype:
        from workbench.core.ops.slice_assignment import SlicedTensor

        if isinstance(ref, SlicedTensor):
            assigned: Tensor = ref.assign(value, name)
            return assigned
    return call(
        "Assign",
        name,
        ref=_mutable(ref),
        value=value,
        validate_shape=validate_shape,
        use_locking=use_locking,
    )


def assign_add(
    ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None
) -> Tensor:
    """Adds `value` to a variable; the result is the variable after that."""
    return call("AssignAdd", name, ref=_mutable(ref), value=value, use_locking=use_locking)


def assign_sub(
    ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None
) -> Tensor:
    """Subtracts `value` from a variable; the result is the variable after that."""
    return call("AssignSub", name, ref=_mutable(ref), value=value, use_locking=use_locking)


def count_up_to(ref: Any, limit: int, name: str | None = None) -> Tensor:
    """The variable's value, which then grows by one; OutOfRangeError when it is `limit`."""
    return call("CountUpTo", name, ref=_mutable(ref), limit=limit)


def is_variable_initialized(variable: Any, name: str | None = None) -> Tensor:
    """True when a variable has a value."""
    return call("IsVariableInitialized", name, ref=_mutable(variable))
