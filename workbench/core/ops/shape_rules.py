"""Shape rules that many declarations share.

A rule takes the operation (its `inputs`, `attrs` and `outputs` are there already) and returns the
shape of each output: a tuple of entries (int, None for unknown, a symbol's name) or None when the
rank is unknown. It raises ValueError in the user's terms where the inputs do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph.shapes import (
    Entries,
    Entry,
    broadcast_entries,
    format_entries,
    merge_shapes,
)

Rule = Callable[[Any], Sequence[Any]]


def scalar(op: Any) -> list[Entries]:
    """Every output is a scalar."""
    return [()] * len(op.outputs)


def unknown(op: Any) -> list[Entries]:
    """Nothing is known of the outputs."""
    return [None] * len(op.outputs)


def no_outputs(op: Any) -> list[Entries]:
    """There are no outputs."""
    return []


def same(index: int = 0) -> Rule:
    """Every output has the shape of one input."""
    return lambda op: [op.inputs[index].entries] * len(op.outputs)


first = same(0)


def from_attribute(name: str = "shape") -> Rule:
    """Every output has the shape an attribute gives."""
    return lambda op: [op.attrs[name].entries] * len(op.outputs)


def vector(op: Any) -> list[Entries]:
    """Every output is a vector of unknown length."""
    return [(None,)] * len(op.outputs)


def broadcast(op: Any) -> list[Entries]:
    """The output has the shape that all inputs broadcast to."""
    entries = op.inputs[0].entries
    for tensor in op.inputs[1:]:
        try:
            entries = broadcast_entries(entries, tensor.entries)
        except ValueError:
            raise ValueError(_clash(entries, tensor.entries)) from None
    return [entries] * len(op.outputs)


def _clash(a: Entries, b: Entries) -> str:
    shared = min(len(a or ()), len(b or ()))
    # The first axis that clashes is named.
    for x, y in zip((a or ())[-shared:], (b or ())[-shared:], strict=False):
        if isinstance(x, int) and isinstance(y, int) and x != y and 1 not in (x, y):
            return f"Dimensions must be equal, but are {x} and {y}"
    return f"Incompatible shapes {format_entries(a)} and {format_entries(b)}"


def merged(op: Any) -> list[Entries]:
    """All inputs have one shape, which the outputs have too."""
    entries = op.inputs[0].entries
    for tensor in op.inputs[1:]:
        entries = merge_shapes(entries, tensor.entries)
    return [entries] * len(op.outputs)


def with_rank(entries: Entries, rank: int, what: str) -> tuple[Entry, ...]:
    """The entries, known to have `rank`; ValueError naming `what` where they have another."""
    if entries is None:
        return (None,) * rank
    if len(entries) != rank:
        raise ValueError(f"Shape must be rank {rank} but is rank {len(entries)} for {what}")
    return entries


def at_least_rank(entries: Entries, rank: int, what: str) -> Entries:
    """The entries; ValueError naming `what` where their rank is below `rank`."""
    if entries is not None and len(entries) < rank:
        raise ValueError(
            f"Shape must be at least rank {rank} but is rank {len(entries)} for {what}"
        )
    return entries


def at_most_rank(entries: Entries, rank: int, what: str) -> Entries:
    """The entries; ValueError naming `what` where their rank is above `rank`."""
    if entries is not None and len(entries) > rank:
        raise ValueError(f"Shape must be at most rank {rank} but is rank {len(entries)} for {what}")
    return entries


def equal_sizes(a: Entry, b: Entry, what: str) -> Entry:
    """What is known of two sizes that must be equal; ValueError naming `what` on a clash."""
    if isinstance(a, int) and isinstance(b, int) and a != b:
        raise ValueError(f"Dimensions must be equal, but are {a} and {b} ({what})")
    if isinstance(a, int):
        return a
    return b if b is not None else a


def fixed_size(entry: Entry, size: int, what: str) -> int:
    """The size that an axis must have; ValueError naming `what` where it is known to have not."""
    if isinstance(entry, int) and entry != size:
        raise ValueError(f"Dimension must be {size} but is {entry}: {what}")
    return size


def normalise_axis(axis: int, rank: int, what: str = "axis") -> int:
    """A non-negative axis; ValueError where it is out of range."""
    if not -rank <= axis < rank:
        raise ValueError(
            f"{what} {axis} is out of range for rank {rank}: use {-rank} to {rank - 1}"
        )
    return axis + rank if axis < 0 else axis
