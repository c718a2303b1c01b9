"""`tf.contrib.summary`: summaries that operations write to files while they run."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.creation import call, create
from workbench.train.global_steps import get_or_create_global_step

_INITIALIZERS = "_SUMMARY_WRITER_V2"
_SUMMARIES = "_SUMMARY_V2"
#: The writers that are the default of a graph, the innermost last; and when they are to record.
_writers: weakref.WeakKeyDictionary[Any, list[Any]] = weakref.WeakKeyDictionary()
_recording: weakref.WeakKeyDictionary[Any, list[Any]] = weakref.WeakKeyDictionary()


def _stack(stacks: weakref.WeakKeyDictionary[Any, list[Any]], graph: Any = None) -> list[Any]:
    return stacks.setdefault(graph or get_default_graph(), [])


@contextlib.contextmanager
def _pushed(stack: list[Any], value: Any) -> Iterator[Any]:
    stack.append(value)
    try:
        yield value
    finally:
        stack.pop()


class SummaryWriter:
    """What writes summaries; made by `create_file_writer`. Without a resource it writes nothing."""

    def __init__(self, resource: Tensor | None) -> None:
        self._resource = resource

    def set_as_default(self) -> None:
        """Makes it the writer of all summaries of the graph that are made from now on."""
        _stack(_writers).append(self._resource)

    @contextlib.contextmanager
    def as_default(self) -> Iterator[SummaryWriter]:
        """The writer of summaries that are made in the block."""
        with _pushed(_stack(_writers), self._resource):
            yield self

    def flush(self) -> Operation:
        """An operation that writes what waits."""
        return self._of("FlushSummaryWriter")

    def close(self) -> Operation:
        """An operation that writes what waits and ends the file."""
        return self._of("CloseSummaryWriter")

    def _of(self, type_name: str) -> Operation:
        if self._resource is None:
            nothing: Operation = api.no_op()
            return nothing
        return create(type_name, None, writer=self._resource)


def create_file_writer(
    logdir: Any,
    max_queue: int | None = None,
    flush_millis: int | None = None,
    filename_suffix: str | None = None,
    name: str | None = None,
) -> SummaryWriter:
    """A writer of a new event file in a folder.

    `summary_writer_initializer_op` begins the file. Up to `max_queue` (10) events wait, for up to
    `flush_millis` (2 minutes). Writers of one `name` in a session are one writer.

    >>> import tempfile, workbench as tf
    >>> with tempfile.TemporaryDirectory() as folder, tf.Graph().as_default():
    ...     writer = tf.contrib.summary.create_file_writer(folder)
    ...     with writer.as_default(), tf.contrib.summary.always_record_summaries():
    ...         write = tf.contrib.summary.scalar("loss", 0.5, step=1)
    ...     with tf.Session() as session:
    ...         _ = session.run(tf.contrib.summary.summary_writer_initializer_op())
    ...         _ = session.run([write, writer.close()])
    ...     (path,) = tf.gfile.Glob(folder + "/events*")
    ...     [e.summary.value[0].tag for e in tf.train.summary_iterator(path) if e.step]
    ['loss']
    """
    if logdir is None:
        return SummaryWriter(None)
    with name_scope("create_file_writer"):
        resource = call("SummaryWriter", shared_name=name or f"logdir:{logdir}")
        begin = create(
            "CreateSummaryFileWriter",
            None,
            writer=resource,
            logdir=logdir,
            max_queue=10 if max_queue is None else max_queue,
            flush_millis=120_000 if flush_millis is None else flush_millis,
            filename_suffix=".v2" if filename_suffix is None else filename_suffix,
        )
    get_default_graph().add_to_collection(_INITIALIZERS, begin)
    return SummaryWriter(resource)


def summary_writer_initializer_op() -> list[Operation]:
    """The operations that begin the files of all writers of the default graph."""
    found: list[Operation] = get_default_graph().get_collection(_INITIALIZERS)
    return found


def all_summary_ops() -> list[Tensor]:
    """The operations of the default graph that write summaries, as bools to be fetched."""
    found: list[Tensor] = get_default_graph().get_collection(_SUMMARIES)
    return found


# -- when to record ------------------------------------------------------------------------------


def should_record_summaries() -> Any:
    """Whether summaries made here are to be recorded: a bool, or a tensor of one."""
    stack = _stack(_recording)
    return stack[-1] if stack else False


def always_record_summaries() -> Any:
    """A block whose summaries are recorded in every run."""
    return _pushed(_stack(_recording), True)


def never_record_summaries() -> Any:
    """A block whose summaries are never recorded."""
    return _pushed(_stack(_recording), False)


def record_summaries_every_n_global_steps(n: int, global_step: Any = None) -> Any:
    """A block whose summaries are recorded where the global step is a multiple of `n`."""
    step = get_or_create_global_step() if global_step is None else global_step
    due = api.equal(convert_to_tensor(step) % n, 0)
    return _pushed(_stack(_recording), due)


# -- summaries -----------------------------------------------------------------------------------


def _recorded(
    name: str, family: str | None, step: Any, write: Callable[[Any, str, Any], Operation]
) -> Any:
    """What writes a summary when it is due: a bool, or an operation that does nothing.

    `write(writer, tag, step)` makes the operation that does it.
    """
    stack = _stack(_writers)
    writer = stack[-1] if stack else None
    due = should_record_summaries()
    if writer is None or due is False:
        return api.no_op()
    at = get_or_create_global_step() if step is None else step
    with name_scope(name) as scope:
        tag = (scope or name).rstrip("/")
        tag = f"{family}/{tag}" if family else tag
        at = api.cast(convert_to_tensor(at), "int64")

        def record() -> Any:
            with api.control_dependencies([write(writer, tag, at)]):
                return api.constant(True)

        done = record() if due is True else api.cond(due, record, lambda: api.constant(False))
    get_default_graph().add_to_collection(_SUMMARIES, done)
    return done


def scalar(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Writes a number, at the global step or another one."""

    def write(writer: Any, tag: str, at: Any) -> Operation:
        value = convert_to_tensor(tensor)
        return create("WriteScalarSummary", None, writer=writer, step=at, tag=tag, value=value)

    return _recorded(name, family, step, write)


