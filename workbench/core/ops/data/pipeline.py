"""Running datasets: what a pipeline has while it runs.

A dataset yields tuples of arrays. Functions run as programs of their own, in a session of the
pipeline; threads belong to the pipeline, which ends them when it is closed.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.graph.function_graph import FunctionGraph
from workbench.core.graph.tensor import Tensor

if TYPE_CHECKING:
    from workbench.core.ops.data.threads import Prefetcher

Element = tuple[Any, ...]


class Steps(Iterator[Element]):
    """An iterator that calls a function for each element, until it raises StopIteration.

    Unlike a generator it goes on after an error: the next element may be sound.
    """

    def __init__(self, step: Callable[[], Element]) -> None:
        self._step = step

    def __next__(self) -> Element:
        return self._step()


def take(source: Iterator[Element], count: int) -> list[Element]:
    """The next `count` elements of an iterator, or those that are left.

    One that makes them in other threads is told how many are wanted, and hands them over at once.
    """
    several = getattr(source, "several", None)
    found: list[Element]
    found = list(itertools.islice(source, count)) if several is None else several(count)
    return found


class _Owned:
    """What is closed with a pipeline; what comes too late is closed at once."""

    def __init__(self) -> None:
        self._things: dict[Any, None] = {}
        self._lock = threading.Lock()
        self._closed = False

    def add(self, thing: Any) -> None:
        with self._lock:
            if not self._closed:
                self._things[thing] = None
                return
        thing.close()

    def remove(self, thing: Any) -> None:
        with self._lock:
            self._things.pop(thing, None)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        while self._things:
            # The last ones wait for those before.
            self._things.popitem()[0].close()


class Pipeline:
    """One pass over a dataset: the values of its inputs, its functions' sessions, its threads."""

    def __init__(self, inputs: Mapping[Any, Any], state: Any, entropy: int) -> None:
        self._inputs = inputs
        self._state = state
        self._entropy = entropy
        self._sessions: dict[FunctionGraph, Any] = {}
        self._owned = _Owned()
        self._lock = threading.Lock()
        self._streams = 0
        self._passes: dict[Any, int] = {}
        #: What caching datasets keep, by dataset.
        self.kept: dict[Any, list[Element]] = {}

    def with_inputs(self, inputs: Mapping[Any, Any]) -> Pipeline:
        """A part of this pipeline that sees further inputs; sessions and threads stay shared."""
        part = Pipeline({**self._inputs, **inputs}, self._state, self._entropy)
        part._sessions, part._owned = self._sessions, self._owned
        part._passes, part.kept = self._passes, self.kept
        return part

    def value(self, key: Any) -> Any:
        """The value of a tensor that the dataset was made with, or what a window holds."""
        return self._inputs[key]

    def function(
        self, graph: FunctionGraph, results: Sequence[Tensor], callers: int = 1
    ) -> Callable[..., Element]:
        """The body of a traced function as a Python function on arrays.

        Where several threads call it, each call keeps to its own processor.
        """
        from workbench.core.protos import ConfigProto
        from workbench.core.runtime.base_session import BaseSession

        with self._lock:
            session = self._sessions.get(graph)
            if session is None:
                # Its random numbers come from this pipeline's entropy, so that a pass over the
                # data that is begun again gives the same elements.
                number = len(self._sessions)
                config = ConfigProto(intra_op_parallelism_threads=1) if callers > 1 else None
                session = self._sessions[graph] = BaseSession(graph=graph, config=config)
                session.state.entropy = _mixed(self._entropy, number)
                # What functions assign to are the variables of the session that they are read in.
                session.state.variables = self._state.variables
        call = session.make_callable(list(results), [*graph.arguments, *graph.capture_placeholders])
        captured = [self._inputs[t] for t in graph.captured]

        def run(*components: Any) -> Element:
            return tuple(call(*components, *captured))

        return run

    def generator(self, seed: int | None, seed2: int | None) -> np.random.Generator:
        """Random numbers for one step of the pipeline, by its seeds or the pipeline's entropy."""
        with self._lock:
            self._streams += 1
            stream = self._streams
        if seed is None and seed2 is None:
            return np.random.Generator(np.random.Philox(key=[self._entropy, stream]))
        keys = [(seed or 0) % 2**64, (seed2 or 0) % 2**64]
        return np.random.Generator(np.random.Philox(key=keys))

    def pass_number(self, dataset: Any) -> int:
        """How often a dataset was begun before."""
        number = self._passes.get(dataset, 0)
        self._passes[dataset] = number + 1
        return number

    def prefetch(self, elements: Iterable[Element], size: int) -> Prefetcher:
        """The elements, up to `size` of them made ahead in a thread."""
        from workbench.core.ops.data.threads import Prefetcher

        prefetcher = Prefetcher(elements, size, self.disown)
        self.own(prefetcher)
        return prefetcher

    def own(self, thing: Any) -> None:
        """Closes `thing` when the pipeline is closed."""
        self._owned.add(thing)

    def disown(self, thing: Any) -> None:
        """Forgets `thing`, which is closed."""
        self._owned.remove(thing)

    def close(self) -> None:
        """Ends the threads and closes the sessions."""
        self._owned.close()
        for session in self._sessions.values():
            session.state.variables = {}
            session.close()
        self._sessions.clear()


def _mixed(entropy: int, number: int) -> int:
    """Another entropy for each number, by multiplying with an odd constant (Knuth's hash)."""
    return (entropy + (number + 1) * 0x9E3779B97F4A7C15) % 2**63
