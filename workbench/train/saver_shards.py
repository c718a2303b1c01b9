"""Checkpoints in shards: what lies on a device is saved and restored by operations on that device.

Each device writes its part beside the checkpoint; the parts are put together, and only then there
is a checkpoint. Whoever reads it sees one file, as without shards.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from workbench.core.checkpoints.slices import part_name
from workbench.core.graph.context import control_dependencies, device
from workbench.core.graph.device import DeviceSpec
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.constant import constant
from workbench.core.ops.control import group
from workbench.core.ops.creation import call, create
from workbench.core.ops.saveable import SaveableObject, SaveSpec

#: What is added to a checkpoint's name for the folder of its parts.
_PASSING = "_temp_"
_STEP = re.compile(r"-\d+$")

#: A device, and what is saved on it.
Shard = tuple[str, list[SaveableObject]]


def shards_of(saveables: Sequence[SaveableObject]) -> list[Shard]:
    """What is to be saved by device, in the order of the devices' names."""
    found: dict[str, list[SaveableObject]] = {}
    for saveable in saveables:
        found.setdefault(_host_of(saveable), []).append(saveable)
    return sorted(found.items())


def _host_of(saveable: SaveableObject) -> str:
    """The processor that has the files of a device: of each task, the first one."""
    name = getattr(saveable.specs[0].tensor, "device", None) or getattr(saveable, "device", "")
    if not name:
        return ""
    spec = DeviceSpec.from_string(name)
    if spec.job is None and spec.replica is None and spec.task is None:
        return ""
    spec.device_type, spec.device_index = "CPU", 0
    return str(spec.to_string())


def _as_parts(saveable: SaveableObject) -> SaveableObject:
    """The same with names for parts of tensors: another shard may have the other parts."""
    specs = [
        SaveSpec(spec.tensor, "", part_name(spec.name, spec.slice_spec)) for spec in saveable.specs
    ]
    return SaveableObject(saveable.op, specs, saveable.name)


def sharded_save(
    filename: Tensor,
    shards: Sequence[Shard],
    save: Callable[[Tensor, Sequence[SaveableObject]], Operation],
) -> Operation:
    """An operation that saves the shards and puts them together as the checkpoint `filename`."""
    # A folder that nobody else writes to; it is gone when the parts are put together.
    passing = api.string_join([filename, constant(f"{_PASSING}{os.urandom(16).hex()}/part")])
    count = constant(len(shards), name="num_shards")
    parts, saved = [], []
    for number, (place, saveables) in enumerate(shards):
        with device(place):
            part = call("ShardedFilename", None, basename=passing, shard=number, num_shards=count)
            saved.append(save(part, [_as_parts(saveable) for saveable in saveables]))
            parts.append(part)
    with device(shards[0][0]), control_dependencies(saved):
        return create(
            "MergeV2Checkpoints",
            None,
            checkpoint_prefixes=api.stack(parts),
            destination_prefix=filename,
            delete_old_dirs=True,
        )


def remove_parts(prefix: str, before: float) -> None:
    """Removes the parts of checkpoints that were never put together.

    They are those of the checkpoint `prefix`, which nobody writes any more, and those of its name
    with other steps where they were written before a moment (seconds since 1970): a process that
    was killed left them.
    """
    folder, name = os.path.split(prefix)
    own = f"{re.escape(name)}(?P<own>)|{re.escape(_STEP.sub('', name))}(-[0-9]+)?"
    pattern = re.compile(f"({own}){_PASSING}[0-9a-f]{{32}}")
    with suppress(OSError), os.scandir(folder or os.curdir) as entries:
        for entry in entries:
            found = pattern.fullmatch(entry.name)
            if found and (found["own"] is not None or entry.stat().st_mtime < before):
                shutil.rmtree(entry.path, ignore_errors=True)


def sharded_restore(
    shards: Sequence[Shard], restore: Callable[[int, Sequence[SaveableObject]], Sequence[Any]]
) -> Operation:
    """An operation that restores the shards, each on its device."""
    restored = []
    for number, (place, saveables) in enumerate(shards):
        with device(place):
            restored.append(group(*restore(number, saveables), name="restore_shard"))
    return group(*restored, name="restore_all")
