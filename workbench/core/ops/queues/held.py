"""What resources with arrays in them share: being found by name, and being copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.sync.attempts import Machine
from workbench.core.sync.waiting import Shared

Made = TypeVar("Made", bound="Held")


class Held(Shared):
    """A machine that holds arrays: its state can be copied and put back."""

    machine: Any
    #: Whether each session has one of its own where it has no shared name.
    is_own = False

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        #: The operations that were found to mean this resource.
        self.agreed: set[str] = set()

    def describe(self) -> str:
        text: str = self.machine.describe()
        return text

    def saved(self) -> dict[str, Any]:
        """All that it holds."""
        saved: dict[str, Any] = self.ask(lambda: copied(self.machine.saved()))
        return saved

    def restore(self, saved: dict[str, Any]) -> None:
        """Holds what was saved; those that wait are served from it."""
        fresh = copied(saved)
        self.change(lambda: self.machine.restore(fresh))


def copied(value: Any) -> Any:
    """Nested structures with copies of the arrays in them: nobody writes into those."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return tuple(copied(each) for each in value)
    if isinstance(value, list):
        return [copied(each) for each in value]
    return value


def held_resource(
    context: Any, kind: type[Made], make: Callable[[], Made], container: str, shared_name: str
) -> Made:
    """The resource of an operation in its session, made on first use; one of another kind under
    its name is an error."""
    found = context.resource(make, container, shared_name, kind.is_own)
    if not isinstance(found, kind):
        raise invalid(
            f"There is a {type(found).__name__} under the name {shared_name or context.name!r}, "
            f"not a {kind.__name__}"
        )
    return found


def agreed_resource(
    context: Any, kind: type[Made], container: str, shared_name: str
) -> Made | None:
    """The resource of an operation, where an earlier step has found that it is what is meant."""
    state = context.state
    found = state.resources.get(state.key(container, shared_name, context.name, kind.is_own))
    if isinstance(found, kind) and context.name in found.agreed:
        return found
    return None


def handle_of(handle: Any, kind: type[Made]) -> Made:
    """The resource that a handle stands for."""
    found = handle.item() if isinstance(handle, np.ndarray) else handle
    if not isinstance(found, kind):
        raise invalid(f"The handle of a {kind.__name__} is wanted, but got {found!r}")
    return found


def own(value: Any) -> np.ndarray[Any, Any]:
    """An array that nobody else changes."""
    return as_array(value).copy()


def size_of(array: np.ndarray[Any, Any]) -> int:
    """How many bytes an array takes."""
    if array.dtype.hasobject:
        return array.nbytes + sum(len(each) for each in array.flat)
    return array.nbytes
