"""Attributes replaced for the time of a test."""

from __future__ import annotations

import inspect
from typing import Any

_MISSING = object()


class StubOutForTesting:
    """Replaces attributes and puts them back.

    >>> import math
    >>> with StubOutForTesting() as stubs:
    ...     stubs.Set(math, "pi", 3)
    ...     math.pi
    3
    >>> round(math.pi, 2)
    3.14
    """

    def __init__(self) -> None:
        #: What to put back: the owner, the attribute and what was there, in the order of changes.
        self._plain: list[tuple[Any, str, Any]] = []
        self._smart: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> StubOutForTesting:
        return self

    def __exit__(self, *details: object) -> None:
        self.CleanUp()

    def __del__(self) -> None:
        self.CleanUp()

    def CleanUp(self) -> None:
        """Puts everything back."""
        self.SmartUnsetAll()
        self.UnsetAll()

    def Set(self, parent: Any, child_name: str, new_child: Any) -> None:
        """Replaces the attribute of an object by a value, as it is."""
        old = getattr(parent, child_name)
        own = vars(parent).get(child_name) if hasattr(parent, "__dict__") else None
        if isinstance(own, staticmethod):
            # It goes back as the class had it, not as the function behind it.
            old = own
        self._plain.append((parent, child_name, old))
        setattr(parent, child_name, new_child)

    def UnsetAll(self) -> None:
        """Undoes every `Set`, the last one first."""
        while self._plain:
            parent, name, old = self._plain.pop()
            setattr(parent, name, old)

    def SmartSet(self, obj: Any, attr_name: str, new_attr: Any) -> None:
        """Replaces the attribute where it was defined: in a class, one of its bases, or a module.

        AttributeError where nobody defines it.
        """
        owner = _owner(obj, attr_name)
        old = vars(owner).get(attr_name, _MISSING)
        if old is _MISSING:
            old = getattr(owner, attr_name)
        self._smart.append((owner, attr_name, old))
        setattr(owner, attr_name, new_attr)

    def SmartUnsetAll(self) -> None:
        """Undoes every `SmartSet`, the last one first."""
        while self._smart:
            owner, name, old = self._smart.pop()
            setattr(owner, name, old)


def _owner(obj: Any, name: str) -> Any:
    """The object itself or the class that has the attribute in its own dictionary."""
    if inspect.ismodule(obj) or (hasattr(obj, "__dict__") and name in vars(obj)):
        if not hasattr(obj, name):
            raise AttributeError(f"{obj!r} has no attribute {name!r}")
        return obj
    bases = obj.__mro__ if inspect.isclass(obj) else type(obj).__mro__
    for base in bases:
        if name in vars(base):
            return base
    raise AttributeError(f"{obj!r} has no attribute {name!r}")
