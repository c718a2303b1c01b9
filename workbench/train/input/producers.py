"""Queues that are filled with the elements of a tensor, epoch after epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.convert import convert_n_to_tensor, convert_to_tensor
from workbench.core.graph.dtypes import int64, string
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api, summary
from workbench.core.ops.constant import constant
from workbench.core.ops.file_contents import matching_files
from workbench.core.ops.printing import Assert
from workbench.core.ops.queues.queue_types import FIFOQueue
from workbench.core.ops.random_distributions import random_shuffle
from workbench.core.ops.state.variables import Variable
from workbench.train.queue_runner import QueueRunner, add_queue_runner


def match_filenames_once(pattern: Any, name: str | None = None) -> Variable:
    """The names of the files that match a pattern (or one of several), found once.

    It is a local variable: `tf.local_variables_initializer()` looks for the files.
    """
    with name_scope(name, "matching_filenames", [pattern]) as scope:
        return Variable(
            initial_value=matching_files(pattern),
            trainable=False,
            name=scope,
            validate_shape=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
        )


def limit_epochs(tensor: Any, num_epochs: int | None = None, name: str | None = None) -> Any:
    """`tensor`, which can be got `num_epochs` times; then a run fails with OutOfRangeError.

    It is counted in a local variable `epochs`. Without `num_epochs` the tensor is returned as it
    is.
    """
    if num_epochs is None:
        return tensor
    if num_epochs <= 0:
        raise ValueError(f"num_epochs must be > 0 not {num_epochs}.")
    with name_scope(name, "limit_epochs", [tensor]) as scope:
        epochs = Variable(
            constant(0, int64),
            name="epochs",
            trainable=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
        )
        with control_dependencies([epochs.count_up_to(num_epochs)]):
            return api.identity(tensor, name=scope)


def input_producer(
    input_tensor: Any,
    element_shape: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    summary_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> FIFOQueue:
    """A queue with the rows of a tensor, filled by a queue runner.

    Args:
      input_tensor: at least a vector; its rows have one known shape, or `element_shape` gives it.
      num_epochs: how often each row comes; then the queue is closed. It is counted in a local
        variable. Without, the rows come for ever.
      shuffle: whether the rows of each epoch come in a random order, which `seed` determines.
      capacity: the most elements that the queue holds.
      shared_name: queues of one shared name are one queue of a session.
      summary_name: the name of a summary of how full the queue is.
      cancel_op: what the queue runner runs to stop.

    Raises:
      ValueError: the shape of the rows is not known.

    >>> import workbench as tf
    >>> queue = tf.train.input_producer([[1, 2], [3, 4]], num_epochs=1, shuffle=False)
    >>> row = queue.dequeue()
    >>> with tf.train.MonitoredSession() as session:
    ...     session.run(row).tolist(), session.run(row).tolist()
    ([1, 2], [3, 4])
    """
    with name_scope(name, "input_producer", [input_tensor]):
        rows = convert_to_tensor(input_tensor, name="input_tensor")
        shape = rows.shape.with_rank_at_least(1)[1:].merge_with(element_shape)
        if not shape.is_fully_defined():
            raise ValueError(
                "Either `input_tensor` must have a fully defined shape or `element_shape` must be "
                f"specified; the shape of an element is {shape}"
            )
        if shuffle:
            rows = random_shuffle(rows, seed=seed)
        rows = limit_epochs(rows, num_epochs)
        queue = FIFOQueue(
            capacity=capacity,
            dtypes=[rows.dtype.base_dtype],
            shapes=[shape],
            shared_name=shared_name,
            name=name or "fifo_queue",
        )
        enqueue = queue.enqueue_many([rows])
        add_queue_runner(QueueRunner(queue, [enqueue], cancel_op=cancel_op))
        if summary_name is not None:
            summary.scalar(summary_name, api.cast(queue.size(), "float32") * (1.0 / capacity))
        return queue


def string_input_producer(
    string_tensor: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
    cancel_op: Any = None,
) -> FIFOQueue:
    """A queue with strings (names of files, mostly), filled by a queue runner.

    The arguments are those of `tf.train.input_producer`. ValueError for an empty list; a tensor
    that is empty in a run fails it with InvalidArgumentError.
    """
    problem = "string_input_producer requires a non-null input tensor"
    if not isinstance(string_tensor, (Tensor, Variable)) and not len(string_tensor):
        raise ValueError(problem)
    with name_scope(name, "input_producer", [string_tensor]) as scope:
        strings = convert_to_tensor(string_tensor, dtype=string)
        with control_dependencies([Assert(api.greater(api.size(strings), 0), [problem])]):
            strings = api.identity(strings)
        return input_producer(
            input_tensor=strings,
            element_shape=[],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
            name=scope,
            summary_name=f"fraction_of_{capacity}_full",
            cancel_op=cancel_op,
        )


def range_input_producer(
    limit: Any,
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> FIFOQueue:
    """A queue with the numbers from 0 to `limit` - 1, filled by a queue runner.

    The arguments are those of `tf.train.input_producer`.
    """
    with name_scope(name, "input_producer", [limit]) as scope:
        return input_producer(
            input_tensor=api.range(limit),
            element_shape=[],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
            name=scope,
            summary_name=f"fraction_of_{capacity}_full",
        )


def slice_input_producer(
    tensor_list: Sequence[Any],
    num_epochs: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    capacity: int = 32,
    shared_name: str | None = None,
    name: str | None = None,
) -> list[Tensor]:
    """The slices of tensors along their first axis, one slice of each for each run.

    All tensors have as many slices as the first. The other arguments are those of
    `tf.train.input_producer`. ValueError for an empty list.
    """
    with name_scope(name, "input_producer", list(tensor_list)):
        tensors = convert_n_to_tensor(tensor_list)
        if not tensors:
            raise ValueError(
                "Expected at least one tensor in slice_input_producer(): tensor_list is empty."
            )
        queue = range_input_producer(
            api.shape(tensors[0])[0],
            num_epochs=num_epochs,
            shuffle=shuffle,
            seed=seed,
            capacity=capacity,
            shared_name=shared_name,
        )
        index = queue.dequeue()
        return [api.gather(tensor, index) for tensor in tensors]
