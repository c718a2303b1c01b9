"""Iterators in the graph of a run: its replicas take their elements by turns, as they do batches.

Each replica has the whole dataset, and leaves out what others take. So it needs to know which
element the first of batch 0 is, and how an iterator was started where somebody started it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from workbench.core.ops.data.iterator_resource import iterators
from workbench.core.plan.reach import connected_operations
from workbench.live.engine import Engine

_MADE_BY = ("Iterator", "OneShotIterator")


def taken_by_steps(engine: Engine) -> dict[str, int]:
    """How many elements a step takes of each iterator, by the names of the iterators' operations.

    What is inside of loops and conditionals is not counted.
    """
    wanted = [*engine.targets, *(tensor.op for tensor in engine.tracked)]
    found: Counter[str] = Counter()
    for op in connected_operations((), wanted, ()):
        if op.type == "IteratorGetNext" and op.inputs[0].op.type in _MADE_BY:
            found[op.inputs[0].op.name] += 1
    return dict(found)


def share_elements(engine: Engine, batch: int) -> None:
    """Where a run begins to be several replicas': its next step takes this batch."""
    takes = taken_by_steps(engine)
    state = engine.session.state
    # Those of a state that was restored are made by then; one that is not gives its first element.
    given = {each.operation: each.position for each in iterators(state)}
    state.turns.share(takes, {name: given.get(name, 0) - batch * n for name, n in takes.items()})


def align(engine: Engine, batch: int) -> None:
    """Has the iterators of a replica be where the batch begins that comes next for all of them."""
    for each in iterators(engine.session.state):
        each.align(batch)


def told(session: Any) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """What a replica that joins needs to know of the iterators: fields, and arrays by name."""
    turns = session.state.turns
    starts: list[Any] = []
    arrays: list[tuple[str, Any]] = []
    for each in iterators(session.state):
        saved = each.saved()
        values = saved.get("values", [])
        if not saved or not all(_is_plain(value) for value in values):
            # Whoever joins starts it by itself.
            continue
        names = []
        for value in values:
            names.append(None if value is None else f"iterator/{len(arrays)}")
            if value is not None:
                arrays.append((f"iterator/{len(arrays)}", np.asarray(value)))
        starts.append([*each.key, {**saved, "values": names, "asked": 0}])
    return {"first": dict(turns.first), "starts": starts}, arrays


def take_over(engine: Engine, known: Mapping[str, Any], arrays: Iterable[tuple[str, Any]]) -> None:
    """Has a replica that joins take the elements that are its own, of the same iterators."""
    state, by_name = engine.session.state, dict(arrays)
    state.turns.share(taken_by_steps(engine), {n: int(v) for n, v in known["first"].items()})
    for container, name, start in known["starts"]:
        values = [None if v is None else by_name[v] for v in start["values"]]
        saved = {**start, "values": [v[()] if v is not None and v.ndim == 0 else v for v in values]}
        current = state.resources.get((container, name))
        if current is None:
            state.restore_when_made((container, name), saved)
        else:
            current.restore(saved)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (np.ndarray, np.generic, bytes, int, float))