def histogram(name: str, tensor: Any, family: str | None = None, step: Any = None) -> Any:
    """Writes how the elements of a tensor are distributed."""

    def write(writer: Any, tag: str, at: Any) -> Operation:
        values = convert_to_tensor(tensor)
        return create("WriteHistogramSummary", None, writer=writer, step=at, tag=tag, values=values)

    return _recorded(name, family, step, write)


def image(
    name: str,
    tensor: Any,
    bad_color: Any = None,
    max_images: int = 3,
    family: str | None = None,
    step: Any = None,
) -> Any:
    """Writes images [batch, height, width, channels]; `bad_color` stands for what is no number."""
    colour = np.array([255, 0, 0, 255], np.uint8) if bad_color is None else bad_color

    def write(writer: Any, tag: str, at: Any) -> Operation:
        return create(
            "WriteImageSummary",
            None,
            writer=writer,
            step=at,
            tag=tag,
            tensor=convert_to_tensor(tensor),
            bad_color=convert_to_tensor(colour, dtype="uint8"),
            max_images=max_images,
        )

    return _recorded(name, family, step, write)


def audio(
    name: str,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int,
    family: str | None = None,
    step: Any = None,
) -> Any:
    """Writes sounds [batch, frames] or [batch, frames, channels]."""

    def write(writer: Any, tag: str, at: Any) -> Operation:
        return create(
            "WriteAudioSummary",
            None,
            writer=writer,
            step=at,
            tag=tag,
            tensor=convert_to_tensor(tensor),
            sample_rate=convert_to_tensor(sample_rate, dtype="float32"),
            max_outputs=max_outputs,
        )

    return _recorded(name, family, step, write)


def generic(
    name: str, tensor: Any, metadata: Any = None, family: str | None = None, step: Any = None
) -> Any:
    """Writes a tensor, with a `SummaryMetadata` or its bytes for who reads it."""
    content = metadata
    if metadata is None:
        content = b""
    elif hasattr(metadata, "SerializeToString"):
        content = metadata.SerializeToString()

    def write(writer: Any, tag: str, at: Any) -> Operation:
        return create(
            "WriteSummary",
            None,
            writer=writer,
            step=at,
            tensor=convert_to_tensor(tensor),
            tag=tag,
            summary_metadata=content,
        )

    return _recorded(name, family, step, write)


def flush(writer: Any = None, name: str | None = None) -> Operation:
    """An operation that writes what waits in a writer, or in the default one."""
    if isinstance(writer, SummaryWriter):
        return writer.flush()
    stack = _stack(_writers)
    return SummaryWriter(stack[-1] if stack else None).flush()
