"""The collections of a graph: named lists of what was made."""

from __future__ import annotations

from typing import Any


class Collections:
    """The collections of a graph, as graphs have them."""

    def __init__(self) -> None:
        super().__init__()
        self._collections: dict[Any, list[Any]] = {}

    def check_not_finalized(self) -> None:
        """Raises RuntimeError where nothing may change any more."""
        raise NotImplementedError

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Adds `value` to the collection `name`."""
        self.check_not_finalized()
        self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Adds `value` to one collection or several, to each once."""
        for name in (names,) if isinstance(names, str) else dict.fromkeys(names):
            self.add_to_collection(name, value)

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """A copy of the collection `name`; with `scope`, the items whose names match it."""
        import re

        items = self._collections.get(name, [])
        if scope is None:
            return list(items)
        pattern = re.compile(scope)
        return [x for x in items if hasattr(x, "name") and pattern.match(x.name)]

    def get_collection_ref(self, name: Any) -> list[Any]:
        """The collection `name` itself, made when it does not exist."""
        return self._collections.setdefault(name, [])

    def get_all_collection_keys(self) -> list[Any]:
        """The names of the collections that hold something."""
        return [key for key in self._collections if isinstance(key, str)]

    @property
    def collections(self) -> list[Any]:
        """The names of the collections that hold something."""
        return self.get_all_collection_keys()

    def clear_collection(self, name: Any) -> None:
        """Empties the collection `name`."""
        self.check_not_finalized()
        self._collections.pop(name, None)
