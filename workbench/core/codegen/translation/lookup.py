"""Asks the tables of translations about a node."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from workbench.core.codegen import functions
from workbench.core.codegen.array_layout import Layout, contiguous
from workbench.core.codegen.specs import Step
from workbench.core.codegen.translation.builder import Builder
from workbench.core.codegen.translation.decomposition import DECOMPOSITIONS
from workbench.core.codegen.translation.description import (
    ANY,
    Description,
    Expression,
    input_shape,
    require,
)
from workbench.core.codegen.translation.omission import OMITTED
from workbench.core.codegen.translation.part import PARTS, Parts
from workbench.core.codegen.translation.table import TRANSLATIONS
from workbench.core.codegen.translation.view import VIEWS, viewed_input
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.errors import InvalidArgumentError
from workbench.core.plan.node import Node, NodeTable, Value

Kind = Literal["expression", "reduction", "view", "parts", "decomposition"]

#: Steps that are no functions of `codegen.functions`: loops write them.
_OF_LOOPS = ("load", "constant", "column", "accumulator", "check", "row_", "column_")


def kind_of(node: Node) -> Kind | None:
    """What a node is to the compiled tier, or None: then `unsupported` says why."""
    try:
        return checked_kind(node)
    except Unsupported:
        return None


def unsupported(node: Node) -> str | None:
    """Why a node is not compiled, in the user's terms; None where it is."""
    try:
        checked_kind(node)
    except Unsupported as reason:
        return str(reason)
    return None


def checked_kind(node: Node) -> Kind:
    """What a node is to the compiled tier; Unsupported, with the reason, where it is nothing."""
    try:
        return _kind(node)
    except InvalidArgumentError as error:
        # The interpreter tells of it at the right place.
        raise Unsupported(f"it fails: {error.message}") from error


def describe(node: Node) -> Description:
    """The expression or reduction that a node is; Unsupported for others."""
    known = TRANSLATIONS.get(node.type)
    if known is None:
        raise Unsupported(OMITTED.get(node.type, f"there is no kernel for {node.type}"))
    return known(node)


def translate(node: Node, builder: Builder, arguments: Sequence[int]) -> list[int]:
    """Writes an expression, or a reduction over the last axis, as steps.

    `arguments` are the steps of the inputs that the description lists. Gives the steps of the
    results: the outputs of the node, or the new values of its variables.
    """
    described = describe(node)
    expression = described if isinstance(described, Expression) else described.rows()
    return expression.translate(builder, arguments)


def view(node: Node, index: int, layout: Layout) -> Layout | None:
    """How output `index` lies in the memory of the input that it is a view of.

    `layout` is that of input `viewed_input(node, index)`. None where the elements would have to
    move, as for a reshape of something transposed: then the input is copied first.
    """
    return VIEWS[node.type](node, index, layout)


def parts(node: Node) -> Parts:
    """The pieces that the result of a node is put together of."""
    return PARTS[node.type](node)


def decompose(node: Node, table: NodeTable) -> tuple[Value, ...]:
    """The outputs of a node as values of smaller nodes, which are made in a table."""
    return DECOMPOSITIONS[node.type].write(node, table)


def _kind(node: Node) -> Kind:
    if node.type in TRANSLATIONS:
        return _kind_of_description(node, describe(node))
    if node.type in VIEWS:
        try:
            _require_view(node)
            return "view"
        except Unsupported:
            if node.type not in PARTS:
                raise
    if node.type in PARTS:
        _require_parts(node)
        return "parts"
    if node.type in DECOMPOSITIONS:
        DECOMPOSITIONS[node.type].check(node)
        return "decomposition"
    raise Unsupported(OMITTED.get(node.type, f"there is no kernel for {node.type}"))


def _kind_of_description(node: Node, described: Description) -> Kind:
    """The kind, once all functions of its steps are known to have code."""
    builder = Builder()

    def load(index: int) -> int:
        return builder.load(index, node.inputs[index].dtype.base_dtype.name)

    if isinstance(described, Expression):
        described.translate(builder, [load(a.input) for a in described.inputs])
    else:
        described.translate(builder, load(described.input), "column")
    for step in builder.steps:
        _require_code(step, tuple(builder.steps[a].dtype for a in step.arguments))
    return "expression" if isinstance(described, Expression) else "reduction"


@lru_cache(maxsize=1024)
def _has_code(function: str, dtype: str, argument_dtypes: tuple[str, ...]) -> bool:
    if function.startswith(_OF_LOOPS):
        return True
    # Translations check divisors and exponents, where they are not known to be sound.
    return functions.supports(function, dtype, argument_dtypes, checked=True)


def _require_code(step: Step, argument_dtypes: tuple[str, ...]) -> None:
    if not _has_code(step.function, step.dtype, argument_dtypes):
        raise Unsupported(f"there is no vector code for {step.function} of {argument_dtypes[-1]}")


def _require_view(node: Node) -> None:
    for index in range(len(node.dtypes)):
        source = viewed_input(node, index)
        require(ANY, node.inputs[source], node.output(index))
        if view(node, index, contiguous(input_shape(node, source))) is None:
            raise Unsupported("its elements would have to move")


def _require_parts(node: Node) -> None:
    put = parts(node)
    require(ANY, *(node.inputs[part.input] for part in put.parts))
