"""Shapes inside loops in raw form: what all turns have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries

#: Shapes that change from turn to turn in more ways than this are not followed any further.
_MOST_ROUNDS = 8


def common_entries(shapes: list[Entries]) -> Entries:
    """What all of several shapes have in common.

    >>> common_entries([(2, 3), (2, 4)]), common_entries([(2,), (2, 3)])
    ((2, None), None)
    """
    first = shapes[0]
    if any(s is None or first is None or len(s) != len(first) for s in shapes):
        return None
    known = [s for s in shapes if s is not None]
    return tuple(
        sizes[0] if all(s == sizes[0] for s in sizes) else None
        for sizes in zip(*known, strict=True)
    )


def widen_loops(
    operations: Collection[Operation],
    first: Mapping[Operation, Entries],
    set_known_shapes: Callable[[Operation], None],
) -> None:
    """Has the shapes in loops hold for all turns: they were told by the first one.

    `operations` are in an order in which each comes after its inputs. `first` has the Merge
    operations at the beginning of turns, with the shapes that all others were told by so far.
    `set_known_shapes` adds to what is inferred of an operation.
    """
    from workbench.core.ops.registry import infer_shapes

    told = dict(first)
    for round_number in range(_MOST_ROUNDS):
        is_last = round_number == _MOST_ROUNDS - 1
        shapes = {
            op: None if is_last else common_entries([t.entries for t in op.inputs]) for op in told
        }
        if shapes == told:
            return
        told = shapes
        for op in operations:
            if op in shapes:
                op.outputs[0].entries = shapes[op]
            else:
                infer_shapes(op)
            set_known_shapes(op)
