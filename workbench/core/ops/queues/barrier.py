"""`Barrier`: elements whose components come one by one."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call, create
from workbench.core.ops.queues import barrier_ops as barrier_ops


class Barrier:
    """Puts elements together whose components come one by one, known by their key.

    An element can be taken when all its components are there. Those whose first component came
    first are taken first.

    Args:
      types: the type of an element, or a tuple of types, one for each component.
      shapes: the shapes of the components, all known; None for any.
      shared_name: barriers of one shared name are one barrier of a session.
      name: the name of the operation.

    Raises ValueError for shapes without elements.

    >>> import workbench as tf
    >>> from workbench.core.ops.queues.barrier import Barrier
    >>> barrier = Barrier((tf.string, tf.int32), shapes=((), ()))
    >>> first = barrier.insert_many(0, keys=["k1", "k2"], values=["a", "b"])
    >>> second = barrier.insert_many(1, keys=["k2"], values=[2])
    >>> _, keys, values = barrier.take_many(1)
    >>> with tf.Session() as session:
    ...     session.run(first)
    ...     session.run(second)
    ...     [v.tolist() for v in session.run([keys, *values])]
    [[b'k2'], [b'b'], [2]]
    """

    def __init__(
        self, types: Any, shapes: Any = None, shared_name: str | None = None, name: str = "barrier"
    ) -> None:
        given = types if isinstance(types, (list, tuple)) else [types]
        self._types = [as_dtype(dtype) for dtype in given]
        if shapes is None:
            self._shapes = [TensorShape(None)] * len(self._types)
        else:
            if isinstance(shapes, TensorShape) or all(
                size is None or isinstance(size, int) for size in shapes
            ):
                # A single shape.
                shapes = [shapes]
            self._shapes = [as_shape(shape) for shape in shapes]
            for index, shape in enumerate(self._shapes):
                if not shape.is_fully_defined():
                    raise ValueError(f"All shapes must be fully defined: {self._shapes}")
                if shape.num_elements() == 0:
                    raise ValueError(
                        f"Empty tensors are not supported, but received shape '{shape}' at index "
                        f"{index}"
                    )
        self._barrier_ref = call(
            "Barrier",
            name,
            component_types=self._types,
            shapes=self._shapes,
            shared_name=shared_name,
        )
        self._name = self._barrier_ref.op.name.split("/")[-1]

    @property
    def barrier_ref(self) -> Tensor:
        """The tensor that stands for the barrier."""
        return self._barrier_ref

    @property
    def name(self) -> str:
        """The name of the barrier's operation."""
        return self._barrier_ref.op.name

    def insert_many(
        self, component_index: int, keys: Any, values: Any, name: str | None = None
    ) -> Operation:
        """An operation that gives keys their values for one component.

        `keys` is a vector of strings; `values` has one value for each along its first axis. When it
        runs, InvalidArgumentError says that a key has a value already, and CancelledError that it
        is a new key for a closed barrier.
        """
        return create(
            "BarrierInsertMany",
            f"{self._name}_BarrierInsertMany" if name is None else name,
            handle=self._barrier_ref,
            keys=keys,
            values=values,
            component_index=component_index,
        )

    def take_many(
        self,
        num_elements: Any,
        allow_small_batch: bool = False,
        timeout: int | None = None,
        name: str | None = None,
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Elements that are ready, taken when it runs, waiting until there are so many.

        It gives the numbers of the insertions that brought their first components, counted from
        -2**63, their keys, and a list with a batch for each component.

        Args:
          num_elements: how many.
          allow_small_batch: take what is ready of a closed barrier, if anything is.
          timeout: how long it may wait, in milliseconds.
          name: the name of the operation.

        When it runs, OutOfRangeError says that the barrier is closed and will never have so many.
        """
        op = create(
            "BarrierTakeMany",
            f"{self._name}_BarrierTakeMany" if name is None else name,
            handle=self._barrier_ref,
            num_elements=num_elements,
            component_types=self._types,
            allow_small_batch=allow_small_batch,
            timeout_ms=timeout,
        )
        indices, keys, *values = op.outputs
        size = indices.shape[0] if indices.shape.ndims else None
        for value, shape in zip(values, self._shapes, strict=True):
            value.set_shape(TensorShape([size]).concatenate(shape))
        return indices, keys, values

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """An operation that closes the barrier: no new keys can come.

        Incomplete elements can be completed, unless `cancel_pending_enqueues`: then they are lost.
        """
        return create(
            "BarrierClose",
            f"{self._name}_BarrierClose" if name is None else name,
            handle=self._barrier_ref,
            cancel_pending_enqueues=cancel_pending_enqueues,
        )

    def ready_size(self, name: str | None = None) -> Tensor:
        """How many elements are ready, an int32 scalar."""
        title = f"{self._name}_BarrierReadySize" if name is None else name
        return call("BarrierReadySize", title, handle=self._barrier_ref)

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """How many elements lack a component, an int32 scalar."""
        title = f"{self._name}_BarrierIncompleteSize" if name is None else name
        return call("BarrierIncompleteSize", title, handle=self._barrier_ref)
