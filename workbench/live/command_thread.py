"""A thread that works and, between two pieces of work, obeys commands from a queue."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque

from workbench.core.sync.registry import idle
from workbench.core.sync.scope import Scope, deadline
from workbench.live import commands as c
from workbench.live.acknowledgement import Acknowledgement
from workbench.live.commands import Command
from workbench.live.errors import RunEndedError

#: How long a piece of work may go on waiting, for a queue say, when it is to stop, in seconds.
_STOP_SECONDS = 1.0


class CommandThread(ABC):
    """The thread and its queue; it ends where nothing is left to do, and begins again with work.

    Args:
      name: the thread's name.
    """

    def __init__(self, name: str) -> None:
        self._thread_name = name
        self._queue: deque[tuple[Command, Acknowledgement]] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        #: What ends the waits of the work that is going on, if any is.
        self._scope: Scope | None = None

    # -- what there is to do, in the thread --------------------------------------------------

    @abstractmethod
    def prepare(self) -> None:
        """Done before everything else, whenever the thread begins."""

    @property
    @abstractmethod
    def has_work(self) -> bool:
        """True while there is something to do."""

    @property
    @abstractmethod
    def has_ended(self) -> bool:
        """True where only a command brings new work, and the thread need not wait for it."""

    @abstractmethod
    def work(self) -> None:
        """Works until there is nothing to do, or a command in the queue."""

    @abstractmethod
    def tend(self) -> None:
        """Called now and then while it waits for a command."""

    @abstractmethod
    def obey(self, command: Command, acknowledgement: Acknowledgement) -> None:
        """Does what a command says, and says so."""

    # -- from any thread ---------------------------------------------------------------------

    def start(self) -> None:
        """Begins."""
        with self._wake:
            self._ensure_thread()

    def submit(self, command: Command) -> Acknowledgement:
        """Puts a command into the queue."""
        acknowledgement = Acknowledgement(command)
        with self._wake:
            if self._is_closed:
                acknowledgement.fail(RunEndedError("The run is closed"))
                return acknowledgement
            self._queue.append((command, acknowledgement))
            if isinstance(command, (c.Stop, c.Interrupt)) and self._scope is not None:
                self._scope.limit(_STOP_SECONDS)
            self._ensure_thread()
            self._wake.notify_all()
        return acknowledgement

    @property
    def is_own_thread(self) -> bool:
        """True in the thread itself, which must not wait for itself."""
        return threading.current_thread() is self._thread

    def close(self, patience: float) -> bool:
        """Takes no more commands, and waits for the thread to end: whether it did."""
        with self._wake:
            self._is_closed = True
            thread = self._thread
            self._wake.notify_all()
        if thread is not None and thread is not threading.current_thread():
            thread.join(patience)
            return not thread.is_alive()
        return True

    def _ensure_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._main, name=self._thread_name, daemon=True)
            self._thread.start()

    # -- the thread --------------------------------------------------------------------------

    def _main(self) -> None:
        self.prepare()
        while True:
            if self._queue:
                self.obey(*self._queue.popleft())
            elif self.has_work:
                self._work()
            elif not self._rest():
                return

    def _work(self) -> None:
        """Works in a scope that ends the waits."""
        with deadline(None) as self._scope:
            # A command that came before did not see the scope.
            if not self._queue:
                self.work()
        self._scope = None

    def _rest(self) -> bool:
        """Waits for a command; False where none can come any more."""
        while True:
            with self._wake:
                if not self._queue:
                    if self.has_ended or self._is_closed:
                        self._thread = None
                        return False
                    with idle():
                        self._wake.wait(1.0)
                if self._queue:
                    return True
            self.tend()

    @property
    def was_told_to_stop(self) -> bool:
        """True in work whose waits are ended, because a command to stop is in the queue."""
        return self._scope is not None and self._scope.deadline is not None
