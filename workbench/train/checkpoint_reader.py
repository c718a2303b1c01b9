"""Reading checkpoints as scripts do: readers, and the variables of a checkpoint."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from workbench.core.checkpoints.files import checkpoint_prefix
from workbench.core.checkpoints.reading import TensorEntry, read_index, read_tensors
from workbench.core.files import local_path
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.train.checkpoint_state import latest_checkpoint


class CheckpointReader:
    """A checkpoint's index, kept; its values are read when they are asked for.

    Raises:
      NotFoundError: there is no such checkpoint.
      DataLossError: the file is truncated, damaged or of another kind.
    """

    def __init__(self, filepattern: str | os.PathLike[str]) -> None:
        self._prefix = checkpoint_prefix(filepattern)
        self._index = read_index(self._prefix)

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shape of each tensor, as a list, by name."""
        return {name: list(entry.shape) for name, entry in self._index.items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """The type of each tensor, by name."""
        return {name: as_dtype(entry.dtype) for name, entry in self._index.items()}

    def has_tensor(self, tensor_str: str) -> bool:
        """True if the checkpoint holds a tensor of that name."""
        return tensor_str in self._index

    def get_tensor(self, tensor_str: str) -> np.ndarray[Any, Any]:
        """The value of one tensor.

        Raises:
          NotFoundError: the checkpoint holds no tensor of that name.
          DataLossError: its values are damaged.
        """
        return read_tensors(self._prefix, [tensor_str])[tensor_str]

    def debug_string(self) -> bytes:
        """A line for each tensor: its name, type and shape."""
        lines = [
            f"{name} (DT_{_data_type_name(entry)}) {str(list(entry.shape)).replace(' ', '')}"
            for name, entry in self._index.items()
        ]
        return "".join(line + "\n" for line in lines).encode("utf-8")


def _data_type_name(entry: TensorEntry) -> str:
    name = as_dtype(entry.dtype).name.upper()
    return {"FLOAT32": "FLOAT", "FLOAT64": "DOUBLE", "FLOAT16": "HALF"}.get(name, name)


def new_checkpoint_reader(filepattern: str | os.PathLike[str]) -> CheckpointReader:
    """A reader of the checkpoint ``filepattern`` (``tf.train.NewCheckpointReader``)."""
    return CheckpointReader(filepattern)


NewCheckpointReader = new_checkpoint_reader


def load_checkpoint(ckpt_dir_or_file: str | os.PathLike[str]) -> CheckpointReader:
    """A reader of a checkpoint, or of the latest checkpoint of a folder.

    Raises:
      ValueError: the folder has no checkpoint.
      NotFoundError, DataLossError: as :class:`CheckpointReader`.
    """
    path: str | None = local_path(ckpt_dir_or_file)
    if os.path.isdir(path or os.curdir):
        path = latest_checkpoint(path or os.curdir)
    if path is None:
        raise ValueError(
            f"Couldn't find 'checkpoint' file or checkpoints in given directory {ckpt_dir_or_file}"
        )
    return CheckpointReader(path)


def load_variable(ckpt_dir_or_file: str | os.PathLike[str], name: str) -> np.ndarray[Any, Any]:
    """The value of the variable ``name`` (``:0`` may follow it) in a checkpoint.

    Raises:
      ValueError, NotFoundError, DataLossError: as :func:`load_checkpoint`.
    """
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: str | os.PathLike[str]) -> list[tuple[str, list[int]]]:
    """The names and shapes of all variables in a checkpoint, in name order.

    Raises:
      ValueError, NotFoundError, DataLossError: as :func:`load_checkpoint`.
    """
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())
