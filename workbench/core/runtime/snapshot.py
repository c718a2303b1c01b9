"""Copies of all that a session remembers, and how they are put back.

A snapshot holds the values of variables, the positions of random streams, the session's entropy and
what its resources hold. Running on from a restored snapshot gives the numbers that running on from
the original gave, bit for bit.

A resource takes part by two methods: `saved()` gives its state as a dictionary of arrays, numbers,
strings, bytes, lists and tuples, which later changes leave alone, and `restore(saved)` puts such a
state back, in a new object too. What cannot change (a number, a string) is its own state.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from workbench.core.errors import FailedPreconditionError
from workbench.core.graph.dtypes import DType
from workbench.core.graph.shapes import Entries
from workbench.core.kernels.alignment import aligned_copy
from workbench.core.runtime.state import SessionState

#: Resources of these types never change, so they are their own state.
UNCHANGING = (int, float, complex, str, bytes, type(None), np.generic)


class SavedVariable(NamedTuple):
    """A variable's dtype and static shape, and a copy of its value (None without one)."""

    dtype: DType
    entries: Entries
    value: Any


class StateSnapshot(NamedTuple):
    """All that a session remembered at one moment. Nothing ever writes to it."""

    variables: dict[str, SavedVariable]
    random_steps: dict[str, int]
    entropy: int
    resources: dict[tuple[str, str], Any]

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        held = sum(getattr(v.value, "nbytes", 0) for v in self.variables.values())
        return held + sum(_size(r) for r in self.resources.values())


def check_restorable(state: SessionState) -> None:
    """Raises FailedPreconditionError where a resource cannot be saved, with its name."""
    for (container, name), resource in list(state.resources.items()):
        if isinstance(resource, UNCHANGING):
            continue
        if not (hasattr(resource, "saved") and hasattr(resource, "restore")):
            place = f"{container}/{name}" if container else name
            raise FailedPreconditionError(
                None,
                None,
                f"The state of {place!r}, a {type(resource).__name__}, cannot be saved and put "
                "back, so this session has no way back to an earlier step",
            )


def take_snapshot(state: SessionState) -> StateSnapshot:
    """A copy of what the session remembers; no step may run meanwhile.

    Raises:
      FailedPreconditionError: a resource cannot be saved.
    """
    check_restorable(state)
    variables = {
        name: SavedVariable(v.dtype, v.entries, aligned_copy(v.value))
        for name, v in list(state.variables.items())
    }
    resources: dict[tuple[str, str], Any] = {}
    known: set[int] = set()
    for key, resource in list(state.resources.items()):
        if isinstance(resource, UNCHANGING):
            resources[key] = resource
        elif id(resource) not in known:
            # Under a second name it is the same thing.
            known.add(id(resource))
            resources[key] = resource.saved()
    return StateSnapshot(variables, dict(state.random_steps), state.entropy, resources)


def restore_snapshot(state: SessionState, snapshot: StateSnapshot) -> None:
    """Makes the session, or another one of the same graph, remember what it did then.

    Resources that do not exist yet are restored when their operation makes them.

    Raises:
      FailedPreconditionError: a resource of now cannot be put back; nothing has changed then.
    """
    check_restorable(state)
    for name, variable in state.variables.items():
        if name not in snapshot.variables:
            variable.value = None
    for name, saved in snapshot.variables.items():
        held = state.variable(name, saved.dtype, saved.entries)
        held.value = aligned_copy(saved.value)
    state.random_steps.clear()
    state.random_steps.update(snapshot.random_steps)
    state.entropy = snapshot.entropy
    _restore_resources(state, snapshot.resources)


def _restore_resources(state: SessionState, saved: dict[tuple[str, str], Any]) -> None:
    kept: set[int] = set()
    for key, content in saved.items():
        current = state.resources.get(key)
        if isinstance(content, UNCHANGING):
            state.resources[key] = content
        elif current is None:
            state.restore_when_made(key, content)
        else:
            kept.add(id(current))
            current.restore(content)
    for key, current in list(state.resources.items()):
        if key in saved or id(current) in kept:
            continue
        del state.resources[key]
        close = getattr(current, "close", None)
        if callable(close):
            close()


def _size(saved: Any) -> int:
    if isinstance(saved, np.ndarray):
        # A string costs its object as well as its place in the array.
        return saved.nbytes * (6 if saved.dtype.hasobject else 1)
    if isinstance(saved, dict):
        return sum(_size(v) for v in saved.values())
    if isinstance(saved, (list, tuple)):
        return sum(_size(v) for v in saved)
    return 64
