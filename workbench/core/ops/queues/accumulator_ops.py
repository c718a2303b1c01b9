"""The operations of conditional accumulators."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries, TensorShape
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare
from workbench.core.ops.queues.held import (
    Held,
    agreed_resource,
    copied,
    handle_of,
    held_resource,
    own,
)
from workbench.core.ops.queues.sums import (
    DenseSum,
    Slices,
    SparseSum,
    check_dense,
    check_slices,
)
from workbench.core.platform import logging
from workbench.core.sync.accumulators import AccumulatorMachine, TakeMean

_HANDLE = "handle: Ref(string)"
#: The attribute of an operation that gives gradients, with the name of the replica it belongs to.
CONTRIBUTOR = "_contributor"


class AccumulatorResource(Held):
    """A conditional accumulator of a session."""

    machine: AccumulatorMachine

    def __init__(self, name: str, is_sparse: bool, dtype: Any, entries: Entries) -> None:
        kind = SparseSum() if is_sparse else DenseSum()
        super().__init__(AccumulatorMachine(kind, f"Accumulator '{name}'"))
        self.signature = (is_sparse, dtype, entries)
        self.dtype = dtype
        self.entries = entries

    def apply(self, gradient: Any, step: int, context: Any) -> None:
        """Adds a gradient, unless it is stale, or the operation's replica has given one."""
        giver = context.operation.attrs.get(CONTRIBUTOR, "")
        self.change(lambda: self.machine.apply(gradient, step, giver))

    def take(self, count: int, context: Any) -> Any:
        """The mean of the gradients, when there are so many; they are gone then."""
        if count <= 0:
            raise invalid(f"Argument num_required must be positive, but was {count}")
        # What is given may be written into; the sum may be wanted again.
        return copied(self.perform(TakeMean(count), context))

    def set_step(self, step: int) -> None:
        """From now on gradients of earlier steps are stale."""
        if step < self.machine.step:
            logging.warn(
                "%s goes from step %d back to step %d", self.machine.title, self.machine.step, step
            )
        self.change(lambda: self.machine.begin(step))

    def check_dtype(self, dtype: Any) -> None:
        """Raises where an operation has gradients of another type."""
        if dtype != self.dtype:
            raise invalid(
                f"{self.machine.title} is of {self.dtype}, but the operation is of {dtype}"
            )


def _making(is_sparse: bool) -> Any:
    def make(
        *,
        dtype: Any,
        shape: Any,
        container: str,
        shared_name: str,
        context: Any,
    ) -> AccumulatorResource:
        agreed = agreed_resource(context, AccumulatorResource, container, shared_name)
        if agreed is not None:
            return agreed
        name = shared_name or context.name
        made = AccumulatorResource(name, is_sparse, dtype, shape)
        found = held_resource(context, AccumulatorResource, lambda: made, container, shared_name)
        if found.signature != made.signature:
            raise invalid(
                f"Shared conditional accumulator '{name}' has another type or shape than is "
                "requested"
            )
        found.agreed.add(context.name)
        return found

    return make


def _apply(handle: Any, local_step: Any, gradient: Any, *, dtype: Any, context: Any) -> None:
    accumulator = handle_of(handle, AccumulatorResource)
    accumulator.check_dtype(dtype)
    array = own(gradient)
    check_dense(array, accumulator.entries)
    accumulator.apply(array, _int(local_step), context)


def _apply_slices(
    handle: Any,
    local_step: Any,
    gradient_indices: Any,
    gradient_values: Any,
    gradient_shape: Any,
    *,
    dtype: Any,
    has_known_shape: bool,
    context: Any,
) -> None:
    accumulator = handle_of(handle, AccumulatorResource)
    accumulator.check_dtype(dtype)
    indices, values = own(gradient_indices), own(gradient_values)
    shape = as_array(gradient_shape) if has_known_shape else None
    check_slices(indices, values, shape, accumulator.entries)
    counts = np.ones(indices.size, np.int64)
    accumulator.apply(Slices(indices, values, counts), _int(local_step), context)


def _take(handle: Any, num_required: Any, *, dtype: Any, context: Any) -> Any:
    accumulator = handle_of(handle, AccumulatorResource)
    accumulator.check_dtype(dtype)
    mean = accumulator.take(_int(num_required), context)
    return mean if mean.ndim else mean[()]


def _take_slices(handle: Any, num_required: Any, *, dtype: Any, context: Any) -> Any:
    accumulator = handle_of(handle, AccumulatorResource)
    accumulator.check_dtype(dtype)
    indices, values, _ = accumulator.take(_int(num_required), context)
    first = accumulator.entries[0] if accumulator.entries else None
    shape = np.array([-1 if first is None else first, *values.shape[1:]], np.int64)
    return indices, values, shape


def _set_step(handle: Any, new_global_step: Any) -> None:
    handle_of(handle, AccumulatorResource).set_step(_int(new_global_step))


def _count(handle: Any) -> np.int32:
    accumulator = handle_of(handle, AccumulatorResource)
    return np.int32(accumulator.ask(lambda: accumulator.machine.count))


def _int(value: Any) -> int:
    return int(as_array(value).reshape(()))


def _taken_shape(op: Any) -> list[Entries]:
    made = op.inputs[0].op
    shape = made.attrs.get("shape")
    return [shape.entries if isinstance(shape, TensorShape) else None]


_ATTRIBUTES = "dtype: number, shape: shape, container: string = '', shared_name: string = ''"
for _name in ("ConditionalAccumulator", "SparseConditionalAccumulator"):
    declare(
        _name,
        outputs=_HANDLE,
        attrs=_ATTRIBUTES,
        shape=lambda op: [(2,)],
        kernel=_making(is_sparse=_name.startswith("Sparse")),
        stateful=True,
    )
declare(
    "AccumulatorApplyGradient",
    inputs=f"{_HANDLE}, local_step: int64, gradient: dtype",
    attrs="dtype: number",
    shape=shape_rules.no_outputs,
    kernel=_apply,
    stateful=True,
)
declare(
    "AccumulatorTakeGradient",
    inputs=f"{_HANDLE}, num_required: int32",
    outputs="average: dtype",
    attrs="dtype: number",
    shape=_taken_shape,
    kernel=_take,
    stateful=True,
    blocking=True,
    frees_nobody=True,
)
declare(
    "AccumulatorNumAccumulated",
    inputs=_HANDLE,
    outputs="num_accumulated: int32",
    shape=shape_rules.scalar,
    kernel=_count,
    stateful=True,
)
declare(
    "AccumulatorSetGlobalStep",
    inputs=f"{_HANDLE}, new_global_step: int64",
    shape=shape_rules.no_outputs,
    kernel=_set_step,
    stateful=True,
)
declare(
    "SparseAccumulatorApplyGradient",
    inputs=(
        f"{_HANDLE}, local_step: int64, gradient_indices: int64, gradient_values: dtype, "
        "gradient_shape: int64"
    ),
    attrs="dtype: number, has_known_shape: bool",
    shape=shape_rules.no_outputs,
    kernel=_apply_slices,
    stateful=True,
)
declare(
    "SparseAccumulatorTakeGradient",
    inputs=f"{_HANDLE}, num_required: int32",
    outputs="indices: int64, values: dtype, shape: int64",
    attrs="dtype: number",
    shape=lambda op: [(None,), None, None],
    kernel=_take_slices,
    stateful=True,
    blocking=True,
    frees_nobody=True,
)
