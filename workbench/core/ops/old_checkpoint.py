"""Checkpoints in graphs of TensorFlow's own: its older operations, and those for shards.

A `Saver` here makes none of them; graphs that were made elsewhere run with them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from workbench.core.checkpoints.files import remove_checkpoint, write_tensors
from workbench.core.checkpoints.slices import assemble, parse_slice, split_part_name
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.checkpoint import _restore, _save, shapes_of_slices, texts
from workbench.core.ops.declaration import declare, sample


def _save_whole(filename: Any, tensor_names: Any, data: Sequence[Any]) -> None:
    _save(filename, tensor_names, np.array([b""] * len(data), object), data)


def _save_parts(
    filename: Any, tensor_names: Any, shapes_and_slices: Any, data: Sequence[Any]
) -> None:
    _save(filename, tensor_names, shapes_and_slices, data)


def _restore_whole(file_pattern: Any, tensor_name: Any, *, dt: np.dtype[Any], context: Any) -> Any:
    return _restore(file_pattern, tensor_name, b"", dtypes=(dt,), context=context)


def _restore_part(
    file_pattern: Any, tensor_name: Any, shape_and_slice: Any, *, dt: np.dtype[Any], context: Any
) -> Any:
    return _restore(file_pattern, tensor_name, shape_and_slice, dtypes=(dt,), context=context)


declare(
    "Save",
    inputs="filename: string, tensor_names: string, data: T",
    attrs="T: list(type) >= 1",
    shape=shape_rules.no_outputs,
    kernel=_save_whole,
    stateful=True,
    expensive=True,
)
declare(
    "SaveSlices",
    inputs="filename: string, tensor_names: string, shapes_and_slices: string, data: T",
    attrs="T: list(type) >= 1",
    shape=shape_rules.no_outputs,
    kernel=_save_parts,
    stateful=True,
    expensive=True,
)
declare(
    "Restore",
    inputs="file_pattern: string, tensor_name: string",
    outputs="tensor: dt",
    attrs="dt: type, preferred_shard: int = -1",
    shape=shape_rules.unknown,
    kernel=_restore_whole,
    stateful=True,
    expensive=True,
)
declare(
    "RestoreSlice",
    inputs="file_pattern: string, tensor_name: string, shape_and_slice: string",
    outputs="tensor: dt",
    attrs="dt: type, preferred_shard: int = -1",
    shape=shapes_of_slices,
    kernel=_restore_part,
    stateful=True,
    expensive=True,
)


def _sharded_filename(basename: Any, shard: Any, num_shards: Any) -> bytes:
    (name,) = texts(basename)
    return os.fsencode(f"{name}-{int(shard):05d}-of-{int(num_shards):05d}")


def _sharded_filespec(basename: Any, num_shards: Any) -> bytes:
    (name,) = texts(basename)
    return os.fsencode(f"{name}-?????-of-{int(num_shards):05d}")


declare(
    "ShardedFilename",
    inputs="basename: string, shard: int32, num_shards: int32",
    outputs="filename: string",
    shape=shape_rules.scalar,
    kernel=_sharded_filename,
    samples=[sample(b"model", 3, 10, want=b"model-00003-of-00010")],
)
declare(
    "ShardedFilespec",
    inputs="basename: string, num_shards: int32",
    outputs="filename: string",
    shape=shape_rules.scalar,
    kernel=_sharded_filespec,
    samples=[sample(b"model", 10, want=b"model-?????-of-00010")],
)


def _merge(checkpoint_prefixes: Any, destination_prefix: Any, *, delete_old_dirs: bool) -> None:
    from workbench.core.checkpoints.reading import read_tensors

    (destination,) = texts(destination_prefix)
    prefixes = texts(checkpoint_prefixes)
    merged: dict[str, Any] = {}
    parts: dict[str, list[Any]] = {}
    for prefix in prefixes:
        for full_name, value in read_tensors(prefix).items():
            name, part = split_part_name(full_name)
            if part:
                parts.setdefault(name, []).append((parse_slice(part), value))
            elif name in merged:
                raise invalid(f"Two of the checkpoints to merge hold tensor {name!r}")
            else:
                merged[name] = value
    for name, found in parts.items():
        if name in merged:
            raise invalid(f"Checkpoints to merge hold tensor {name!r} and a part of it")
        merged[name] = assemble(name, found)
    write_tensors(destination, merged)
    for prefix in prefixes:
        remove_checkpoint(prefix)
        if delete_old_dirs:
            # One that holds something else stays.
            with suppress(OSError):
                os.rmdir(os.path.dirname(prefix))


declare(
    "MergeV2Checkpoints",
    inputs="checkpoint_prefixes: string, destination_prefix: string",
    attrs="delete_old_dirs: bool = true",
    shape=shape_rules.no_outputs,
    kernel=_merge,
    stateful=True,
    expensive=True,
)
