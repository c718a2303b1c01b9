"""The kinds of queues: FIFOQueue, PaddingFIFOQueue, RandomShuffleQueue and PriorityQueue."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from workbench.core.graph.context import get_seed
from workbench.core.graph.dtypes import DType, as_dtype, int64
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.ops.creation import call
from workbench.core.ops.queues import queue_ops as queue_ops
from workbench.core.ops.queues.queue_base import QueueBase


def _type_list(dtypes: Any) -> list[DType]:
    return [as_dtype(d) for d in (dtypes if isinstance(dtypes, (list, tuple)) else [dtypes])]


def _shape_list(shapes: Any, may_be_partial: bool = False) -> list[TensorShape] | None:
    """The shapes as a list; a single shape stands for a list of it.

    Raises ValueError for shapes that are not known, unless they may be.
    """
    if may_be_partial and (
        not isinstance(shapes, Sequence)
        or not shapes
        or any(shape is None or isinstance(shape, int) for shape in shapes)
    ):
        raise ValueError("When providing partial shapes, a list of shapes must be provided.")
    if shapes is None:
        return None
    if isinstance(shapes, TensorShape):
        shapes = [shapes]
    if not isinstance(shapes, (tuple, list)):
        raise TypeError(
            "shapes must be a TensorShape or a list or tuple of TensorShapes, but got "
            f"{type(shapes).__name__}"
        )
    if all(shape is None or isinstance(shape, int) for shape in shapes):
        shapes = [shapes]
    made = [as_shape(shape) for shape in shapes]
    if not may_be_partial and not all(shape.is_fully_defined() for shape in made):
        raise ValueError(f"All shapes must be fully defined: {made}")
    if any(shape.ndims is None for shape in made):
        raise ValueError(f"All shapes must have a defined rank: {made}")
    return made


def _name_list(names: Any, dtypes: Sequence[DType]) -> list[str] | None:
    if names is None:
        return None
    made = list(names) if isinstance(names, (list, tuple)) else [names]
    if len(made) != len(dtypes):
        raise ValueError(
            "List of names must have the same length as the list of dtypes, but there are "
            f"{len(made)} names and {len(dtypes)} dtypes"
        )
    return made


class FIFOQueue(QueueBase):
    """A queue that gives out elements in the order they came.

    Args:
      capacity: the most elements it holds.
      dtypes: the type of an element, or a list of types, one for each component.
      shapes: the shapes of the components, all known; None for any, but then elements cannot be
        dequeued as a batch.
      names: names of the components: elements are dictionaries then.
      shared_name: queues of one shared name are one queue of a session.
      name: the name of the operation.

    >>> import workbench as tf
    >>> queue = tf.FIFOQueue(3, tf.float32, shapes=[[]])
    >>> enqueue, pair = queue.enqueue_many([[1.0, 2.0, 3.0]]), queue.dequeue_many(2)
    >>> with tf.Session() as session:
    ...     session.run(enqueue)
    ...     print(session.run(pair), session.run(queue.size()))
    [1. 2.] 1
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:
        types = _type_list(dtypes)
        known = _shape_list(shapes)
        labels = _name_list(names, types)
        ref = call(
            "FIFOQueueV2",
            name,
            component_types=types,
            shapes=known,
            capacity=capacity,
            shared_name=shared_name,
        )
        super().__init__(types, known, labels, ref)


