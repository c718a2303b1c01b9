"""What a run feeds its steps with, whatever it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from workbench.core.graph.graph import Graph
from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.feeds import feed_array, flatten_feeds
from workbench.live.batches import Batches

#: The tensors fed to a step, and a value for each.
Feed = tuple[tuple[Tensor, ...], list[Any]]


class FeedSource(Protocol):
    """Gives each step its feed."""

    #: Why a step's feed cannot be had a second time; None where it can.
    unrepeatable: str | None

    def feed(self, step: int) -> Feed:
        """The feed of the step after `step` steps; StopIteration at the end of the data."""

    def look(self, step: int) -> Feed:
        """The same, and the step still gets it."""


class _Repeatable:
    """A source that can be asked again."""

    unrepeatable: str | None = None

    def feed(self, step: int) -> Feed:
        """The feed of the step after `step` steps."""
        raise NotImplementedError

    def look(self, step: int) -> Feed:
        """The same, and the step still gets it."""
        return self.feed(step)


class ConstantFeed(_Repeatable):
    """The same values for every step."""

    def __init__(self, graph: Graph, values: Mapping[Any, Any]) -> None:
        pairs = flatten_feeds(graph, values)
        self._feed: Feed = (tuple(t for t, _ in pairs), [feed_array(t, v) for t, v in pairs])

    def feed(self, step: int) -> Feed:
        """The values."""
        return self._feed


class BatchFeed(_Repeatable):
    """A batch for each step."""

    def __init__(self, graph: Graph, source: Batches) -> None:
        self.batches = source
        self.tensors = tuple(graph.as_graph_element(t, False) if isinstance(t, str) else t
                             for t in source.tensors)  # fmt: skip
        self._values = source.values

    def feed(self, step: int) -> Feed:
        """Batch `step`."""
        return self.tensors, self._values(step)


class FunctionFeed(_Repeatable):
    """What a user's function of the step gives; asked again, it is to give the same."""

    def __init__(self, graph: Graph, function: Callable[[int], Any]) -> None:
        self._graph = graph
        self._function = function

    def feed(self, step: int) -> Feed:
        """What the function gives for `step`."""
        return _flat(self._graph, self._function(step), "the function given as feed")


class IteratorFeed:
    """The elements of a user's iterator, each once."""

    def __init__(self, graph: Graph, source: Any) -> None:
        self._graph = graph
        self._source: Iterator[Any] = iter(source)
        #: What was looked at and not fed yet.
        self._kept: Feed | None = None
        self.unrepeatable: str | None = (
            f"its feed is a {type(source).__name__}, whose elements can be had only once: feed "
            "wb.batches(...), or a function of the step, to be able to go back"
        )

    def feed(self, step: int) -> Feed:
        """The next element."""
        kept, self._kept = self._kept, None
        if kept is not None:
            return kept
        return _flat(self._graph, next(self._source), "the iterator given as feed")

    def look(self, step: int) -> Feed:
        """The next element, which stays the next."""
        self._kept = self.feed(step)
        return self._kept


def feed_source(graph: Graph, feed: Any) -> FeedSource:
    """The source for what a user gave as `feed`.

    Raises:
      TypeError: it is nothing that feeds.
      ValueError: a tensor is of another graph.
    """
    if feed is None:
        return ConstantFeed(graph, {})
    if isinstance(feed, Batches):
        for tensor in feed.tensors:
            graph.as_graph_element(tensor, allow_operation=False)
        return BatchFeed(graph, feed)
    if isinstance(feed, Mapping):
        return ConstantFeed(graph, feed)
    if callable(feed):
        return FunctionFeed(graph, feed)
    if hasattr(feed, "__iter__"):
        return IteratorFeed(graph, feed)
    raise TypeError(
        "feed must be wb.batches(...), a dictionary, a function from the step to a dictionary, an "
        f"iterator of dictionaries or None, but got {feed!r} of type {type(feed).__name__}"
    )


def _flat(graph: Graph, given: Any, what: str) -> Feed:
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{what} must give a dictionary of values by tensor, but gave {given!r:.80} of type "
            f"{type(given).__name__}"
        )
    pairs = flatten_feeds(graph, given)
    return tuple(t for t, _ in pairs), [v for _, v in pairs]
