"""The arrays behind `wb.batches`, kept once for all runs of a project, by their content.

With them a run that was killed goes on from its folder alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.checkpoints.files import SUFFIX, write_tensors
from workbench.core.checkpoints.reading import read_tensors

#: Larger data is not kept: whoever resumes such a run passes it again.
LIMIT = 512 << 20


def data_size(arrays: Sequence[np.ndarray[Any, Any]]) -> int:
    """About how many bytes arrays take on disk."""
    return sum(_bytes(a) for a in arrays)


def _bytes(array: np.ndarray[Any, Any]) -> int:
    if array.dtype.kind == "O":
        return sum(8 + len(value) for value in array.reshape(-1).tolist())
    return array.nbytes


def content_key(arrays: Sequence[np.ndarray[Any, Any]]) -> str:
    """A name for the content of arrays: equal arrays have equal names.

    >>> content_key([np.zeros(3)]) == content_key([np.zeros(3)]) != content_key([np.ones(3)])
    True
    """
    found = hashlib.blake2b(digest_size=20)
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        if array.dtype.kind == "O":
            for value in array.reshape(-1).tolist():
                text = value.encode() if isinstance(value, str) else bytes(value)
                found.update(len(text).to_bytes(8, "little") + text)
        else:
            flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
            # In parts, so that no other thread waits long for this one.
            for start in range(0, flat.size, 1 << 22):
                found.update(flat[start : start + (1 << 22)].data)
    return found.hexdigest()


def data_path(project: str, key: str) -> str:
    """The file of a project that holds the data called `key`."""
    return os.path.join(project, ".data", key + SUFFIX)


def store(project: str, arrays: Sequence[np.ndarray[Any, Any]]) -> str:
    """Keeps arrays in a project's folder, where they are not there yet; gives their key.

    Raises:
      OpError: the file cannot be written.
    """
    key = content_key(arrays)
    path = data_path(project, key)
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_tensors(path, {str(i): array for i, array in enumerate(arrays)})
    return key


def load(project: str, key: str) -> list[np.ndarray[Any, Any]]:
    """The arrays called `key`.

    Raises:
      NotFoundError, DataLossError: they are not there, or damaged.
    """
    tensors = read_tensors(data_path(project, key))
    return [tensors[str(i)] for i in range(len(tensors))]
