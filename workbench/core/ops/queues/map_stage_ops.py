"""The operations of staging areas with keys, ordered by them and not."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.dtypes import float32
from workbench.core.graph.shapes import Entries
from workbench.core.kernels.scalars import as_array
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.queues.components import Element, given
from workbench.core.ops.queues.held import Held, copied, held_resource, own, size_of
from workbench.core.ops.queues.stage_ops import PLACE, check_count
from workbench.core.sync.map_stages import GetParts, MapStageMachine, PutParts
from workbench.core.sync.stages import Room


class MapStagingResource(Held):
    """A staging area with keys of a session."""

    machine: MapStageMachine

    def __init__(self, name: str, ordered: bool, capacity: int, memory_limit: int) -> None:
        title = f"Staging area {name!r}"
        super().__init__(MapStageMachine(ordered, Room(capacity, memory_limit), title))

    def put(self, key: Any, indices: Any, values: Any, components: int, context: Any) -> None:
        """Gives a key components of the numbers `indices`, of an element that has so many."""
        numbers = [int(i) for i in as_array(indices).flat]
        if numbers != sorted(set(numbers)):
            raise invalid("Indices are not strictly ordered")
        if len(numbers) != len(values):
            raise invalid(f"There are {len(numbers)} indices for {len(values)} values")
        arrays = [own(value) for value in values]
        parts = {i: (array, size_of(array)) for i, array in zip(numbers, arrays, strict=True)}
        self.perform(PutParts(_key(key), parts, components), context)

    def get(
        self, key: Any, indices: Any, wanted: int, removes: bool, context: Any
    ) -> tuple[np.int64, Element]:
        """The key and components of its element; without a key, of any."""
        numbers = [int(i) for i in as_array(indices).flat]
        check_count(len(numbers), wanted)
        request = GetParts(None if key is None else _key(key), numbers, removes)
        found, values = self.perform(request, context)
        return np.int64(found), tuple(values if removes else copied(values))


def _key(key: Any) -> int:
    return int(as_array(key).reshape(()))


def _area(
    context: Any, container: str, shared_name: str, capacity: int, memory_limit: int
) -> MapStagingResource:
    ordered = context.operation.type.startswith("Ordered")
    name = shared_name or context.name
    return held_resource(
        context,
        MapStagingResource,
        lambda: MapStagingResource(name, ordered, capacity, memory_limit),
        container,
        shared_name,
    )


def _stage(
    key: Any,
    indices: Any,
    values: Any,
    *,
    capacity: int,
    memory_limit: int,
    dtypes: Any,
    container: str,
    shared_name: str,
    context: Any,
) -> None:
    area = _area(context, container, shared_name, capacity, memory_limit)
    area.put(key, indices, values, len(dtypes), context)


def _getting(removes: bool) -> Any:
    def get(
        key: Any,
        indices: Any,
        *,
        capacity: int,
        memory_limit: int,
        dtypes: Any,
        container: str,
        shared_name: str,
        context: Any,
    ) -> Any:
        area = _area(context, container, shared_name, capacity, memory_limit)
        return given(area.get(key, indices, len(dtypes), removes, context)[1])

    return get


def _unstage_any(
    indices: Any,
    *,
    capacity: int,
    memory_limit: int,
    dtypes: Any,
    container: str,
    shared_name: str,
    context: Any,
) -> Any:
    area = _area(context, container, shared_name, capacity, memory_limit)
    key, values = area.get(None, indices, len(dtypes), True, context)
    return (key, *given(values))


def _asking(what: str) -> Any:
    def ask(
        *, capacity: int, memory_limit: int, container: str, shared_name: str, context: Any
    ) -> np.int32:
        area = _area(context, container, shared_name, capacity, memory_limit)
        return np.int32(area.ask(lambda: getattr(area.machine, what)))

    return ask


def _clear(
    *, capacity: int, memory_limit: int, container: str, shared_name: str, context: Any
) -> None:
    area = _area(context, container, shared_name, capacity, memory_limit)
    area.change(area.machine.clear)


def _stage_shape(op: Any) -> list[Entries]:
    shape_rules.with_rank(op.inputs[0].entries, 0, "key")
    shape_rules.with_rank(op.inputs[1].entries, 1, "indices")
    return []


def _unknown_but_key(op: Any) -> list[Entries]:
    return [(), *([None] * (len(op.outputs) - 1))]


_VALUES = PLACE.format(dtypes="dtypes: list(type) >= 1")
_ANY = PLACE.format(dtypes="dtypes: list(type)")

for _prefix in ("", "Ordered"):
    declare(
        f"{_prefix}MapStage",
        inputs="key: int64, indices: int32, values: fake_dtypes",
        attrs=PLACE.format(dtypes="dtypes: list(type), fake_dtypes: list(type) >= 1"),
        shape=_stage_shape,
        kernel=_stage,
        stateful=True,
        blocking=True,
    )
    for _name, _removes in (("MapUnstage", True), ("MapPeek", False)):
        declare(
            f"{_prefix}{_name}",
            inputs="key: int64, indices: int32",
            outputs="values: dtypes",
            attrs=_VALUES,
            shape=shape_rules.unknown,
            kernel=_getting(_removes),
            stateful=True,
            blocking=True,
        )
    declare(
        f"{_prefix}MapUnstageNoKey",
        inputs="indices: int32",
        outputs="key: int64, values: dtypes",
        attrs=_VALUES,
        shape=_unknown_but_key,
        kernel=_unstage_any,
        stateful=True,
        blocking=True,
    )
    for _name, _what in (("MapSize", "size"), ("MapIncompleteSize", "incomplete_size")):
        declare(
            f"{_prefix}{_name}",
            outputs="size: int32",
            attrs=_ANY,
            shape=shape_rules.scalar,
            kernel=_asking(_what),
            samples=[sample(want=0, dtypes=[float32])],
            stateful=True,
        )
    declare(
        f"{_prefix}MapClear",
        attrs=_ANY,
        shape=shape_rules.no_outputs,
        kernel=_clear,
        samples=[sample(dtypes=[float32])],
        stateful=True,
    )
