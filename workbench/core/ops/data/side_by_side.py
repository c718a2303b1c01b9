"""A function of elements, computed for several of them at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from workbench.core.ops.data.pipeline import Element, Pipeline
from workbench.core.ops.data.tasks import Tasks

#: How long the end of a thread is waited for, in seconds.
_END_SECONDS = 10.0


class SideBySide(Iterator[Element]):
    """The results come in the order of the elements.

    The reader takes elements from the source, as many as it wants and some ahead, and threads
    compute them. It is woken once for all that it wants, not for each.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        function: Callable[..., Element],
        source: Iterator[Element],
        workers: int,
    ) -> None:
        self._pipeline = pipeline
        self._function = function
        self._source = source
        self._workers = workers
        self._tasks = Tasks()
        lock = threading.Lock()
        self._to_do = threading.Condition(lock)
        self._done = threading.Condition(lock)
        self._threads: list[threading.Thread] = []
        self._closed = False

    def __next__(self) -> Element:
        results = self.several(1)
        if not results:
            raise StopIteration
        return results[0]

    def several(self, count: int) -> list[Element]:
        """The next `count` elements, or those that are left; an error of one of them is raised
        once for all before it."""
        if not self._begin():
            return []
        # A thread that is done has another element waiting while the first is waited for.
        self._fill(count + 2 * self._workers - 1)
        with self._done:
            if not self._tasks.want(count):
                self._done.wait_for(lambda: self._tasks.has_wanted or self._closed)
            results = [] if self._closed else self._tasks.take(count)
        if not results:
            self._pipeline.disown(self)
            self.close()
        return results

    def _begin(self) -> bool:
        """Starts the threads with the first element; False once they are ended."""
        with self._to_do:
            if self._threads or self._closed:
                return not self._closed
            self._threads = [
                threading.Thread(target=self._work, name=f"workbench-map_{number}", daemon=True)
                for number in range(self._workers)
            ]
            for thread in self._threads:
                thread.start()
        self._pipeline.own(self)
        return True

    def _fill(self, count: int) -> None:
        """Has up to `count` elements computed."""
        while len(self._tasks) < count:
            error = None
            element: Element = ()
            try:
                element = next(self._source)
            except StopIteration:
                return
            except Exception as raised:
                error = raised
            with self._to_do:
                if error is not None:
                    self._tasks.add_error(error)
                else:
                    self._tasks.add(element)
                    self._to_do.notify()

    def _work(self) -> None:
        """What each thread does."""
        while True:
            with self._to_do:
                task = self._tasks.begin()
                while task is None:
                    if self._closed:
                        return
                    self._to_do.wait()
                    task = self._tasks.begin()
            try:
                task.result = self._function(*task.element)
            except BaseException as error:
                task.error = error
            with self._done:
                if self._tasks.finish(task):
                    self._done.notify()

    def close(self) -> None:
        """Ends the threads; what they are at is waited for."""
        with self._done:
            self._closed = True
            self._tasks.drop()
            self._to_do.notify_all()
            self._done.notify_all()
            threads, self._threads = self._threads, []
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(timeout=_END_SECONDS)
