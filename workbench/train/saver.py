"""Saver: variables to checkpoints and back."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from workbench.core.checkpoints.files import checkpoint_prefix
from workbench.core.graph.keys import GraphKeys
from workbench.core.platform import logging
from workbench.train.checkpoint_history import CheckpointHistory
from workbench.train.checkpoint_state import get_checkpoint_mtimes, update_checkpoint_state
from workbench.train.meta_graph_export import add_collection_def, export_meta_graph
from workbench.train.saver_builder import BaseSaverBuilder, all_saveable_objects
from workbench.train.saver_parts import (
    GraphFile,
    global_step_value,
    in_scope,
    out_of_scope,
    remove_quietly,
    restored_tensors,
)
from workbench.train.saver_shards import remove_parts


class Saver:
    """Saves variables to checkpoints and restores them.

    A checkpoint is written whole or not at all, and restored whole or not at all: where a variable
    is missing, of another shape or damaged, no value changes.

    Args:
      var_list: the variables: a list, or a dict from the names they have in the checkpoint; all
        variables of the graph where it is None.
      reshape: give tensors of the checkpoint the shapes of the variables.
      sharded: save and restore what lies on a device by operations on that device; the parts are
        put together, so that a checkpoint is one file.
      max_to_keep: how many checkpoints are kept, the newest ones; None or 0 for all.
      keep_checkpoint_every_n_hours: one checkpoint in so many hours is kept for good.
      name: the scope of the operations.
      restore_sequentially: restore one variable after the other.
      saver_def: the names of operations that exist already; nothing is added to the graph.
      builder: what makes the operations.
      defer_build: make the operations when `build` is called.
      allow_empty: it is no error that there is nothing to save.
      write_version: accepted for compatibility; there is one format.
      pad_step_number: write the step with eight digits.
      save_relative_paths: name checkpoints from the folder of the state file on.
      filename: the checkpoint's name where a run of the operations gives none.

    Raises:
      TypeError: an element of `var_list` is no variable.
      ValueError: there is nothing to save, or two variables have one name.

    >>> import tempfile, workbench as tf
    >>> v = tf.Variable([1.0, 2.0], name="v")
    >>> saver = tf.train.Saver()
    >>> with tempfile.TemporaryDirectory() as folder, tf.Session() as session:
    ...     session.run(v.initializer)
    ...     path = saver.save(session, folder + "/model", global_step=10)
    ...     session.run(v.assign([0.0, 0.0])).tolist()
    ...     saver.restore(session, path)
    ...     session.run(v).tolist(), tf.train.latest_checkpoint(folder) == path
    [0.0, 0.0]
    ([1.0, 2.0], True)
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = 2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ) -> None:
        if defer_build and var_list is not None and not _is_empty(var_list):
            raise ValueError(
                "If `var_list` is provided then build cannot be deferred. "
                "Either set defer_build=False or var_list=None."
            )
        self._var_list = var_list
        self._reshape = reshape
        self._sharded = sharded
        self._max_to_keep = max_to_keep
        self._keep_every_n_hours = keep_checkpoint_every_n_hours
        self._name = name
        self._restore_sequentially = restore_sequentially
        self.saver_def = saver_def
        self._builder = builder
        self._allow_empty = allow_empty
        self._write_version = write_version
        self._pad_step_number = pad_step_number
        self._save_relative_paths = save_relative_paths
        self._filename = filename
        self._graph_file = GraphFile()
        self._made = time.time()
        #: Threads save one after the other, so that the state file names the newest checkpoint.
        self._saving = threading.RLock()
        self._is_built = False
        self._is_empty = False
        self._history = CheckpointHistory(0, math.inf, time.time())
        if saver_def is not None:
            self._adopt(saver_def, name)
        elif not defer_build:
            self.build()

    def _adopt(self, saver_def: Any, scope: str | None) -> None:
        """Takes over operations that exist, under `scope` where they were imported there."""
        self.saver_def = in_scope(saver_def, scope)
        self._write_version = self.saver_def.version
        self._start_history()

    def build(self) -> None:
        """Adds the operations to the default graph; calling it again does nothing."""
        if self._is_built:
            return
        variables = all_saveable_objects() if self._var_list is None else self._var_list
        if _is_empty(variables):
            if not self._allow_empty:
                raise ValueError("No variables to save")
            self._is_empty = self._is_built = True
            return
        builder = self._builder or BaseSaverBuilder(self._write_version)
        self.saver_def = builder.build(
            variables,
            reshape=self._reshape,
            sharded=self._sharded,
            max_to_keep=self._max_to_keep,
            keep_checkpoint_every_n_hours=self._keep_every_n_hours,
            name=self._name,
            restore_sequentially=self._restore_sequentially,
            filename=self._filename,
        )
        self._start_history()

    def _start_history(self) -> None:
        self._is_built = True
        hours = self.saver_def.keep_checkpoint_every_n_hours
        self._history = CheckpointHistory(self.saver_def.max_to_keep, hours * 3600, time.time())

    def _check_is_built(self) -> None:
        if not self._is_built:
            raise RuntimeError(
                "`build()` should be called before save and restore if defer_build==True"
            )

    # -- saving ------------------------------------------------------------------------------

    def save(
        self,
        sess: Any,
        save_path: str | os.PathLike[str],
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
    ) -> str | None:
        """Saves the variables of a session as a new checkpoint; returns its name.

        The checkpoint is there when this returns. A kill at any moment leaves the one before it,
        and a state file that names a checkpoint that can be restored.

        Args:
          sess: the session.
          save_path: the name of the checkpoint, such as `run/model`.
          global_step: a number, variable or tensor to append to the name.
          latest_filename: the name of the state file; `checkpoint` where it is None.
          meta_graph_suffix: what the name of the graph's file ends with.
          write_meta_graph: whether to write the graph too.
          write_state: whether to write the state file, and to remove old checkpoints.

        Raises:
          TypeError: `sess` is no session.
          ValueError: the folder does not exist, or the names collide.
          FailedPreconditionError: a variable has no value.
          OpError: the file cannot be written.
        """
        self._check_is_built()
        if not hasattr(sess, "run") or not hasattr(sess, "graph"):
            raise TypeError(f"'sess' must be a Session; {sess}")
        latest = latest_filename or "checkpoint"
        if os.path.dirname(latest):
            raise ValueError("'latest_filename' must not contain path components")
        with self._saving:
            prefix = checkpoint_prefix(save_path)
            if global_step is not None:
                step = global_step_value(sess, global_step)
                prefix += f"-{step:08d}" if self._pad_step_number else f"-{step}"
            elif os.path.basename(prefix) == latest and not getattr(
                self.saver_def, "sharded", False
            ):
                raise ValueError(
                    f"'latest_filename' collides with 'save_path': '{latest}' and '{prefix}'"
                )
            folder = os.path.dirname(prefix)
            with suppress(OSError):
                # As TensorFlow does: the folder itself, not those above it.
                os.mkdir(folder or os.curdir)
            if not os.path.isdir(folder or os.curdir):
                raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.")
            if not self._is_empty:
                self._write(sess, prefix)
            if write_meta_graph:
                # Before the state: the checkpoint that it names must be complete.
                path = self._MetaGraphFilename(prefix, meta_graph_suffix)
                self._graph_file.write(self, sess.graph, path)
            if self._is_empty:
                return None
            if write_state:
                self._history.record(prefix, time.time())
                update_checkpoint_state(
                    folder, prefix, self.last_checkpoints, latest, self._save_relative_paths
                )
                for expired in self._history.expired():
                    remove_quietly(expired, meta_graph_suffix)
            return prefix

    def _write(self, sess: Any, prefix: str) -> None:
        """Runs the operation that writes a checkpoint."""
        names = self.saver_def
        try:
            sess.run(names.save_tensor_name, {names.filename_tensor_name: prefix})
        finally:
            if names.sharded:
                remove_parts(prefix, self._made)

    def _MetaGraphFilename(self, checkpoint_filename: str, meta_graph_suffix: str = "meta") -> str:
        """The name of the file that holds the graph beside a checkpoint."""
        return f"{checkpoint_filename}.{meta_graph_suffix}"

    # -- restoring ---------------------------------------------------------------------------

    def restore(self, sess: Any, save_path: str | os.PathLike[str] | None) -> None:
        """Gives the variables of a session the values of a checkpoint: all of them, or none.

        Args:
          sess: the session.
          save_path: the name of the checkpoint, as `save` returned it.

        Raises:
          ValueError: `save_path` is None.
          NotFoundError: there is no such checkpoint, or it lacks variables; the error names them,
            and the nearest names it has.
          InvalidArgumentError: variables have another shape or type in the checkpoint.
          DataLossError: the checkpoint is truncated, damaged or something else.
        """
        self._check_is_built()
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        prefix = checkpoint_prefix(save_path)
        logging.info("Restoring parameters from %s", prefix)
        names = self.saver_def
        feeds: dict[Any, Any] = {names.filename_tensor_name: prefix}
        restored = restored_tensors(sess.graph, names.restore_op_name)
        if len({tensor.op for tensor in restored}) > 1:
            # Read by several operations: all must have succeeded before any value changes.
            feeds.update(zip(restored, sess.run(restored, feeds), strict=True))
        sess.run(names.restore_op_name, feeds)

    # -- which checkpoints there are ---------------------------------------------------------

    @property
    def last_checkpoints(self) -> list[str]:
        """The checkpoints that were not removed yet, oldest first."""
        return self._history.paths

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Sets the list of old checkpoints; these are never removed."""
        assert isinstance(last_checkpoints, list)
        self._history.replace((path, math.inf) for path in last_checkpoints)

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: Any) -> None:
        """Sets the list of old checkpoints, as pairs of a name and a time."""
        assert isinstance(last_checkpoints_with_time, list)
        self._history.replace(last_checkpoints_with_time)

    def recover_last_checkpoints(self, checkpoint_paths: Iterable[str]) -> None:
        """Sets the list of old checkpoints to those of a crashed run, with their files' times."""
        paths = list(checkpoint_paths)
        times = [get_checkpoint_mtimes([path]) for path in paths]
        self._history.replace(
            (path, found[0]) for path, found in zip(paths, times, strict=True) if found
        )

    # -- as a message ------------------------------------------------------------------------

    def as_saver_def(self) -> Any:
        """The `SaverDef` that names the operations."""
        return self.saver_def

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The `SaverDef`, or None where the operations are not in `export_scope`."""
        return (
            self.saver_def if export_scope is None else out_of_scope(self.saver_def, export_scope)
        )

    @staticmethod
    def from_proto(saver_def: Any, import_scope: str | None = None) -> Saver:
        """The saver whose operations a `SaverDef` names."""
        return Saver(saver_def=saver_def, name=import_scope)

    def export_meta_graph(
        self,
        filename: str | None = None,
        collection_list: Iterable[str] | None = None,
        as_text: bool = False,
        export_scope: str | None = None,
        clear_devices: bool = False,
        clear_extraneous_savers: bool = False,
    ) -> Any:
        """The `MetaGraphDef` of the default graph with this saver; see `export_meta_graph`."""
        return export_meta_graph(
            filename=filename,
            saver_def=self.saver_def,
            collection_list=collection_list,
            as_text=as_text,
            export_scope=export_scope,
            clear_devices=clear_devices,
            clear_extraneous_savers=clear_extraneous_savers,
        )

    def _add_collection_def(
        self, meta_graph_def: Any, key: Any, export_scope: str | None = None
    ) -> None:
        """Adds a collection of the default graph to a `MetaGraphDef`."""
        add_collection_def(meta_graph_def, key, export_scope=export_scope)


def _is_empty(var_list: Any) -> bool:
    return isinstance(var_list, (list, tuple, set, dict)) and not var_list


def _register() -> None:
    from workbench.core.graph.collection_protos import register_proto_function
    from workbench.core.protos import SaverDef

    register_proto_function(GraphKeys.SAVERS, SaverDef, Saver.to_proto, Saver.from_proto)


_register()
