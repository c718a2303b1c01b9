"""What runs one operation of a dataflow program, from the values of its inputs to its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from workbench.core.graph.body_graph import VARIABLES, original_variable
from workbench.core.graph.dtypes import DType
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries
from workbench.core.ops import registry
from workbench.core.ops.declaration import Declaration
from workbench.core.ops.kernel_binding import bind_kernel
from workbench.core.runtime.state import VariableState, container_of, locks_variable
from workbench.core.runtime.step import KernelContext

#: From the values of the inputs to the tuple of the outputs.
Call = Callable[[tuple[Any, ...]], tuple[Any, ...]]


class Step(NamedTuple):
    """How to run one node."""

    call: Call
    #: May wait for others: it must not keep them from running.
    blocking: bool = False
    #: Gives a variable a new value: it runs once nothing else is ready, so that what reads the
    #: variable without an order gets the old one, as in other programs.
    updates: bool = False


class Reference:
    """A variable as the value of a tensor that stands for it."""

    __slots__ = ("_operation", "_session", "state")

    def __init__(self, session: Any, operation: Operation) -> None:
        self._session = session
        self._operation = operation
        self.state: VariableState = session.state.variable(
            operation.name, *variable_type(operation), container_of(operation)
        )

    def read(self) -> Any:
        """The variable's value; initialises it or raises where it has none."""
        if self.state.value is None:
            self._session.initialise_on_first_use(self._operation, self.state)
        return self.state.value


def read(value: Any) -> Any:
    """The value of a tensor that may stand for a variable."""
    return value.read() if isinstance(value, Reference) else value


def read_step(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Reads a variable."""
    return (read(values[0]),)


def variable_type(operation: Operation) -> tuple[DType, Entries]:
    """The type and the static shape of a variable's values."""
    if operation.type == "VarHandleOp":
        return operation.attrs["dtype"], operation.attrs["shape"].entries
    output = operation.outputs[0]
    return output.dtype.base_dtype, output.entries


def make_step(op: Operation, session: Any) -> Step:
    """The step of an operation that does not route values."""
    if op.type in VARIABLES:
        reference = Reference(session, original_variable(op))
        return Step(lambda values: (reference,))
    if op.type == "ReadVariableOp":
        return Step(read_step)
    if op.type == "RefIdentity":
        return Step(lambda values: values)
    if op.type == "RefSelect":
        return Step(_select)
    declaration = registry.lookup(op.type)
    if declaration is None:
        raise NotImplementedError(
            f"Operation {op.name!r} cannot run: there is no operation type {op.type!r} here"
        )
    kernel = bind_kernel(op.type, op.attrs, len(op.inputs))
    if kernel is None:
        raise NotImplementedError(f"Operation type {op.type!r} has no kernel")
    if declaration.takes_context:
        kernel = partial(kernel, context=KernelContext(op, session))
    count = len(op.outputs)
    places = handle_places(op, declaration)
    if not places:
        call = _plain_step(op, kernel, count)
        return Step(call, declaration.blocking)
    updated = declaration.updated_variables if declaration.stateful else 0
    variable = _VariableStep(op, declaration, kernel, places, updated)
    return Step(variable, declaration.blocking, updated > 0)


def handle_places(op: Operation, declaration: Declaration) -> frozenset[int]:
    """The inputs that an operation takes as what stands for something, not as a value."""
    found: set[int] = set()
    position = 0
    for argument, count in declaration.schema.split_inputs(op.attrs, len(op.inputs)):
        if argument.is_reference or (
            argument.dtype is not None and argument.dtype.name == "resource"
        ):
            found.update(range(position, position + count))
        position += count
    return frozenset(found)


def _select(values: tuple[Any, ...]) -> tuple[Any, ...]:
    from workbench.core.errors import InvalidArgumentError

    index = int(values[0])
    if not 0 <= index < len(values) - 1:
        raise InvalidArgumentError(
            None, None, f"RefSelect: index {index} is not in [0, {len(values) - 1})"
        )
    return (values[1 + index],)


def _plain_step(op: Operation, kernel: Callable[..., Any], count: int) -> Call:
    reads = any(t.dtype._is_ref_dtype for t in op.inputs)
    if count == 1:
        if reads:
            return lambda values: (kernel(*map(read, values)),)
        return lambda values: (kernel(*values),)

    def call(values: tuple[Any, ...]) -> tuple[Any, ...]:
        results = kernel(*map(read, values)) if reads else kernel(*values)
        return tuple(results) if count else ()

    return call


class _VariableStep:
    """A kernel that takes variables: it reads them, and may give them new values."""

    def __init__(
        self,
        op: Operation,
        declaration: Declaration,
        kernel: Callable[..., Any],
        places: frozenset[int],
        updated: int,
    ) -> None:
        self._kernel = partial(kernel, inplace=False) if declaration._takes("inplace") else kernel
        self._places = places
        self._updated = updated
        self._may_be_empty = declaration.allows_uninitialized
        self._locks = locks_variable(op.type, op.attrs)
        self._count = len(op.outputs)
        self._gives_variable = [t.dtype._is_ref_dtype for t in op.outputs]

    def __call__(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        variables = [
            v for i, v in enumerate(values) if i in self._places and isinstance(v, Reference)
        ]
        updated = variables[: self._updated]
        if updated and self._locks:
            with updated[0].state.lock:
                return self._run(values, updated)
        return self._run(values, updated)

    def _run(self, values: tuple[Any, ...], updated: Sequence[Reference]) -> tuple[Any, ...]:
        arrays = [self._array(v) if i in self._places else read(v) for i, v in enumerate(values)]
        results = self._kernel(*arrays)
        if not updated:
            if not self._count:
                return ()
            return (results,) if self._count == 1 else tuple(results)
        several = isinstance(results, tuple)
        given = list(results) if several else [results]
        for variable, value in zip(updated, given, strict=False):
            variable.state.value = value
        plain = iter(given[len(updated) :])
        return tuple([updated[0] if is_ref else next(plain) for is_ref in self._gives_variable])

    def _array(self, value: Any) -> Any:
        if not isinstance(value, Reference):
            return value
        return value.state.value if self._may_be_empty else value.read()
