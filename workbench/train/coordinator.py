"""The end of threads that work together: one asks for it, all see it, one waits for them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from workbench.core import errors
from workbench.core.platform import logging
from workbench.core.sync.registry import idle

#: While nobody has asked to stop, `join` looks so often whether all threads have ended, in seconds.
_GLANCE_SECONDS = 0.1


class Coordinator:
    """Stops a group of threads together and hands on the first error of theirs.

    A thread works `while not coord.should_stop()`; any of them ends the others by
    `coord.request_stop()`, with an error or without. `coord.join()` waits for them and raises that
    error. An error of a type in `clean_stop_exception_types` (by default OutOfRangeError, the end
    of the input) is a stop without an error.

    >>> import threading
    >>> import workbench as tf
    >>> coord, done = tf.train.Coordinator(), []
    >>> def work():
    ...     with coord.stop_on_exception():
    ...         while not coord.should_stop():
    ...             done.append(1 / (3 - len(done)))
    >>> thread = threading.Thread(target=work)
    >>> thread.start()
    >>> coord.join([thread])
    Traceback (most recent call last):
    ...
    ZeroDivisionError: division by zero
    """

    def __init__(
        self, clean_stop_exception_types: Iterable[type[BaseException]] | None = None
    ) -> None:
        if clean_stop_exception_types is None:
            clean_stop_exception_types = (errors.OutOfRangeError,)
        self._clean = tuple(clean_stop_exception_types)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._joined = False
        self._registered_threads: set[threading.Thread] = set()
        #: What is called when somebody asks to stop because of an error.
        self._at_error: Callable[[BaseException], object] | None = None

    @property
    def joined(self) -> bool:
        """True once `join` has returned, or raised."""
        return self._joined

    def request_stop(self, ex: Any = None) -> None:
        """Asks all threads to stop, because of an error or without one.

        `ex` is an exception or a tuple as `sys.exc_info()` gives it. The first one is raised by
        `join`. After `join` there is nobody left to hand it to: it is raised here.
        """
        with self._lock:
            error = self._to_report(ex)
            if self._joined:
                if error is not None:
                    raise error
                return
            if self._stop.is_set():
                return
            if error is not None:
                logging.info(
                    "Error reported to Coordinator: %s, %s", type(error).__name__, str(error)
                )
                self._error = error
            self._stop.set()
            at_error = self._at_error
        if error is not None and at_error is not None:
            at_error(error)

    def _to_report(self, ex: Any) -> BaseException | None:
        """The error to hand on for what `request_stop` was given; None for a clean stop."""
        if ex is None:
            return None
        error = ex[1] if isinstance(ex, tuple) and len(ex) == 3 else ex
        if isinstance(error, self._clean):
            return None
        if isinstance(error, BaseException):
            return error
        return ValueError(
            "request_stop takes an exception, or a tuple as sys.exc_info() gives it while an "
            f"exception is handled, but got {ex!r}"
        )

    def clear_stop(self) -> None:
        """Forgets that somebody asked to stop, and why: the coordinator is as new."""
        with self._lock:
            self._joined = False
            self._error = None
            self._stop.clear()

    def _call_at_error(self, call: Callable[[BaseException], object]) -> None:
        """Has something called with the error for which a thread asks to stop, in that thread."""
        with self._lock:
            self._at_error = call

    def should_stop(self) -> bool:
        """True once somebody has asked to stop."""
        return self._stop.is_set()

    @contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """A scope in which an error, whichever, asks all threads to stop because of it.

        The error goes no further: `join` raises it.
        """
        try:
            yield
        except BaseException:
            self.request_stop(sys.exc_info())

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Waits until somebody asks to stop; False when that takes over `timeout` seconds."""
        return self._stop.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """Has `join` wait for a thread, too."""
        with self._lock:
            self._registered_threads.add(thread)

    def join(
        self,
        threads: Iterable[threading.Thread] | None = None,
        stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:
        """Waits for threads, and for those that registered, to end; raises the first error.

        From the moment somebody asks to stop they have `stop_grace_period_secs` seconds.

        Raises:
          RuntimeError: some still run after that, and there is no other error to raise, and
            `ignore_live_threads` is False. It names them.
        """
        with self._lock:
            awaited = list(self._registered_threads.union(threads or ()))
        with idle():
            self._await_stop(awaited)
        deadline = time.monotonic() + stop_grace_period_secs
        for thread in _alive(awaited):
            thread.join(max(0.0, deadline - time.monotonic()))
        stragglers = [thread.name for thread in _alive(awaited)]
        with self._lock:
            self._joined = True
            self._registered_threads = set()
            if self._error is not None:
                raise self._error
        if stragglers:
            text = f"Coordinator stopped with threads still running: {' '.join(stragglers)}"
            if not ignore_live_threads:
                raise RuntimeError(text)
            logging.info(text)

    def _await_stop(self, threads: Sequence[threading.Thread]) -> None:
        """Waits until all threads have ended, or somebody asks to stop."""
        while not self._stop.is_set():
            alive = _alive(threads)
            if not alive:
                return
            if len(alive) == 1:
                alive[0].join(_GLANCE_SECONDS)
            else:
                self._stop.wait(_GLANCE_SECONDS)

    def raise_requested_exception(self) -> None:
        """Raises the error that `request_stop` was given, if any."""
        with self._lock:
            if self._error is not None:
                raise self._error


def _alive(threads: Iterable[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threads if thread.is_alive()]


class LooperThread(threading.Thread):
    """A thread that does something again and again until its coordinator says stop.

    Args:
      coord: the coordinator. The thread registers with it, and reports its errors to it.
      timer_interval_secs: how long after the beginning of one round the next one begins, in
        seconds; None for rounds without a pause.
      target: what a round calls, with `args` and `kwargs`; a subclass may override `run_loop`
        instead, and `start_loop` and `stop_loop`, which are called before the first and after the
        last round.

    >>> import workbench as tf
    >>> coord, rounds = tf.train.Coordinator(), []
    >>> def work():
    ...     rounds.append(len(rounds))
    ...     if len(rounds) == 3:
    ...         coord.request_stop()
    >>> thread = tf.train.LooperThread.loop(coord, None, work)
    >>> coord.join()
    >>> rounds
    [0, 1, 2]
    """

    def __init__(
        self,
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        if not isinstance(coord, Coordinator):
            raise ValueError(f"'coord' argument must be a Coordinator: {coord}")
        if target is None and (args or kwargs):
            raise ValueError("'args' and 'kwargs' arguments require that you also pass 'target'")
        super().__init__(daemon=True)
        self._coord = coord
        self._interval = timer_interval_secs
        self._call = target
        self._call_args = tuple(args or ())
        self._call_kwargs = dict(kwargs or {})
        coord.register_thread(self)

    @staticmethod
    def loop(
        coord: Coordinator,
        timer_interval_secs: float | None,
        target: Callable[..., Any],
        args: Sequence[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> LooperThread:
        """A thread as `LooperThread(...)` makes it, started."""
        looper = LooperThread(coord, timer_interval_secs, target, args, kwargs)
        looper.start()
        return looper

    def run(self) -> None:
        """The rounds: what the thread does."""
        with self._coord.stop_on_exception():
            self.start_loop()
            if self._interval is None:
                while not self._coord.should_stop():
                    self.run_loop()
            else:
                next_time = time.monotonic()
                while not self._coord.wait_for_stop(max(0.0, next_time - time.monotonic())):
                    next_time += self._interval
                    self.run_loop()
            self.stop_loop()

    def start_loop(self) -> None:
        """Called once before the first round."""

    def stop_loop(self) -> None:
        """Called once after the last round."""

    def run_loop(self) -> None:
        """One round."""
        if self._call is not None:
            self._call(*self._call_args, **self._call_kwargs)
