"""The operations of staging areas: an area is known by its name, and made on first use."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.dtypes import float32
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.queues.components import given
from workbench.core.ops.queues.held import Held, copied, held_resource, own, size_of
from workbench.core.sync.stages import Get, Peek, Put, Room, StageMachine


class StagingResource(Held):
    """A staging area of a session."""

    machine: StageMachine

    def __init__(self, name: str, capacity: int, memory_limit: int) -> None:
        super().__init__(StageMachine(Room(capacity, memory_limit), f"Staging area {name!r}"))


def _area(
    context: Any, container: str, shared_name: str, capacity: int, memory_limit: int
) -> StagingResource:
    name = shared_name or context.name
    return held_resource(
        context,
        StagingResource,
        lambda: StagingResource(name, capacity, memory_limit),
        container,
        shared_name,
    )


def check_count(found: int, wanted: int) -> None:
    """Raises where an element has not as many components as an operation gives."""
    if found != wanted:
        raise invalid(f"Mismatch stage/unstage: {found} vs. {wanted}")


def _stage(
    values: Any,
    *,
    capacity: int,
    memory_limit: int,
    container: str,
    shared_name: str,
    context: Any,
) -> None:
    element = tuple(own(value) for value in values)
    area = _area(context, container, shared_name, capacity, memory_limit)
    area.perform(Put(element, sum(size_of(array) for array in element)), context)


def _unstage(
    *,
    capacity: int,
    memory_limit: int,
    dtypes: Any,
    container: str,
    shared_name: str,
    context: Any,
) -> Any:
    area = _area(context, container, shared_name, capacity, memory_limit)
    element = area.perform(Get(), context)
    check_count(len(element), len(dtypes))
    return given(element)


def _peek(
    index: Any,
    *,
    capacity: int,
    memory_limit: int,
    dtypes: Any,
    container: str,
    shared_name: str,
    context: Any,
) -> Any:
    area = _area(context, container, shared_name, capacity, memory_limit)
    element = area.perform(Peek(int(as_array(index).reshape(()))), context)
    check_count(len(element), len(dtypes))
    return given(copied(element))


def _size(
    *, capacity: int, memory_limit: int, container: str, shared_name: str, context: Any
) -> np.int32:
    area = _area(context, container, shared_name, capacity, memory_limit)
    return np.int32(area.ask(lambda: area.machine.size))


def _clear(
    *, capacity: int, memory_limit: int, container: str, shared_name: str, context: Any
) -> None:
    area = _area(context, container, shared_name, capacity, memory_limit)
    area.change(area.machine.clear)


PLACE = (
    "capacity: int >= 0 = 0, memory_limit: int >= 0 = 0, {dtypes}, container: string = '', "
    "shared_name: string = ''"
)
_VALUES = PLACE.format(dtypes="dtypes: list(type) >= 1")
_ANY = PLACE.format(dtypes="dtypes: list(type)")

declare(
    "Stage",
    inputs="values: dtypes",
    attrs=_VALUES,
    shape=shape_rules.no_outputs,
    kernel=_stage,
    stateful=True,
    blocking=True,
)
declare(
    "Unstage",
    outputs="values: dtypes",
    attrs=_VALUES,
    shape=shape_rules.unknown,
    kernel=_unstage,
    stateful=True,
    blocking=True,
)
declare(
    "StagePeek",
    inputs="index: int32",
    outputs="values: dtypes",
    attrs=_VALUES,
    shape=shape_rules.unknown,
    kernel=_peek,
    stateful=True,
    blocking=True,
)
declare(
    "StageSize",
    outputs="size: int32",
    attrs=_ANY,
    shape=shape_rules.scalar,
    kernel=_size,
    samples=[sample(want=0, dtypes=[float32])],
    stateful=True,
)
declare(
    "StageClear",
    attrs=_ANY,
    shape=shape_rules.no_outputs,
    kernel=_clear,
    samples=[sample(dtypes=[float32])],
    stateful=True,
)
