"""Groups of element-wise steps that run together, block by block.

Steps that work on each element alone, on arrays of one shape, need not run one after the other: a
block of the elements goes through all of them before the next one does, and blocks go to several
threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.core.plan.memory import Step, static_shape
from workbench.core.plan.node import CONSTANT, FEED, HANDLE, READ

#: Smaller arrays (in elements) are not worth more than one call for each step.
_LARGE = 1 << 18
#: One step alone is worth sharing among threads from this size on.
_LARGE_ALONE = 1 << 19
#: Steps that only name a value: they may come before a group that they stand in.
_NAMING = frozenset({FEED, CONSTANT, HANDLE, READ})


def shape_of_group(step: Step) -> tuple[int, ...] | None:
    """The shape of a step that may be in a group, or None."""
    node = step.node
    declaration = node.declaration
    if declaration is None or not declaration.elementwise or len(node.dtypes) != 1 or node.after:
        return None
    if not declaration.takes_out or node.dtypes[0].as_numpy_dtype is object:
        return None
    shape = static_shape(node.output())
    if not shape or math.prod(shape) < _LARGE:
        return None
    for value in node.inputs:
        if static_shape(value) not in (shape, ()):
            return None
    return shape


def find_groups(steps: Sequence[Step]) -> dict[int, list[int]]:
    """For the first step of each group the numbers of its steps; naming steps in between count."""
    groups: dict[int, list[int]] = {}
    current: list[int] = []
    shape: tuple[int, ...] | None = None

    def close() -> None:
        while current and steps[current[-1]].node.type in _NAMING:
            current.pop()
        computing = [i for i in current if steps[i].node.type not in _NAMING]
        size = math.prod(shape or (0,))
        if len(computing) > 1 or (computing and size >= _LARGE_ALONE):
            groups[current[0]] = list(current)
        current.clear()

    for i, step in enumerate(steps):
        if step.node.type in _NAMING:
            if current:
                current.append(i)
            continue
        own = shape_of_group(step)
        if own is None or own != shape:
            close()
            shape = own
        if own is not None:
            current.append(i)
    close()
    return groups
