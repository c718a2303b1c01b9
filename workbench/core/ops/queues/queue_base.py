"""What all queues share: `QueueBase`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import create
from workbench.core.ops.gathering import gather
from workbench.core.ops.stacking import stack


class QueueBase:
    """A queue of tuples of tensors that outlives the steps of a session.

    Any number of threads may enqueue and dequeue at the same time; who cannot be served waits,
    until the queue is closed, the run's time is up or its session is closed.

    Args:
      dtypes: the types of the components of each element.
      shapes: their shapes, or None where they may be any.
      names: names of the components: elements are dictionaries then, or None.
      queue_ref: the tensor that stands for the queue.
    """

    def __init__(
        self, dtypes: Sequence[Any], shapes: Any, names: Sequence[str] | None, queue_ref: Tensor
    ) -> None:
        self._dtypes = [as_dtype(dtype) for dtype in dtypes]
        if shapes is not None:
            if len(shapes) != len(self._dtypes):
                raise ValueError(
                    f"Queue shapes must have the same length as dtypes: there are {len(shapes)} "
                    f"shapes and {len(self._dtypes)} dtypes"
                )
            self._shapes = [as_shape(shape) for shape in shapes]
        else:
            self._shapes = [TensorShape(None)] * len(self._dtypes)
        if names is not None and len(names) != len(self._dtypes):
            raise ValueError(
                f"Queue names must have the same length as dtypes: there are {len(names)} names "
                f"and {len(self._dtypes)} dtypes"
            )
        self._names = None if names is None else list(names)
        self._queue_ref = queue_ref
        self._name = queue_ref.op.name.split("/")[-1]

    @staticmethod
    def from_list(index: Any, queues: Sequence[QueueBase]) -> QueueBase:
        """The queue whose number in `queues` a scalar tensor gives, anew at each step.

        Raises TypeError where these are no queues or their elements have other types or names.

        >>> import workbench as tf
        >>> queues = [tf.FIFOQueue(3, tf.int32, name="even"), tf.FIFOQueue(3, tf.int32, name="odd")]
        >>> number = tf.placeholder(tf.int32, [])
        >>> enqueue = tf.QueueBase.from_list(number % 2, queues).enqueue(number)
        >>> with tf.Session() as session:
        ...     for value in range(5):
        ...         session.run(enqueue, {number: value})
        ...     [int(session.run(queue.size())) for queue in queues]
        [3, 2]
        """
        if (
            not queues
            or not isinstance(queues, list)
            or not all(isinstance(queue, QueueBase) for queue in queues)
        ):
            raise TypeError("A list of queues expected")
        first = queues[0]
        if not all(first.dtypes == queue.dtypes for queue in queues[1:]):
            raise TypeError("Queues do not have matching component dtypes.")
        if not all(first.names == queue.names for queue in queues[1:]):
            raise TypeError("Queues do not have matching component names.")
        columns = zip(*(queue.shapes for queue in queues), strict=True)
        shapes = [functools.reduce(_common, column) for column in columns]
        chosen = gather(stack([queue.queue_ref for queue in queues]), index)
        return QueueBase(first.dtypes, shapes, first.names, chosen)

    @property
    def queue_ref(self) -> Tensor:
        """The tensor that stands for the queue."""
        return self._queue_ref

    @property
    def name(self) -> str:
        """The name of the queue's operation."""
        return self._queue_ref.op.name

    @property
    def dtypes(self) -> list[DType]:
        """The types of the components of each element."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shapes of the components of each element."""
        return self._shapes

    @property
    def names(self) -> list[str] | None:
        """The names of the components, or None."""
        return self._names

    # -- operations --------------------------------------------------------------------------

    def enqueue(self, vals: Any, name: str | None = None) -> Operation:
        """An operation that puts one element in, waiting while the queue is full.

        `vals` is a tensor, a list of one for each component, or a dictionary where they have names.
        When it runs, CancelledError says that the queue, or the session, is closed.
        """
        with self._scope(name, "enqueue", vals) as scope:
            tensors = self._tensors(vals)
            for tensor, shape in zip(tensors, self._shapes, strict=True):
                tensor.shape.assert_is_compatible_with(shape)
            return self._create("QueueEnqueue", scope, components=tensors)

    def enqueue_many(self, vals: Any, name: str | None = None) -> Operation:
        """An operation that puts the elements of a batch in: slices along the first axis.

        It waits whenever the queue is full, until all are in. `vals` is as for `enqueue`.
        """
        with self._scope(name, "EnqueueMany", vals) as scope:
            tensors = self._tensors(vals)
            batch = tensors[0].shape.with_rank_at_least(1)[0]
            for tensor, shape in zip(tensors, self._shapes, strict=True):
                own = tensor.shape.with_rank_at_least(1)
                batch = batch.merge_with(own[0])
                own[1:].assert_is_compatible_with(shape)
            return self._create("QueueEnqueueMany", scope, components=tensors)

    def dequeue(self, name: str | None = None) -> Any:
        """One element, taken out when it runs, waiting while there is none.

        It is a tensor, a list of tensors where there are several components, or a dictionary where
        they have names. When it runs, OutOfRangeError says that the queue is closed and empty.
        """
        title = f"{self._name}_Dequeue" if name is None else name
        op = self._create("QueueDequeue", title, component_types=self._dtypes)
        return self._element(op, self._shapes)

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """`n` elements as a batch, taken out when it runs, waiting until there are so many.

        OutOfRangeError says that the queue is closed and has less; it keeps them then.
        """
        title = f"{self._name}_DequeueMany" if name is None else name
        op = self._create("QueueDequeueMany", title, n=n, component_types=self._dtypes)
        size = op.outputs[0].shape[0] if op.outputs[0].shape.ndims else None
        return self._element(op, [TensorShape([size]).concatenate(s) for s in self._shapes])

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """As `dequeue_many`; but of a closed queue it gives what is left, if anything is."""
        title = f"{self._name}_DequeueUpTo" if name is None else name
        op = self._create("QueueDequeueUpTo", title, n=n, component_types=self._dtypes)
        return self._element(op, [TensorShape([None]).concatenate(s) for s in self._shapes])

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> Operation:
        """An operation that closes the queue: nothing more can be put in.

        What is in can be taken out still. It waits for those that wait to enqueue, or with
        `cancel_pending_enqueues` it ends them with CancelledError.
        """
        title = f"{self._name}_Close" if name is None else name
        return self._create("QueueClose", title, cancel_pending_enqueues=cancel_pending_enqueues)

    def is_closed(self, name: str | None = None) -> Tensor:
        """Whether the queue is closed, a bool scalar."""
        title = f"{self._name}_Is_Closed" if name is None else name
        return self._create("QueueIsClosed", title).outputs[0]

    def size(self, name: str | None = None) -> Tensor:
        """How many elements the queue holds, an int32 scalar."""
        title = f"{self._name}_Size" if name is None else name
        return self._create("QueueSize", title).outputs[0]

    # -- parts -------------------------------------------------------------------------------

    def _create(self, type_name: str, title: str, **arguments: Any) -> Operation:
        """An operation on this queue, of the version that its handle asks for."""
        suffix = "V2" if self._queue_ref.dtype.name == "resource" else ""
        return create(f"{type_name}{suffix}", title, handle=self._queue_ref, **arguments)

    def _scope(self, name: str | None, what: str, vals: Any) -> name_scope:
        if isinstance(vals, dict):
            vals = list(vals.values())
        elif not isinstance(vals, (list, tuple)):
            vals = [vals]
        return name_scope(name, f"{self._name}_{what}", vals)

    def _tensors(self, vals: Any) -> list[Tensor]:
        """The components of what is to be enqueued, as tensors of the queue's types."""
        if isinstance(vals, dict):
            if not self._names:
                raise ValueError("Queue must have names to enqueue a dictionary")
            if sorted(self._names, key=str) != sorted(vals, key=str):
                raise ValueError(
                    "Keys in dictionary to enqueue do not match names of Queue.  Dictionary: "
                    f"{sorted(vals)}, Queue: {sorted(self._names)}"
                )
            vals = [vals[name] for name in self._names]
        elif self._names:
            raise ValueError("You must enqueue a dictionary in a Queue with names")
        elif not isinstance(vals, (list, tuple)):
            vals = [vals]
        if len(vals) != len(self._dtypes):
            raise ValueError(
                f"An element of queue {self.name!r} has {len(self._dtypes)} components, but "
                f"{len(vals)} are to be enqueued"
            )
        return [
            convert_to_tensor(value, dtype=dtype, name=f"component_{index}")
            for index, (value, dtype) in enumerate(zip(vals, self._dtypes, strict=True))
        ]

    def _element(self, op: Operation, shapes: Sequence[TensorShape]) -> Any:
        """What `dequeue` returns for the outputs of an operation, whose shapes are known here."""
        outputs = op.outputs
        for output, shape in zip(outputs, shapes, strict=True):
            output.set_shape(shape)
        if self._names:
            return dict(zip(self._names, outputs, strict=True))
        return outputs[0] if len(outputs) == 1 else list(outputs)


def _common(first: TensorShape, second: TensorShape) -> TensorShape:
    """What is true of both shapes."""
    if first.ndims is None or second.ndims is None or first.ndims != second.ndims:
        return TensorShape(None)
    pairs = zip(first.as_list(), second.as_list(), strict=True)
    return TensorShape([a if a == b else None for a, b in pairs])
