"""What calls of `Session.run` mean, by the identities of what they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.cache import RunSignature
from workbench.core.runtime.feeds import flatten_feeds
from workbench.core.runtime.fetches import FetchPlan
from workbench.core.runtime.growth import Growth


class Signatures:
    """The signatures of the calls of one session.

    Args:
      graph: what the session runs.
      make: makes a signature of a plan of fetches and the fed tensors.
    """

    def __init__(
        self, graph: Graph, make: Callable[[FetchPlan, list[Tensor]], RunSignature]
    ) -> None:
        self._graph = graph
        self._make = make
        self._known: dict[Any, RunSignature] = {}
        self._growth = Growth()

    def find(self, fetches: Any, feed_dict: Any) -> RunSignature:
        """The signature of a call with these fetches and feeds, made on first use."""
        graph = self._graph
        fed = tuple(map(id, feed_dict)) if feed_dict else ()
        plain = type(fetches)
        if plain is list or plain is tuple:
            key: Any = (plain, tuple(map(id, fetches)), fed, graph._changes)
        else:
            key = (id(fetches), fed, graph._changes)
        found = self._known.get(key)
        if found is not None:
            return found
        if not graph._operations:
            raise RuntimeError(
                "The Session graph is empty. Add operations to the graph before calling run()."
            )
        self._growth.note(graph)
        pairs = flatten_feeds(graph, feed_dict) if feed_dict else []
        signature = self._make(FetchPlan(graph, fetches), [t for t, _ in pairs])
        if _has_lasting_identity(fetches) and all(isinstance(k, Tensor) for k in feed_dict or ()):
            # The ids in the key stay valid as long as the objects live: the signature holds them.
            signature.keep(fetches, feed_dict)
            self._known[key] = signature
        return signature

    def __len__(self) -> int:
        return len(self._known)

    def clear(self) -> None:
        """Forgets all of them."""
        self._known.clear()


def _has_lasting_identity(fetches: Any) -> bool:
    if isinstance(fetches, (list, tuple)) and type(fetches) in (list, tuple):
        return all(isinstance(f, (Tensor, Operation)) or _is_variable(f) for f in fetches)
    return isinstance(fetches, (Tensor, Operation)) or _is_variable(fetches)


def _is_variable(value: Any) -> bool:
    return hasattr(value, "_as_graph_element")
