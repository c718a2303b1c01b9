"""What a `Saver` needs beside its state: names of operations, files to remove."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from workbench.core.checkpoints.files import remove_checkpoint
from workbench.core.errors import OpError
from workbench.core.files import atomic_write
from workbench.core.graph.graph import Graph
from workbench.core.platform import logging
from workbench.core.protos.reading import as_message, serialize
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


def global_step_value(sess: Any, global_step: Any) -> int:
    """The step as a number, of a number, or of a variable or tensor in a session."""
    # A step of shape [1], which old programs have, is a number too.
    return int(sess.run(global_step).item() if hasattr(global_step, "graph") else global_step)


class GraphFile:
    """Writes the graph beside each checkpoint; what has not changed is not exported again."""

    def __init__(self) -> None:
        self._state: Any = None
        self._content = b""

    def write(self, saver: Any, graph: Graph, path: str) -> None:
        """Makes `path` the meta graph of `graph` and `saver`: whole, or not at all."""
        sizes = [(key, len(members)) for key, members in graph._collections.items()]
        names = b"" if saver.saver_def is None else serialize(saver.saver_def)
        state = (graph, graph.version, graph.changes, sizes, names)
        if self._state != state:
            with graph.as_default():
                self._content = serialize(saver.export_meta_graph())
            self._state = state
        atomic_write(path, self._content)


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
