"""Writing summaries, graphs and traced steps for TensorBoard: ``tf.summary.FileWriter``."""

from __future__ import annotations

import os
import threading
import time
from typing import Any, ClassVar

import numpy as np

from workbench.core import protos
from workbench.core.protos.reading import as_message, serialize
from workbench.train.event_files import EventFileWriter
from workbench.train.meta_graph_export import create_meta_graph_def


class FileWriter:
    """Writes events to a new event file in a folder, for TensorBoard to show.

    Args:
      logdir: the folder; it is made where it does not exist.
      graph: a graph to add at once.
      max_queue: how many events may wait before adding one more waits too.
      flush_secs: accepted for compatibility; events never wait for a time.
      graph_def: a ``GraphDef`` to add at once; ``graph`` is the better choice.
      filename_suffix: what to end the file's name with.

    Raises:
      OpError: the folder or file cannot be made; later, that events could not be written.
      TypeError: ``graph`` is no graph.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with FileWriter(folder) as writer:
    ...         value = protos.Summary.Value(tag="loss", simple_value=0.5)
    ...         writer.add_summary(protos.Summary(value=[value]), global_step=1)
    """

    def __init__(
        self,
        logdir: str | bytes | os.PathLike[str],
        graph: Any = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        graph_def: Any = None,
        filename_suffix: str | None = None,
    ) -> None:
        self.event_writer = EventFileWriter(logdir, max_queue, flush_secs, filename_suffix)
        self._session_run_tags: set[str] = set()
        self._seen_summary_tags: set[str] = set()
        if graph is not None or graph_def is not None:
            try:
                added = self._add_graph(graph, graph_def, None)
                self.add_meta_graph(create_meta_graph_def(graph_def=added))
            except BaseException:
                self.event_writer.close()
                raise

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def get_logdir(self) -> str:
        """The folder of the event files."""
        return self.event_writer.get_logdir()

    def _add(self, event: Any, global_step: Any) -> None:
        event.wall_time = time.time()
        if global_step is not None:
            event.step = int(global_step)
        self.event_writer.add_event(event)

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Add a ``Summary``, or the bytes of one as a summary operation gives them.

        Args:
          summary: the summary.
          global_step: the training step it belongs to.

        Raises:
          TypeError, DataLossError: ``summary`` is none.
        """
        if isinstance(summary, np.ndarray) and summary.ndim == 0:
            summary = summary.item()
        given = as_message(protos.Summary, summary, "summary")
        event = protos.Event()
        event.summary.CopyFrom(given)
        for value in event.summary.value:
            # What describes a tag is written once: with its first value.
            if value.HasField("metadata"):
                if value.tag in self._seen_summary_tags:
                    value.ClearField("metadata")
                else:
                    self._seen_summary_tags.add(value.tag)
        self._add(event, global_step)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Add a ``SessionLog``: that a session started, stopped or saved a checkpoint."""
        log = as_message(protos.SessionLog, session_log, "session_log")
        self._add(protos.Event(session_log=log), global_step)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Add a graph, which TensorBoard draws.

        Args:
          graph: a ``Graph``, or a ``GraphDef``.
          global_step: the training step it belongs to.
          graph_def: a ``GraphDef``, where ``graph`` is None.

        Raises:
          TypeError: neither of the two is given, or it is no graph.
          ValueError: both are given.
        """
        self._add_graph(graph, graph_def, global_step)

    def _add_graph(self, graph: Any, graph_def: Any, global_step: Any) -> Any:
        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        given = graph_def if graph is None else graph
        if hasattr(given, "as_graph_def"):
            definition = given.as_graph_def(add_shapes=True)
        elif given is None or isinstance(given, bytes) or not hasattr(given, "DESCRIPTOR"):
            raise TypeError(
                f"The graph to write must be a Graph or a GraphDef, not {type(given).__name__}"
            )
        else:
            definition = as_message(protos.GraphDef, given, "graph_def")
        self._add(protos.Event(graph_def=serialize(definition)), global_step)
        return definition

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Add a ``MetaGraphDef``.

        Raises:
          TypeError: ``meta_graph_def`` is none.
        """
        meta = as_message(protos.MetaGraphDef, meta_graph_def, "meta_graph_def")
        self._add(protos.Event(meta_graph_def=serialize(meta)), global_step)

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Add the ``RunMetadata`` of a traced step.

        Args:
          run_metadata: what the session filled in.
          tag: what to call the step; each tag can be used once.
          global_step: the training step.

        Raises:
          ValueError: the tag was used before.
          TypeError: ``run_metadata`` is none.
        """
        if tag in self._session_run_tags:
            raise ValueError(f"The provided tag was already used for this event type: {tag!r}")
        metadata = as_message(protos.RunMetadata, run_metadata, "run_metadata")
        self._session_run_tags.add(tag)
        tagged = protos.TaggedRunMetadata(tag=tag, run_metadata=serialize(metadata))
        self._add(protos.Event(tagged_run_metadata=tagged), global_step)

    def add_event(self, event: Any) -> None:
        """Add an ``Event`` as it is."""
        self.event_writer.add_event(as_message(protos.Event, event, "event"))

    def flush(self) -> None:
        """Wait until all events are in the file.

        Raises:
          OpError: they could not be written.
        """
        self.event_writer.flush()

    def close(self) -> None:
        """Write what is waiting, and close the file. Closing again does nothing."""
        self.event_writer.close()

    def reopen(self) -> None:
        """Go on in a new event file of the folder, if the writer is closed."""
        self.event_writer.reopen()


class FileWriterCache:
    """The writers of folders, one for each, shared by those who ask for them."""

    _cache: ClassVar[dict[str, FileWriter]] = {}
    _lock: ClassVar[threading.RLock] = threading.RLock()

    @staticmethod
    def clear() -> None:
        """Close all writers and forget them."""
        with FileWriterCache._lock:
            for writer in FileWriterCache._cache.values():
                writer.close()
            FileWriterCache._cache.clear()

    @staticmethod
    def get(logdir: str) -> FileWriter:
        """The writer of the folder ``logdir``, made at the first call."""
        with FileWriterCache._lock:
            if logdir not in FileWriterCache._cache:
                FileWriterCache._cache[logdir] = FileWriter(logdir)
            return FileWriterCache._cache[logdir]
