"""Effects in branches that give nothing out: who waits for them is alive on the other side, too.

Gradients of loops push values on stacks within branches; a ControlTrigger, which is never dead,
keeps the pushes in the loop. Such an effect gets a Merge of its own, and is then a part of a
conditional like any other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.raising.section import (
    NotRaisableError,
    Section,
    controls_of,
    data_of,
)

#: Under which predicates a tensor is alive: for each the output of the Switch, 0 or 1.
State = frozenset[tuple[str, int]]

TRIGGER = "ControlTrigger"


def join_effects(section: Section, states: dict[str, State]) -> bool:
    """Has triggers wait for a Merge in the place of what may be dead; tells whether any did."""
    changed = False
    for node in list(section.nodes.values()):
        if node.op != TRIGGER:
            continue
        controls = controls_of(node)
        waits = [_joined(section, c, states.get(c, frozenset())) for c in controls]
        if waits != controls:
            inputs = data_of(node)
            del node.input[:]
            node.input.extend([*inputs, *(f"^{w}" for w in waits)])
            changed = True
    return changed


def _joined(section: Section, name: str, state: State) -> str:
    """A Merge that has a value once a node has run, or is known not to run."""
    if not state:
        return name
    if len(state) > 1:
        raise NotRaisableError(f"{name!r} has an effect in a branch of a branch")
    ((predicate, side),) = state
    boolean = as_dtype("bool")
    switch = section.add(
        "Switch", section.free(f"{name}/switch"), [predicate, predicate], T=boolean
    )
    other = f"{switch}:1" if side == 0 else switch
    pivot = section.add("Identity", section.free(f"{name}/other"), [other], T=boolean)
    marks: list[Any] = [
        section.add(
            "Const",
            section.free(f"{name}/mark"),
            [],
            [before],
            dtype=boolean,
            value=np.array(True),
        )
        for before in ((name, pivot) if side == 0 else (pivot, name))
    ]
    return section.add("Merge", section.free(f"{name}/done"), marks, T=boolean, N=2)
