"""Queues that collect examples for batches: how they are made, filled and emptied."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype, float32, int32
from workbench.core.graph.dtypes import bool as bool_type
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, summary
from workbench.core.ops.control import group, no_op
from workbench.core.ops.control_flow.cond import cond
from workbench.core.ops.partitioning import dynamic_partition
from workbench.core.ops.queues.queue_base import QueueBase
from workbench.core.ops.queues.queue_types import FIFOQueue, PaddingFIFOQueue, RandomShuffleQueue
from workbench.train.input import sparse_store
from workbench.train.queue_runner import QueueRunner, add_queue_runner


class Shuffling(NamedTuple):
    """How elements are drawn at random."""

    min_after_dequeue: int
    seed: int | None


class Batches(NamedTuple):
    """What is asked for: the arguments that all functions for batches share."""

    batch_size: Any
    capacity: int
    keep_input: Any = True
    enqueue_many: bool = False
    shapes: Any = None
    dynamic_pad: bool = False
    allow_smaller_final_batch: bool = False
    shared_name: str | None = None
    name: str | None = None
    shuffling: Shuffling | None = None


def batches_of(title: str, arguments: Mapping[str, Any]) -> Any:
    """Batches of examples, as one of the public functions is asked for them.

    Args:
      title: the name of the function, for the scope and errors.
      arguments: its arguments by their names: `tensors_list` or `tensors`, `num_threads`,
        `min_after_dequeue` and `seed` where it shuffles, and those of `Batches`.
    """
    given = dict(arguments)
    inputs = given.pop("tensors_list") if "tensors_list" in given else [given.pop("tensors")]
    threads = given.pop("num_threads", 1)
    if "min_after_dequeue" in given:
        given["shuffling"] = Shuffling(given.pop("min_after_dequeue"), given.pop("seed"))
    return _batches(title, inputs, threads, Batches(**given))


def _batches(title: str, inputs: Sequence[Any], threads: int, wanted: Batches) -> Any:
    """Batches of several inputs, lists or dicts of tensors, each enqueued by `threads` threads."""
    if not inputs:
        raise ValueError(f"Expected at least one input in {title}().")
    lists = [tensors_in(each) for each in inputs]
    for each in inputs:
        _check_form(inputs[0], each)
    with name_scope(
        wanted.name, title, [*(t for each in lists for t in each), wanted.keep_input]
    ) as scope:
        if wanted.shuffling is not None:
            _check_capacity(wanted.capacity, wanted.shuffling.min_after_dequeue)
        converted = [converted_tensors(each, title) for each in lists]
        keep = checked_keep_input(wanted.keep_input, wanted.enqueue_many)
        components = sparse_store.components_of(
            converted[0], wanted.enqueue_many, wanted.shared_name
        )
        stored = []
        for each in converted:
            sparse_store.check_alike(converted[0], each)
            stored.append(sparse_store.store(each, components, wanted.enqueue_many, keep))
        queue = _queue(stored, wanted)
        _fill(queue, stored, threads, wanted.enqueue_many, keep)
        _summarise(queue, wanted)
        if wanted.allow_smaller_final_batch:
            batch = queue.dequeue_up_to(wanted.batch_size, name=scope)
        else:
            batch = queue.dequeue_many(wanted.batch_size, name=scope)
        parts = sparse_store.restore(batch if isinstance(batch, list) else [batch], components)
        return in_form_of(inputs[0], parts)


def tensors_in(tensors: Any) -> list[Any]:
    """The components of an input: those of a dict in the order of its keys."""
    if isinstance(tensors, Mapping):
        return [tensors[key] for key in sorted(tensors)]
    if isinstance(tensors, (Tensor, SparseTensor)):
        return [tensors]
    return list(tensors)


def _check_form(first: Any, other: Any) -> None:
    """ValueError where two inputs have other keys, or one has keys and the other none."""
    forms = [sorted(x) if isinstance(x, Mapping) else len(tensors_in(x)) for x in (first, other)]
    if forms[0] != forms[1]:
        raise ValueError(
            "All inputs must have the same keys (or number of tensors): got "
            f"{forms[0]} and {forms[1]}"
        )


def in_form_of(original: Any, parts: list[Any]) -> Any:
    """Components in the form in which an input had them."""
    if isinstance(original, Mapping):
        return dict(zip(sorted(original), parts, strict=True))
    return parts[0] if len(parts) == 1 else parts


def converted_tensors(tensors: Sequence[Any], title: str) -> list[Any]:
    """The components as tensors; ValueError where the function `title` is given none."""
    if not tensors:
        raise ValueError(f"Expected at least one tensor in {title}().")
    return [t if isinstance(t, SparseTensor) else convert_to_tensor(t) for t in tensors]


def _check_capacity(capacity: int, min_after_dequeue: int) -> None:
    if capacity <= min_after_dequeue:
        raise ValueError(
            f"capacity {capacity} must be bigger than min_after_dequeue {min_after_dequeue}."
        )


def checked_keep_input(keep_input: Any, enqueue_many: bool) -> Tensor:
    """What says which examples are kept; ValueError where it is of another rank."""
    keep = convert_to_tensor(keep_input, dtype=bool_type, name="keep_input")
    rank = keep.shape.ndims
    if rank is None:
        raise ValueError("`keep_input` dimensions must be known at graph construction.")
    if not enqueue_many and rank == 1:
        raise ValueError("`keep_input` cannot be a vector when `enqueue_many=False`.")
    if rank > 1:
        raise ValueError(f"`keep_input` must be 0 or 1 dimensions, got {rank}.")
    return keep


def _queue(lists: Sequence[Sequence[Tensor]], wanted: Batches) -> QueueBase:
    types = types_of(lists)
    shapes = shapes_of(lists, wanted)
    if wanted.shuffling is not None:
        return RandomShuffleQueue(
            capacity=wanted.capacity,
            min_after_dequeue=wanted.shuffling.min_after_dequeue,
            seed=wanted.shuffling.seed,
            dtypes=types,
            shapes=shapes,
            shared_name=wanted.shared_name,
        )
    kind = PaddingFIFOQueue if wanted.dynamic_pad else FIFOQueue
    return kind(
        capacity=wanted.capacity, dtypes=types, shapes=shapes, shared_name=wanted.shared_name
    )


def types_of(lists: Sequence[Sequence[Tensor]]) -> list[DType]:
    """The types of one example's components; TypeError where inputs have others."""
    first = [tensor.dtype.base_dtype for tensor in lists[0]]
    for each in lists[1:]:
        types = [tensor.dtype.base_dtype for tensor in each]
        if types != first:
            names = [", ".join(as_dtype(t).name for t in both) for both in (first, types)]
            raise TypeError(f"Expected types to be consistent: {names[0]} vs. {names[1]}.")
    return first


