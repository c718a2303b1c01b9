"""What outlives a step: the values of variables, random streams, tables and iterators."""

from __future__ import annotations

import copy
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import CancelledError, InvalidArgumentError
from workbench.core.graph.dtypes import DType
from workbench.core.graph.shapes import Entries
from workbench.core.kernels.alignment import aligned_copy
from workbench.core.runtime.element_turns import ElementTurns

#: Operations that hold their variable while they work whatever they are told: threads count with
#: them, and an update that another thread's undoes is never what was wanted. Optimizers' steps
#: hold it only where `use_locking` asks for it: many train one model side by side without.
_ALWAYS_LOCKING = re.compile(r"CountUpTo|Assign(Add|Sub)(VariableOp)?|(Resource)?Scatter(Nd)?\w+")


#: There are fewer numbers than that to draw for.
_NUMBERS = 1 << 40


def locks_variable(type_name: str, attrs: Mapping[str, Any]) -> bool:
    """Whether an operation must not mix with those of other threads on its variable.

    >>> locks_variable("Assign", {"use_locking": True}), locks_variable("CountUpTo", {})
    (True, True)
    """
    return bool(attrs.get("use_locking")) or _ALWAYS_LOCKING.fullmatch(type_name) is not None


def container_of(operation: Any) -> str:
    """The container that an operation puts its variable into; "" for none."""
    name = operation.attrs.get("container") or ""
    return name.decode() if isinstance(name, bytes) else str(name)


class VariableState:
    """The value of one variable in one session.

    `value` is None until it is initialised. Scalars are kept as NumPy scalars, which are much
    faster to compute with than zero-dimensional arrays; arrays may be updated in place by the
    program that runs, so whoever keeps a value for longer takes a copy.
    """

    __slots__ = ("container", "dtype", "entries", "lock", "name", "value")

    def __init__(self, name: str, dtype: DType, entries: Entries, container: str = "") -> None:
        self.name = name
        self.container = container
        self.dtype = dtype
        #: The static shape, None entries where any size is allowed.
        self.entries = entries
        self.value: Any = None
        #: Held by updates that must not mix with those of other threads.
        self.lock = threading.Lock()

    def retype(self, dtype: DType, entries: Entries) -> None:
        """Becomes a variable of another dtype, as long as it has no value."""
        if self.value is not None:
            raise InvalidArgumentError(
                None,
                None,
                f"Variable {self.name!r} is of dtype {dtype.name}, but what other graphs have put "
                f"under this name is of dtype {self.dtype.name}",
            )
        self.dtype, self.entries = dtype, entries

    def load(self, value: Any) -> None:
        """Takes a copy of `value`, of the variable's dtype."""
        array = np.array(value, dtype=self.dtype.as_numpy_dtype)
        self.value = array[()] if array.ndim == 0 else aligned_copy(array)


