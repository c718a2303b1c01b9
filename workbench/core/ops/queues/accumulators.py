"""Accumulators of gradients: `ConditionalAccumulator` and its sparse sibling."""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype, int64
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.casting import cast
from workbench.core.ops.creation import call, create
from workbench.core.ops.queues import accumulator_ops as accumulator_ops


class ConditionalAccumulatorBase:
    """What accumulators of gradients share.

    Args:
      dtype: the type of the gradients.
      shape: their shape, or None where it may be any.
      accumulator_ref: the tensor that stands for the accumulator.
    """

    def __init__(self, dtype: Any, shape: Any, accumulator_ref: Tensor) -> None:
        self._dtype = as_dtype(dtype)
        self._shape = as_shape(shape)
        self._accumulator_ref = accumulator_ref
        self._name = accumulator_ref.op.name.split("/")[-1]

    @property
    def accumulator_ref(self) -> Tensor:
        """The tensor that stands for the accumulator."""
        return self._accumulator_ref

    @property
    def name(self) -> str:
        """The name of the accumulator's operation, without scopes."""
        return self._name

    @property
    def dtype(self) -> DType:
        """The type of the gradients."""
        return self._dtype

    def num_accumulated(self, name: str | None = None) -> Tensor:
        """How many gradients there are, an int32 scalar."""
        title = f"{self._name}_NumAccumulated" if name is None else name
        return call("AccumulatorNumAccumulated", title, handle=self._accumulator_ref)

    def set_global_step(self, new_global_step: Any, name: str | None = None) -> Operation:
        """An operation that makes gradients of earlier steps stale from now on."""
        return create(
            "AccumulatorSetGlobalStep",
            name,
            handle=self._accumulator_ref,
            new_global_step=_step(new_global_step),
        )


class ConditionalAccumulator(ConditionalAccumulatorBase):
    """Adds gradients up, and gives their mean when there are enough of them.

    It has a step of its own: gradients of earlier steps are stale, and are dropped. Taking the
    mean leaves nothing, and begins the next step.

    Args:
      dtype: the type of the gradients.
      shape: their shape, or None where it may be any.
      shared_name: accumulators of one shared name are one accumulator of a session.
      name: the name of the operation.

    >>> import workbench as tf
    >>> accumulator = tf.ConditionalAccumulator(tf.float32, shape=[])
    >>> apply = [accumulator.apply_grad(g) for g in (1.0, 2.0, 6.0)]
    >>> mean = accumulator.take_grad(3)
    >>> with tf.Session() as session:
    ...     _ = session.run(apply)
    ...     print(session.run(mean), session.run(accumulator.num_accumulated()))
    3.0 0
    """

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str = "conditional_accumulator",
    ) -> None:
        ref = call(
            "ConditionalAccumulator",
            name,
            dtype=dtype,
            shape=as_shape(shape),
            shared_name=shared_name,
        )
        super().__init__(dtype, shape, ref)

    def apply_grad(self, grad: Any, local_step: Any = 0, name: str | None = None) -> Operation:
        """An operation that adds a gradient of a step, unless it is stale.

        Raises ValueError for a gradient of another shape.
        """
        gradient = convert_to_tensor(grad, self._dtype)
        gradient.shape.assert_is_compatible_with(self._shape)
        return create(
            "AccumulatorApplyGradient",
            name,
            handle=self._accumulator_ref,
            local_step=_step(local_step),
            gradient=gradient,
        )

    def take_grad(self, num_required: Any, name: str | None = None) -> Tensor:
        """The mean of the gradients, taken when it runs, waiting until there are so many."""
        mean = call(
            "AccumulatorTakeGradient",
            name,
            handle=self._accumulator_ref,
            num_required=num_required,
            dtype=self._dtype,
        )
        mean.set_shape(self._shape)
        return mean


class SparseGradient(NamedTuple):
    """A mean of slices: the rows, their values, and the shape they are rows of."""

    indices: Tensor
    values: Tensor
    shape: Tensor


class SparseConditionalAccumulator(ConditionalAccumulatorBase):
    """A `ConditionalAccumulator` of gradients that are `IndexedSlices`.

    The mean of a row is that of the gradients that have the row.

    >>> import workbench as tf
    >>> accumulator = tf.SparseConditionalAccumulator(tf.float32, shape=[3, 1])
    >>> apply = [
    ...     accumulator.apply_grad([0, 2], [[1.0], [2.0]]),
    ...     accumulator.apply_grad([2], [[4.0]]),
    ... ]
    >>> mean = accumulator.take_indexed_slices_grad(2)
    >>> with tf.Session() as session:
    ...     _ = session.run(apply)
    ...     session.run(mean).values.tolist()
    [[1.0], [3.0]]
    """

    def __init__(
        self,
        dtype: Any,
        shape: Any = None,
        shared_name: str | None = None,
        name: str = "sparse_conditional_accumulator",
    ) -> None:
        ref = call(
            "SparseConditionalAccumulator",
            name,
            dtype=dtype,
            shape=as_shape(shape),
            shared_name=shared_name,
        )
        super().__init__(dtype, shape, ref)

    def apply_indexed_slices_grad(
        self, grad: IndexedSlices, local_step: Any = 0, name: str | None = None
    ) -> Operation:
        """An operation that adds slices of a step, unless they are stale."""
        return self.apply_grad(grad.indices, grad.values, grad.dense_shape, local_step, name)

    def apply_grad(
        self,
        grad_indices: Any,
        grad_values: Any,
        grad_shape: Any = None,
        local_step: Any = 0,
        name: str | None = None,
    ) -> Operation:
        """As `apply_indexed_slices_grad`, of the rows, their values and the whole shape.

        When it runs, InvalidArgumentError says that they do not fit.
        """
        shape = convert_to_tensor([], int64) if grad_shape is None else _step(grad_shape)
        return create(
            "SparseAccumulatorApplyGradient",
            name,
            handle=self._accumulator_ref,
            local_step=_step(local_step),
            gradient_indices=_step(grad_indices),
            gradient_values=convert_to_tensor(grad_values, self._dtype),
            gradient_shape=shape,
            has_known_shape=grad_shape is not None,
        )

    def take_grad(self, num_required: Any, name: str | None = None) -> SparseGradient:
        """The mean of the gradients, taken when it runs, waiting until there are so many.

        It is a tuple of the rows, their values, and the whole shape, -1 where it is not known.
        """
        op = create(
            "SparseAccumulatorTakeGradient",
            name,
            handle=self._accumulator_ref,
            num_required=num_required,
            dtype=self._dtype,
        )
        return SparseGradient(*op.outputs)

    def take_indexed_slices_grad(self, num_required: Any, name: str | None = None) -> IndexedSlices:
        """As `take_grad`, as `IndexedSlices`."""
        taken = self.take_grad(num_required, name)
        return IndexedSlices(indices=taken.indices, values=taken.values, dense_shape=taken.shape)


def _step(value: Any) -> Tensor:
    """Integers of any type as int64."""
    made: Tensor = cast(convert_to_tensor(value), int64)
    return made
