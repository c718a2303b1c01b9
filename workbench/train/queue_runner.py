"""Threads that keep a queue filled: each runs an operation that enqueues, until it is closed."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from workbench.core import errors
from workbench.core.graph.collection_protos import register_proto_function
from workbench.core.graph.context import add_to_collection, get_collection, get_default_graph
from workbench.core.graph.keys import GraphKeys
from workbench.core.platform import logging
from workbench.core.runtime.base_session import BaseSession
from workbench.core.runtime.default_session import get_default_session
from workbench.core.sync.registry import idle
from workbench.core.sync.scope import Scope, entered
from workbench.train.coordinator import Coordinator

#: How often the thread that closes the queue looks whether there is anything left to close, in
#: seconds.
_GLANCE_SECONDS = 0.2


class QueueRunner:
    """Runs operations that enqueue, each in a thread of its own, until their queue is closed.

    Args:
      queue: the queue.
      enqueue_ops: the operations, one for each thread; the same one may be there several times.
      close_op: closes the queue when all threads are done; made where it is None.
      cancel_op: closes it and gives up what waits to be enqueued, for when the threads are to
        stop; made where it is None.
      queue_closed_exception_types: the errors of an operation that say that its input has ended:
        by default OutOfRangeError.
      queue_runner_def: a `QueueRunnerDef` message to make the runner from, in the place of all of
        these; `import_scope` is put before the names in it.

    >>> import workbench as tf
    >>> queue = tf.FIFOQueue(5, tf.int32)
    >>> count = tf.Variable(0)
    >>> enqueue = queue.enqueue(count.assign_add(1))
    >>> _ = tf.train.add_queue_runner(tf.train.QueueRunner(queue, [enqueue]))
    >>> value = queue.dequeue()
    >>> with tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     coord = tf.train.Coordinator()
    ...     threads = tf.train.start_queue_runners(session, coord)
    ...     print([int(session.run(value)) for _ in range(3)])
    ...     coord.request_stop()
    ...     coord.join(threads)
    [1, 2, 3]
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Sequence[Any] | None = None,
        close_op: Any = None,
        cancel_op: Any = None,
        queue_closed_exception_types: tuple[type[errors.OpError], ...] | None = None,
        queue_runner_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        if queue_runner_def is not None:
            if queue is not None or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._set_from_message(queue_runner_def, import_scope)
        else:
            if queue is None or not enqueue_ops:
                raise ValueError("Must provide queue and enqueue_ops.")
            _check_types(queue_closed_exception_types)
            self._queue = queue
            self._enqueue_ops = enqueue_ops
            self._close_op = queue.close() if close_op is None else close_op
            self._cancel_op = (
                queue.close(cancel_pending_enqueues=True) if cancel_op is None else cancel_op
            )
            self._closed_types = queue_closed_exception_types or (errors.OutOfRangeError,)
        self._lock = threading.Lock()
        #: How many threads have not ended yet, by their session.
        self._running: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        #: What ends the runs of its threads, by session.
        self._scopes: weakref.WeakKeyDictionary[Any, set[Scope]] = weakref.WeakKeyDictionary()
        self._exceptions: list[Exception] = []

    def _set_from_message(self, message: Any, import_scope: str | None) -> None:
        graph = get_default_graph()

        def find(name: str) -> Any:
            return graph.as_graph_element(f"{import_scope}/{name}" if import_scope else name)

        self._queue = find(message.queue_name)
        self._enqueue_ops = [find(name) for name in message.enqueue_op_name]
        self._close_op = find(message.close_op_name)
        self._cancel_op = find(message.cancel_op_name)
        codes = message.queue_closed_exception_types
        types = tuple(errors.exception_type_from_error_code(code) for code in codes)
        # The oldest messages have no such field.
        self._closed_types = types or (errors.OutOfRangeError,)

    @property
    def queue(self) -> Any:
        """The queue, or its operation where the runner was made from a message."""
        return self._queue

    @property
    def enqueue_ops(self) -> Sequence[Any]:
        """The operations that enqueue."""
        return self._enqueue_ops

    @property
    def close_op(self) -> Any:
        """The operation that closes the queue when all threads are done."""
        return self._close_op

    @property
    def cancel_op(self) -> Any:
        """The operation that closes the queue and gives up what waits to be enqueued."""
        return self._cancel_op

    @property
    def queue_closed_exception_types(self) -> tuple[type[errors.OpError], ...]:
        """The errors that say that the input has ended."""
        return self._closed_types

    @property
    def exceptions_raised(self) -> list[Exception]:
        """The errors of threads that have no coordinator to report them to."""
        return self._exceptions

    @property
    def name(self) -> str:
        """The name of the queue."""
        name: str = self._queue.name
        return name

    def create_threads(
        self, sess: Any, coord: Coordinator | None = None, daemon: bool = False, start: bool = False
    ) -> list[threading.Thread]:
        """The threads for a session: one for each operation; none while others of it run.

        With a coordinator there is one more, which closes the queue when the threads are to stop,
        and errors are reported to it. The threads end when their session is closed, too.
        `start` starts them.
        """
        with self._lock:
            if self._running.get(sess, 0) > 0:
                return []
            self._running[sess] = len(self._enqueue_ops)
            self._exceptions = []
        threads = [
            threading.Thread(
                target=self._run,
                args=(sess, op, coord),
                name=f"QueueRunnerThread-{self.name}-{getattr(op, 'name', op)}",
                daemon=daemon,
            )
            for op in self._enqueue_ops
        ]
        if coord is not None:
            closer = threading.Thread(
                target=self._close_on_stop,
                args=(sess, coord),
                name=f"QueueRunnerThread-{self.name}-close_on_stop",
                daemon=daemon,
            )
            threads.append(closer)
        for thread in threads:
            if coord is not None:
                coord.register_thread(thread)
            if start:
                thread.start()
        return threads

    def _run(self, session: Any, enqueue_op: Any, coord: Coordinator | None) -> None:
        """What a thread does: enqueues until the queue is closed or somebody says stop."""
        is_over = False
        scope = Scope()
        with self._lock:
            self._scopes.setdefault(session, set()).add(scope)
        try:
            with entered(scope):
                enqueue = session.make_callable(enqueue_op)
                while coord is None or not coord.should_stop():
                    try:
                        enqueue()
                    except self._closed_types:
                        is_over = True
                        return
        except Exception as error:
            if not scope.is_cancelled:
                self._report(session, error, coord)
        finally:
            with self._lock:
                self._scopes[session].discard(scope)
                self._running[session] -= 1
                is_last = not self._running[session]
            if is_over and is_last:
                _run_ignoring_errors(session, self._close_op)

    def _report(self, session: Any, error: Exception, coord: Coordinator | None) -> None:
        if coord is not None:
            coord.request_stop(error)
        elif not _is_closed(session):
            # A closed session is the end that threads without a coordinator have.
            logging.error("Exception in QueueRunner: %s", str(error))
            with self._lock:
                self._exceptions.append(error)

    def _close_on_stop(self, session: Any, coord: Coordinator) -> None:
        """What the closing thread does: waits for a stop, then unblocks who waits for the queue."""
        # It ends no wait by itself: it is told to.
        with idle():
            while not coord.wait_for_stop(_GLANCE_SECONDS):
                with self._lock:
                    is_done = not self._running.get(session, 0)
                if is_done or _is_closed(session):
                    return
        _run_ignoring_errors(session, self._cancel_op)
        # What else they wait for, an accumulator say, does not close with the queue.
        with self._lock:
            scopes = list(self._scopes.get(session, ()))
        for scope in scopes:
            scope.cancel()

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The runner as a `QueueRunnerDef` message; None where it is outside `export_scope`.

        Names in the message are without the scope.
        """
        from workbench.core.protos import QueueRunnerDef

        if export_scope is not None and not self.name.startswith(export_scope):
            return None

        def stripped(name: str) -> str:
            return name.removeprefix(f"{export_scope}/") if export_scope else name

        return QueueRunnerDef(
            queue_name=stripped(self.name),
            enqueue_op_name=[stripped(op.name) for op in self._enqueue_ops],
            close_op_name=stripped(self._close_op.name),
            cancel_op_name=stripped(self._cancel_op.name),
            queue_closed_exception_types=[
                errors.error_code_from_exception_type(kind) for kind in self._closed_types
            ],
        )

    @staticmethod
    def from_proto(queue_runner_def: Any, import_scope: str | None = None) -> QueueRunner:
        """The runner of a `QueueRunnerDef` message, whose operations the default graph has."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)


