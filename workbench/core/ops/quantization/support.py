"""What the operations on quantised tensors share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.ops import shape_rules
from workbench.core.ops.registry import input_names

#: The types of quantised tensors.
TYPES = "{qint8, quint8, qint32, qint16, quint16}"


def scalar_inputs(op: Any, numbers: Sequence[int]) -> None:
    """ValueError unless these inputs, the ends of ranges, are scalars."""
    names = input_names(op)
    for number in numbers:
        shape_rules.with_rank(op.inputs[number].entries, 0, names[number])


def with_range(
    entries_of: Callable[[Any], Any], ends: Sequence[int], outputs: int = 2
) -> shape_rules.Rule:
    """The rule of an operation whose result comes with the ends of its range.

    `entries_of(op)` is the shape of the result, `ends` are the inputs that must be scalars.
    """

    def rule(op: Any) -> list[Any]:
        scalar_inputs(op, ends)
        return [entries_of(op), *[()] * outputs]

    return rule


def first_entries(op: Any) -> Any:
    """The shape of the first input."""
    return op.inputs[0].entries