class PaddingFIFOQueue(QueueBase):
    """A FIFOQueue whose elements may differ in size: batches are filled up with zeros.

    Args:
      capacity: the most elements it holds.
      dtypes: the type of an element, or a list of types, one for each component.
      shapes: a list of the shapes of the components, with None for sizes that may differ.
      names: names of the components: elements are dictionaries then.
      shared_name: queues of one shared name are one queue of a session.
      name: the name of the operation.

    >>> import workbench as tf
    >>> queue = tf.PaddingFIFOQueue(3, tf.int32, shapes=[[None]])
    >>> enqueue = [queue.enqueue([[1]]), queue.enqueue([[2, 3]])]
    >>> pair = queue.dequeue_many(2)
    >>> with tf.Session() as session:
    ...     for operation in enqueue:
    ...         session.run(operation)
    ...     session.run(pair).tolist()
    [[1, 0], [2, 3]]
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:
        types = _type_list(dtypes)
        known = _shape_list(shapes, may_be_partial=True) or []
        labels = _name_list(names, types)
        if len(types) != len(known):
            raise ValueError(
                "Shapes must be provided for all components, but there are "
                f"{len(types)} dtypes and {len(known)} shapes."
            )
        ref = call(
            "PaddingFIFOQueueV2",
            name,
            component_types=types,
            shapes=known,
            capacity=capacity,
            shared_name=shared_name,
        )
        super().__init__(types, known, labels, ref)


class RandomShuffleQueue(QueueBase):
    """A queue that gives out its elements in random order.

    Args:
      capacity: the most elements it holds.
      min_after_dequeue: how many elements stay in it, to choose from, until it is closed.
      dtypes: the type of an element, or a list of types, one for each component.
      shapes: the shapes of the components, all known; None for any, but then elements cannot be
        dequeued as a batch.
      names: names of the components: elements are dictionaries then.
      seed: with a seed the order is the same each time, see `tf.set_random_seed`.
      shared_name: queues of one shared name are one queue of a session.
      name: the name of the operation.

    >>> import workbench as tf
    >>> queue = tf.RandomShuffleQueue(8, 0, tf.int32, shapes=[[]], seed=1)
    >>> enqueue, all_of_them = queue.enqueue_many([list(range(8))]), queue.dequeue_many(8)
    >>> with tf.Session() as session:
    ...     session.run(enqueue)
    ...     sorted(session.run(all_of_them).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7]
    """

    def __init__(
        self,
        capacity: int,
        min_after_dequeue: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        types = _type_list(dtypes)
        known = _shape_list(shapes)
        labels = _name_list(names, types)
        seed1, seed2 = get_seed(seed)
        if seed1 is None and seed2 is None:
            seed1, seed2 = 0, 0
        elif seed is None and shared_name is not None:
            # Operations that share a queue agree on its seeds, wherever they are in the graph,
            # and with graphs that TensorFlow made.
            digest = hashlib.md5(f"{seed1}{shared_name}".encode(), usedforsecurity=False).digest()
            seed2 = int.from_bytes(digest[:4], "big") & 0x7FFFFFFF
        ref = call(
            "RandomShuffleQueueV2",
            name,
            component_types=types,
            shapes=known,
            capacity=capacity,
            min_after_dequeue=min_after_dequeue,
            seed=seed1,
            seed2=seed2,
            shared_name=shared_name,
        )
        super().__init__(types, known, labels, ref)


class PriorityQueue(QueueBase):
    """A queue that gives out the element of the smallest priority first.

    The first component of an element, an int64 scalar, is its priority; elements of one priority
    come in the order they were put in.

    Args:
      capacity: the most elements it holds.
      types: the types of the other components, one or a list.
      shapes: the shapes of the other components; None where they may be any.
      names: names of all components, the priority included: elements are dictionaries then.
      shared_name: queues of one shared name are one queue of a session.
      name: the name of the operation.

    >>> import workbench as tf
    >>> queue = tf.PriorityQueue(3, tf.string, shapes=[[]])
    >>> enqueue = queue.enqueue_many([[3, 1, 2], ["c", "a", "b"]])
    >>> priority, value = queue.dequeue()
    >>> with tf.Session() as session:
    ...     session.run(enqueue)
    ...     [session.run(value) for _ in range(3)]
    [b'a', b'b', b'c']
    """

    def __init__(
        self,
        capacity: int,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:
        others = _type_list(types)
        known = _shape_list(shapes)
        ref = call(
            "PriorityQueueV2",
            name,
            component_types=others,
            shapes=known or [],
            capacity=capacity,
            shared_name=shared_name,
        )
        all_types = [int64, *others]
        all_shapes = [TensorShape([]), *known] if known else known
        labels = _name_list(names, all_types)
        super().__init__(all_types, all_shapes or None, labels, ref)
