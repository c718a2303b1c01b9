"""Static shapes of conditionals and loops from those of what they are given."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.body import CONDITIONALS, Body
from workbench.core.graph.loop_shapes import common_entries
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, merge_shapes
from workbench.core.plan.bodies import bodies_of, fed_arguments, handed_over
from workbench.core.plan.reach import needed_inside
from workbench.core.plan.specialise import specialised_shapes

#: A shape loses sizes until it is the same after a pass: at most so many passes are looked at.
_MOST_PASSES = 8


def shapes_through_bodies(op: Operation) -> list[Entries]:
    """The shapes of the outputs of a conditional or loop, by the shapes of its inputs.

    Where an operation of a body does not fit them they are those that always hold: the body may
    not run at all.
    """
    try:
        return _shapes(op)
    except InvalidArgumentError:
        return [s.entries for s in op.attrs["output_shapes"]] or [None] * len(op.outputs)


def _shapes(op: Operation) -> list[Entries]:
    given = [t.entries for t in handed_over(op)]
    if op.type in CONDITIONALS:
        sides = [_results(body, given) for body in bodies_of(op)]
        return [common_entries([a, b]) for a, b in zip(*sides, strict=True)]
    body: Body = op.attrs["body"]
    for _ in range(_MOST_PASSES):
        after = [common_entries([a, b]) for a, b in zip(given, _results(body, given), strict=True)]
        if after == given:
            return given
        given = after
    return [t.entries for t in body.arguments]


def _results(body: Body, given: Sequence[Entries]) -> list[Entries]:
    fed = set(fed_arguments(body))
    known = {
        t: merge_shapes(t.entries, entries)
        for t, entries in zip(body.arguments, given, strict=True)
        if t in fed and entries is not None
    }
    arguments = set(body.arguments)
    order = [o for o in needed_inside(body, body.results) if arguments.isdisjoint(o.outputs)]
    shapes = specialised_shapes(order, known)
    return [shapes.get(t, t.entries) for t in body.results]