def shapes_of(lists: Sequence[Sequence[Tensor]], wanted: Batches) -> list[TensorShape]:
    """The shapes of one example's components: what all inputs have in common."""
    if wanted.shapes is not None:
        return [TensorShape(shape) for shape in wanted.shapes]
    shapes = []
    for column in zip(*lists, strict=True):
        own = []
        for tensor in column:
            if tensor.shape.ndims is None:
                raise ValueError(
                    f"Cannot infer Tensor's rank: {tensor}; set its shape, or give `shapes`"
                )
            shape = tensor.shape
            own.append(shape.with_rank_at_least(1)[1:] if wanted.enqueue_many else shape)
        shapes.append(functools.reduce(_either if wanted.dynamic_pad else _both, own))
    return shapes


def _both(first: TensorShape, second: TensorShape) -> TensorShape:
    """What is known of a shape that is both; ValueError where they differ."""
    return first.merge_with(second)


def _either(first: TensorShape, second: TensorShape) -> TensorShape:
    """What is known of a shape that is one or the other; ValueError where the ranks differ."""
    if first.ndims != second.ndims:
        raise ValueError(f"Shapes {first} and {second} of one component have other ranks")
    pairs = zip(first.as_list(), second.as_list(), strict=True)
    return TensorShape([a if a == b else None for a, b in pairs])


def _fill(
    queue: QueueBase,
    lists: Sequence[Sequence[Tensor]],
    threads: int,
    enqueue_many: bool,
    keep: Tensor,
) -> None:
    operations = []
    for tensors in lists:
        operations += [_enqueue(queue, list(tensors), enqueue_many, keep)] * threads
    add_queue_runner(QueueRunner(queue, operations))


def _enqueue(queue: QueueBase, tensors: list[Tensor], enqueue_many: bool, keep: Tensor) -> Any:
    enqueue = queue.enqueue_many if enqueue_many else queue.enqueue
    if keep.shape.ndims == 1:
        parts = api.cast(keep, int32)
        return enqueue([dynamic_partition(t, parts, num_partitions=2)[1] for t in tensors])
    known = constant_value(keep)
    if known is not None:
        # What is not kept is computed all the same, and its input ends.
        return enqueue(tensors) if known else group(*tensors)
    return cond(keep, lambda: enqueue(tensors), no_op)


def _summarise(queue: QueueBase, wanted: Batches) -> None:
    """A summary of how full the queue is, beyond what shuffling keeps in it."""
    size, capacity = queue.size(), wanted.capacity
    if wanted.shuffling is None:
        summary.scalar(f"fraction_of_{capacity}_full", api.cast(size, float32) * (1.0 / capacity))
        return
    least = wanted.shuffling.min_after_dequeue
    beyond = api.cast(api.maximum(0, size - least), float32)
    summary.scalar(
        f"fraction_over_{least}_of_{capacity - least}_full", beyond * (1.0 / (capacity - least))
    )
