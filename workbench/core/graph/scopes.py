"""The scopes of a graph: what is said of all operations that are made inside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from workbench.core.graph.control import ControlDependencies, control_operation
from workbench.core.graph.device import merge_device
from workbench.core.graph.names import NameRegistry, check_operation_name, check_scope_name
from workbench.core.graph.operation import Operation

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph


class OpenScopes(threading.local):
    """The scopes that are open in one thread."""

    def __init__(self) -> None:
        self.name = ""
        self.control: list[ControlDependencies] = []
        self.devices: list[Callable[[Any], Any]] = []
        self.colocations: list[Operation] = []
        self.containers: list[str] = []
        self.attrs: dict[str, Any] = {}
        self.gradient_overrides: dict[str, str] = {}
        self.original_op: Operation | None = None


class Scopes:
    """The scopes of a graph, as graphs have them; each thread has its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes = OpenScopes()
        self._names = NameRegistry()

    # -- names -------------------------------------------------------------------------------

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` in the current name scope, with a number appended where it is taken."""
        scope = self.scopes.name
        if not scope:
            check_operation_name(name)
        return self._names.unique(f"{scope}/{name}" if scope else name, mark_as_used)

    def full_name(self, name: str | bytes) -> str:
        """A name for an operation: a unique one, or the very one given with a slash at its end."""
        if isinstance(name, bytes):
            name = name.decode()
        return name[:-1] if name.endswith("/") else self.unique_name(name)

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """A scope that prefixes the names of what is made inside; yields "scope/"."""
        outer = self.open_name_scope(name)
        try:
            yield self.scopes.name + "/" if self.scopes.name else ""
        finally:
            self.scopes.name = outer

    def open_name_scope(self, name: str | None) -> str:
        """Enters a name scope, and returns the outer one, for who opens it to go back to."""
        scopes = self.scopes
        outer = scopes.name
        if not name:
            scopes.name = ""
        elif name.endswith("/"):
            scopes.name = name[:-1]
        else:
            check_scope_name(name, nested=bool(outer))
            scopes.name = self.unique_name(name)
        return outer

    def get_name_scope(self) -> str:
        """The current name scope, without a slash at the end."""
        return self.scopes.name

    @property
    def _name_stack(self) -> str:
        return self.scopes.name

    # -- scopes ------------------------------------------------------------------------------

    def control_dependencies(self, control_inputs: Any) -> ControlDependencies:
        """A scope whose operations wait for `control_inputs`; None clears the outer scopes."""
        if control_inputs is None:
            return ControlDependencies(self._graph, None)
        ops: list[Operation] = []
        for value in control_inputs:
            op = control_operation(self._graph, value)
            if op not in ops:
                ops.append(op)
        return ControlDependencies(self._graph, ops)

    @contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """A scope that pins operations to a device: a name, a DeviceSpec, a function or None.

        Nested names merge field by field, the inner one first; None ignores the outer scopes.
        """
        scopes = self.scopes
        outer = scopes.devices
        if device_name_or_function is None:
            scopes.devices = []
        elif callable(device_name_or_function):
            scopes.devices = [*outer, device_name_or_function]
        else:
            scopes.devices = [*outer, merge_device(device_name_or_function)]
        try:
            yield
        finally:
            scopes.devices = outer

    def _apply_device_functions(self, op: Operation) -> None:
        for function in reversed(self.scopes.devices):
            op._set_device(function(op))

    @contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """A scope whose operations go where `op` goes; with None they go where they like.

        Devices of the scopes around it count no more in it.
        """
        scopes = self.scopes
        outer, devices = scopes.colocations, scopes.devices
        scopes.devices = []
        if op is None:
            scopes.colocations = []
        else:
            other = control_operation(self._graph, op)
            scopes.colocations = [other] if ignore_existing else [*outer, other]
        try:
            yield
        finally:
            scopes.colocations, scopes.devices = outer, devices

    @contextmanager
    def container(self, container_name: str) -> Iterator[str]:
        """A scope that puts variables and tables into a named container."""
        containers = self.scopes.containers
        containers.append(container_name)
        try:
            yield container_name
        finally:
            containers.pop()

    @contextmanager
    def gradient_override_map(self, op_type_map: dict[str, str]) -> Iterator[None]:
        """A scope in which operation types take the gradient registered under another name."""
        if not isinstance(op_type_map, dict) or not all(
            isinstance(k, str) and isinstance(v, str) for k, v in op_type_map.items()
        ):
            raise TypeError(f"op_type_map must map strings to strings, got {op_type_map!r}")
        scopes = self.scopes
        outer = scopes.gradient_overrides
        scopes.gradient_overrides = {**outer, **op_type_map}
        try:
            yield
        finally:
            scopes.gradient_overrides = outer

    @contextmanager
    def _attr_scope(self, attr_map: dict[str, Any]) -> Iterator[None]:
        from workbench.core.graph.attributes import from_attr_value

        scopes = self.scopes
        outer = scopes.attrs
        merged = dict(outer)
        for key, value in attr_map.items():
            if value is None:
                merged.pop(key, None)
            else:
                merged[key] = from_attr_value(value) if hasattr(value, "WhichOneof") else value
        scopes.attrs = merged
        try:
            yield
        finally:
            scopes.attrs = outer

    @contextmanager
    def _original_op(self, op: Operation) -> Iterator[None]:
        scopes = self.scopes
        outer = scopes.original_op
        scopes.original_op = op
        try:
            yield
        finally:
            scopes.original_op = outer

    @property
    def _graph(self) -> Graph:
        return cast("Graph", self)
