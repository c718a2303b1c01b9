"""What a translation says of a node: the space it is computed over, its inputs and its results."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from workbench.core.codegen.target import ITEM_BYTES
from workbench.core.codegen.translation.builder import Builder
from workbench.core.codegen.translation.term import Term
from workbench.core.codegen.unsupported import Unsupported as Unsupported
from workbench.core.graph.shapes import Entries
from workbench.core.plan.node import Node, Value

Shape = tuple[int, ...]
#: Writes a formula: takes the terms of the inputs, gives those of the results.
Write = Callable[..., Term | tuple[Term, ...]]

FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})
SIGNED = frozenset({"int8", "int16", "int32", "int64"})
INTEGERS = SIGNED | {"uint8", "uint16", "uint32", "uint64"}
NUMBERS = FLOATS | INTEGERS
ANY = NUMBERS | {"bool"}


class Access(NamedTuple):
    """An input of a node, and the shape in which it broadcasts to the space.

    It has the elements of the input: axes of size 1 may be more or fewer.
    """

    input: int
    shape: Shape


@dataclass(frozen=True)
class Expression:
    """A node that computes each place of a space by a formula.

    `kind` is "elementwise"; "row" where the formula holds reductions over the last axis of the
    space (of at least two) or the place in it; or "update" where it gives variables new values.
    """

    kind: Literal["elementwise", "row", "update"]
    space: Shape
    #: Inputs that are read place by place; the others are known to the translation.
    inputs: tuple[Access, ...]
    #: The shape of each result as it lies in the space: 1 where it is the same for a whole row.
    #: The outputs of the node are the first results; they have the same elements in their shapes.
    results: tuple[Shape, ...]
    write: Write
    #: The inputs that are variables: the first results are their new values.
    variables: tuple[int, ...] = ()

    def translate(self, builder: Builder, arguments: Sequence[int]) -> list[int]:
        """Writes the formula; takes the steps of the inputs, gives those of the results."""
        if not arguments:
            written = self.write(builder)
        else:
            written = self.write(*(Term(builder, a) for a in arguments))
        terms = written if isinstance(written, tuple) else (written,)
        return [term.step for term in terms]


@dataclass(frozen=True)
class Reduction:
    """A node that reduces its input over axes.

    Each element goes through `before`, `function` ("sum", "max", "min", "prod", "all" or "any")
    combines them, and the result goes through `after`, which may ask for how many were combined, in
    a dtype.
    """

    function: str
    #: The shape of the input.
    shape: Shape
    axes: tuple[int, ...]
    keep_dims: bool
    before: Callable[[Term], Term]
    after: Callable[[Term, Callable[[str], Term]], Term]
    #: Which input is reduced.
    input: int = 0

    @property
    def count(self) -> int:
        """How many elements each result combines."""
        return math.prod(self.shape[a] for a in self.axes)

    @property
    def reduced(self) -> Shape:
        """The shape of the result as it lies in the input's: 1 along the axes."""
        return tuple(1 if a in self.axes else s for a, s in enumerate(self.shape))

    @property
    def consecutive(self) -> tuple[int, int, int] | None:
        """(before, reduced, after): the input as a box reduced along its middle; None where the
        axes do not stand side by side."""
        if not self.axes or self.axes[-1] - self.axes[0] + 1 != len(self.axes):
            return None
        first, last = self.axes[0], self.axes[-1] + 1
        return math.prod(self.shape[:first]), self.count, math.prod(self.shape[last:])

    def translate(self, builder: Builder, argument: int, over: Literal["row", "column"]) -> int:
        """Writes the reduction as a step over the innermost dimension, or over the rows."""
        element = self.before(Term(builder, argument))
        total = element.apply(f"{over}_{self.function}")
        return self.finish(builder, total.step, is_literal=over == "row")

    def finish(self, builder: Builder, total: int, is_literal: bool = False) -> int:
        """What comes after the elements are combined.

        The number of elements is part of the code where `is_literal`, else a parameter.
        """
        make = builder.constant if is_literal else builder.parameter

        def count(dtype: str) -> Term:
            return Term(builder, make(self.count, dtype))

        return self.after(Term(builder, total), count).step

    def rows(self) -> Expression:
        """The same as an expression over rows; Unsupported unless it is the last axis."""
        if self.axes != (len(self.shape) - 1,):
            raise Unsupported(f"it reduces the axes {list(self.axes)} of {len(self.shape)}")

        def write(element: Term) -> Term:
            return Term(element.builder, self.translate(element.builder, element.step, "row"))

        inputs, space = (Access(self.input, self.shape),), row_space(self.shape)
        return Expression("row", space, inputs, ((*space[:-1], 1),), write)


Description = Expression | Reduction


def static_shape(entries: Entries) -> Shape:
    """A shape all of whose sizes are known; Unsupported for others."""
    if entries is None or not all(isinstance(e, int) for e in entries):
        raise Unsupported("its shapes are not known before it runs")
    return tuple(int(e) for e in entries if isinstance(e, int))


def output_shape(node: Node, index: int = 0) -> Shape:
    """The shape of an output; Unsupported where it is not known."""
    return static_shape(node.shapes[index])


def input_shape(node: Node, index: int) -> Shape:
    """The shape of an input; Unsupported where it is not known."""
    return static_shape(node.inputs[index].entries)


def row_space(shape: Shape) -> Shape:
    """The space of rows of a shape, which has at least two dimensions.

    >>> row_space((5,)), row_space((2, 3, 5))
    ((1, 5), (2, 3, 5))
    """
    return (1, *shape) if len(shape) == 1 else shape


def require(allowed: frozenset[str], *values: Value) -> None:
    """Unsupported unless the values are of one of these dtypes."""
    for value in values:
        name = value.dtype.base_dtype.name
        if name not in ITEM_BYTES:
            raise Unsupported(f"{name} is not compiled")
        if name not in allowed:
            raise Unsupported(f"it is not compiled for {name}")


def require_same_shape(node: Node, *indices: int) -> Shape:
    """The one shape that some inputs have; Unsupported where they differ."""
    shapes = {input_shape(node, i) for i in indices}
    if len(shapes) != 1:
        listed = ", ".join(str(list(s)) for s in sorted(shapes))
        raise Unsupported(f"its inputs have different shapes: {listed}")
    return shapes.pop()


def attribute(node: Node, name: str) -> Any:
    """An attribute, or what its declaration says where it is not given."""
    if name in node.attrs:
        return node.attrs[name]
    assert node.declaration is not None
    return node.declaration.schema.attributes[name].default


def constant_input(node: Node, index: int, what: str) -> Any:
    """The array of an input that must be a constant; Unsupported where it is computed."""
    source = node.inputs[index].node
    if not source.is_constant:
        raise Unsupported(f"{what} are computed while it runs")
    return source.constant
