"""Graphs of functions: bodies that take arguments and may use tensors from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from workbench.core.graph.dtypes import DType
from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, TensorShape
from workbench.core.graph.tensor import Tensor


class FunctionGraph(Graph):
    """The body of a function, traced by calling a Python function on placeholders.

    Tensors of the outer graph that the body uses become further arguments ("captures"): `captured`
    lists them in order, `capture_placeholders` what stands for them inside. Constants are copied,
    and so are variables that are assigned to: under their own names, by which a session knows them.
    """

    def __init__(self, outer: Graph) -> None:
        super().__init__()
        self.outer = outer
        self.arguments: list[Tensor] = []
        self.captured: list[Tensor] = []
        self.capture_placeholders: list[Tensor] = []
        self._inside: dict[Tensor, Tensor] = {}
        self.seed = outer.seed

    def argument(self, dtype: DType, entries: Entries, name: str) -> Tensor:
        """One more argument."""
        tensor = self._placeholder(dtype, entries, name)
        self.arguments.append(tensor)
        return tensor

    def _placeholder(self, dtype: DType, entries: Entries, name: str) -> Tensor:
        attrs: dict[str, Any] = {"dtype": dtype, "shape": TensorShape.of(entries)}
        full = self.unique_name(name)
        op = super().add_operation("Placeholder", full, (), (dtype,), attrs, compute_shapes=False)
        op.outputs[0].entries = entries
        return op.outputs[0]

    def add_operation(
        self,
        type_name: str,
        name: str,
        inputs: tuple[Tensor, ...],
        output_types: tuple[DType, ...],
        attrs: dict[str, Any],
        compute_shapes: bool = True,
    ) -> Operation:
        """As in any graph; inputs from outside are captured first."""
        if any(t.op.graph is not self for t in inputs):
            inputs = tuple(t if t.op.graph is self else self.capture(t) for t in inputs)
        return super().add_operation(type_name, name, inputs, output_types, attrs, compute_shapes)

    def capture(self, tensor: Tensor) -> Tensor:
        """What stands for a tensor of an outer graph inside this one."""
        inside = self._inside.get(tensor)
        if inside is not None:
            return inside
        owner = tensor.op.graph
        if owner is not self.outer and isinstance(self.outer, FunctionGraph):
            tensor_outside = self.outer.capture(tensor)
        elif owner is not self.outer:
            raise ValueError(f"{tensor} belongs to another graph than the function's")
        else:
            tensor_outside = tensor
        scope, self.scopes.name = self.scopes.name, ""
        control, self.scopes.control = self.scopes.control, []
        try:
            if tensor.op.type == "Const":
                inside = self._copy(tensor, self.unique_name(tensor.op.name))
            elif tensor.dtype._is_ref_dtype and not tensor.op.inputs:
                inside = self._copy(tensor, tensor.op.name)
            else:
                base = tensor.dtype.base_dtype
                inside = self._placeholder(base, tensor.entries, f"captured/{tensor.op.name}")
                self.captured.append(tensor_outside)
                self.capture_placeholders.append(inside)
        finally:
            self.scopes.name, self.scopes.control = scope, control
        self._inside[tensor] = inside
        return inside

    def _copy(self, tensor: Tensor, name: str) -> Tensor:
        """The output of an operation without inputs, made once more in here."""
        op, attrs = tensor.op, dict(tensor.op.attrs)
        return super().add_operation(op.type, name, (), (tensor.dtype,), attrs).outputs[0]

    @contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """As in any graph; beside an operation outside is wherever the function runs."""
        owner = getattr(getattr(op, "op", op), "graph", self)
        with super().colocate_with(op if owner is self else None, ignore_existing):
            yield


def trace(
    outer: Graph,
    function: Callable[..., Any],
    types: Sequence[DType],
    shapes: Sequence[Entries],
    pack: Callable[[list[Tensor]], tuple[Any, ...]],
) -> tuple[FunctionGraph, Any]:
    """The body of `function` called on placeholders of the given types and shapes.

    `pack` makes the function's arguments of the placeholders. Returns the body and what the
    function returned.
    """
    graph = FunctionGraph(outer)
    with graph.as_default():
        arguments = [
            graph.argument(dtype, entries, f"argument_{i}")
            for i, (dtype, entries) in enumerate(zip(types, shapes, strict=True))
        ]
        result = function(*pack(arguments))
    return graph, result