class SessionState:
    """Everything a session remembers between steps."""

    def __init__(self) -> None:
        self.variables: dict[str, VariableState] = {}
        #: Tables, iterators and the like by (container, name).
        self.resources: dict[tuple[str, str], Any] = {}
        #: How often each random operation has run: with its seeds, the state of its stream.
        self.random_steps: dict[str, int] = {}
        #: Where the streams of operations begin that have not run, and how far one run takes them.
        self._first_random_step, self._random_stride = 0, 1
        #: The seed of operations that have none: differs from session to session.
        self.entropy = int.from_bytes(os.urandom(8), "little") >> 1
        #: What resources that are not made yet are to hold, see `workbench.core.runtime.snapshot`.
        self._to_restore: dict[tuple[str, str], Any] = {}
        #: Which elements of iterators come, where others take some of them.
        self.turns = ElementTurns()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        #: Who sees it so, where several share it; "" for all.
        self._owner = ""

    def seen_by(self, owner: str) -> SessionState:
        """The same state as one of those who share it sees it: it has resources of its own.

        >>> state = SessionState()
        >>> one, other = state.seen_by("one"), state.seen_by("other")
        >>> one.key("", "", "queue", is_own=True) == other.key("", "", "queue", is_own=True)
        False
        >>> one.key("", "shared", "queue", is_own=True)
        ('', 'shared')
        """
        seen = copy.copy(self)
        seen._owner = owner
        return seen

    def key(
        self, container: str, shared_name: str, name: str, is_own: bool = False
    ) -> tuple[str, str]:
        """What the resource of an operation is found by.

        Without a shared name that is the operation's name, and with `is_own` also who owns it.
        """
        if shared_name or not (is_own and self._owner):
            return container, shared_name or name
        return container, f"{name}{self._mark}"

    @property
    def _mark(self) -> str:
        return f" of {self._owner}"

    def forget_own(self) -> None:
        """Closes what nobody else sees."""
        if not self._owner:
            return
        with self._lock:
            gone = [key for key in self.resources if key[1].endswith(self._mark)]
            resources = [self.resources.pop(key) for key in gone]
        _close_all(resources)

    def variable(
        self, name: str, dtype: DType, entries: Entries, container: str = ""
    ) -> VariableState:
        """The state of the variable called `name`, made on first use.

        InvalidArgumentError where it has a value of another dtype: other graphs, which share the
        state, may call another variable so.
        """
        found = self.variables.get(name)
        if found is None:
            with self._lock:
                found = self.variables.setdefault(
                    name, VariableState(name, dtype, entries, container)
                )
        if found.dtype != dtype:
            found.retype(dtype, entries)
        return found

    def resource(self, key: tuple[str, str], make: Callable[[], Any]) -> Any:
        """The resource under `key`, made by `make` on first use.

        Raises CancelledError where the session is closed: nobody would close what is made then.
        """
        with self._lock:
            if self._closed.is_set():
                raise CancelledError(None, None, "Session has been closed.")
            found = self.resources.get(key)
            if found is None:
                found = self.resources[key] = make()
                if key in self._to_restore:
                    found.restore(self._to_restore.pop(key))
            return found

    def restore_when_made(self, key: tuple[str, str], saved: Any) -> None:
        """Gives the resource under `key` a saved state as soon as it is made."""
        with self._lock:
            self._to_restore[key] = saved

    @property
    def waiting_resources(self) -> list[tuple[str, str]]:
        """The resources that have a state to come back to, but are not made yet."""
        return list(self._to_restore)

    def next_random_step(self, name: str) -> int:
        """How often the random operation `name` ran before, counting this time."""
        with self._lock:
            step = self.random_steps.get(name, self._first_random_step)
            self.random_steps[name] = step + self._random_stride
            return step

    def draw_for(self, number: int) -> None:
        """Has random operations, and iterators that are shared, give what belongs to a number.

        Each draws what it draws when it has run `number` times before in a session that is left
        alone; what it draws further is of no other number.

        >>> state = SessionState()
        >>> state.draw_for(7), state.next_random_step("dropout")
        (None, 7)
        """
        with self._lock:
            # In place: programs that run on hold the dictionary.
            self.random_steps.clear()
            self._first_random_step, self._random_stride = number, _NUMBERS
            self.turns.begin(number)

    def forget(self, containers: Sequence[str]) -> None:
        """Closes the resources of some containers; the next use makes them anew.

        The variables of these containers have no value then. What was put into none is in "".
        """
        with self._lock:
            for variable in self.variables.values():
                if variable.container in containers:
                    # Programs know the variable by this object.
                    variable.value = None
            gone = [key for key in self.resources if key[0] in containers]
            resources = [self.resources.pop(key) for key in gone]
        _close_all(resources)

    def close(self) -> None:
        """Closes the resources that can be closed and forgets all values."""
        with self._lock:
            self._closed.set()
            resources = list(self.resources.values())
            self.resources.clear()
            self.variables.clear()
            self._to_restore.clear()
        _close_all(resources)


def _close_all(resources: Iterable[Any]) -> None:
    """Closes the resources that can be closed, all of them; raises the first error after that."""
    failure: Exception | None = None
    for resource in resources:
        close = getattr(resource, "close", None)
        if callable(close):
            try:
                close()
            except Exception as error:
                failure = failure or error
    if failure is not None:
        raise failure