def _check_types(types: Any) -> None:
    if types is None:
        return
    if (
        not isinstance(types, tuple)
        or not types
        or not all(isinstance(t, type) and issubclass(t, errors.OpError) for t in types)
    ):
        raise TypeError(
            "queue_closed_exception_types, when provided, must be a tuple of tf.error types, but "
            f"saw: {types}"
        )


def _is_closed(session: Any) -> bool:
    return bool(getattr(session, "_closed", False))


def _run_ignoring_errors(session: Any, operation: Any) -> None:
    """Closes a queue that may be closed, or gone with its session, by now."""
    try:
        session.run(operation)
    except Exception as error:
        logging.vlog(1, "Ignored exception: %s", str(error))


def add_queue_runner(qr: QueueRunner, collection: str = GraphKeys.QUEUE_RUNNERS) -> None:
    """Adds a runner to a collection of the graph, for `start_queue_runners` to find it."""
    add_to_collection(collection, qr)


def start_queue_runners(
    sess: Any = None,
    coord: Coordinator | None = None,
    daemon: bool = True,
    start: bool = True,
    collection: str = GraphKeys.QUEUE_RUNNERS,
) -> list[threading.Thread]:
    """The threads of all runners in a collection of the graph, started.

    Args:
      sess: the session they run in, by default the default one.
      coord: the coordinator that stops them.
      daemon: whether the process may end while they run.
      start: False to have them made only.
      collection: where the runners are.

    Raises:
      ValueError: there is no session.
      TypeError: `sess` is not a session.
    """
    if sess is None:
        sess = get_default_session()
        if sess is None:
            raise ValueError(
                "Cannot start queue runners: No default session is registered. Use `with "
                "sess.as_default()` or pass an explicit session to tf.start_queue_runners("
                "sess=sess)"
            )
    if not isinstance(sess, BaseSession):
        if type(sess).__name__ in ("MonitoredSession", "SingularMonitoredSession"):
            # They have started the runners themselves.
            return []
        raise TypeError(f"sess must be a `tf.Session` object. Given class: {type(sess)}")
    with sess.graph.as_default():
        runners: Iterable[QueueRunner] = get_collection(collection)
        return [
            thread
            for runner in runners
            for thread in runner.create_threads(sess, coord=coord, daemon=daemon, start=start)
        ]


def _to_proto(runner: QueueRunner, export_scope: str | None = None) -> Any:
    return runner.to_proto(export_scope=export_scope)


register_proto_function(
    GraphKeys.QUEUE_RUNNERS,
    proto_type="QueueRunnerDef",
    to_proto=_to_proto,
    from_proto=QueueRunner.from_proto,
)
