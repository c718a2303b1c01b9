"""What a `Saver` needs beside its state: names of operations, files to remove."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from workbench.core.checkpoints.files import remove_checkpoint
from workbench.core.errors import OpError
from workbench.core.graph.graph import Graph
from workbench.core.platform import logging
from workbench.core.protos.reading import as_message
from workbench.train.scoped_graph import is_in_scope, prepend_scope, strip_scope

#: The operations that read checkpoints.
_RESTORES = ("RestoreV2", "Restore", "RestoreSlice")
#: The fields of a `SaverDef` that name operations and tensors.
_NAMES = ("filename_tensor_name", "save_tensor_name", "restore_op_name")


def _copied(saver_def: Any) -> Any:
    from workbench.core.protos import SaverDef

    copy = SaverDef()
    copy.CopyFrom(as_message(SaverDef, saver_def, "saver_def"))
    return copy


def in_scope(saver_def: Any, scope: str | None) -> Any:
    """A copy of a `SaverDef` for operations that were imported into a scope.

    Raises:
      TypeError: `saver_def` is none.
      ValueError: it does not name all operations.
    """
    copy = _copied(saver_def)
    for field in _NAMES:
        if not getattr(copy, field):
            raise ValueError(f"saver_def must specify the {field}: {saver_def}")
        setattr(copy, field, prepend_scope(getattr(copy, field), scope))
    return copy


def out_of_scope(saver_def: Any, scope: str) -> Any:
    """A copy of a `SaverDef` with the scope taken off its names; None where they are not in it."""
    copy = _copied(saver_def)
    for field in _NAMES:
        name = getattr(copy, field)
        if not is_in_scope(name, scope):
            return None
        setattr(copy, field, strip_scope(name, scope))
    return copy


def remove_quietly(prefix: str, meta_graph_suffix: str) -> None:
    """Removes an old checkpoint; that it cannot be removed does not stop a training."""
    try:
        remove_checkpoint(prefix)
        with suppress(FileNotFoundError):
            os.unlink(f"{prefix}.{meta_graph_suffix}")
    except (OpError, OSError) as error:
        logging.warning("Ignoring: %s", error)


def restored_tensors(graph: Graph, restore_op_name: str) -> list[Any]:
    """The tensors that an operation reads from a checkpoint, directly or not."""
    stack = [graph.get_operation_by_name(restore_op_name)]
    seen = set(stack)
    found: list[Any] = []
    while stack:
        op = stack.pop()
        if op.type in _RESTORES:
            found.extend(op.outputs)
            continue
        for before in (*(tensor.op for tensor in op.inputs), *op.control_inputs):
            if before not in seen:
                seen.add(before)
                stack.append(before)
    return found
