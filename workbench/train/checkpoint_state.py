"""The file ``checkpoint`` of a folder, which says what the latest checkpoint is."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from typing import Any

from workbench.core import protos
from workbench.core.checkpoints.bundle_files import index_path
from workbench.core.checkpoints.files import SUFFIX, checkpoint_path
from workbench.core.errors import NotFoundError, OpError
from workbench.core.files import atomic_write, local_path, read_bytes, translated_errors
from workbench.core.platform import logging
from workbench.core.protos.reading import parse_message, to_text

STATE_FILE_NAME = "checkpoint"


def _state_path(directory: str | os.PathLike[str], latest_filename: str | None) -> str:
    return os.path.join(local_path(directory), latest_filename or STATE_FILE_NAME)


def generate_checkpoint_state_proto(
    save_dir: str | os.PathLike[str],
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
) -> Any:
    """A ``CheckpointState`` with these names; the latest is the last of all.

    Where ``save_dir`` is relative, relative names are rewritten to start from it, so that the
    folder can be moved.

    >>> generate_checkpoint_state_proto("run", "run/model-1").model_checkpoint_path
    'model-1'
    """
    folder = local_path(save_dir)
    paths = [] if all_model_checkpoint_paths is None else all_model_checkpoint_paths
    if not isinstance(paths, list):
        paths = list(paths)
    if not paths or paths[-1] != model_checkpoint_path:
        # To the caller's own list, which code that was written for TensorFlow goes on with.
        paths.append(model_checkpoint_path)
    if not os.path.isabs(folder):
        paths = [p if os.path.isabs(p) else os.path.relpath(p, folder) for p in paths]
    return protos.CheckpointState(model_checkpoint_path=paths[-1], all_model_checkpoint_paths=paths)


def update_checkpoint_state(
    save_dir: str | os.PathLike[str],
    model_checkpoint_path: str,
    all_model_checkpoint_paths: Sequence[str] | None = None,
    latest_filename: str | None = None,
    save_relative_paths: bool = False,
) -> None:
    """Make ``model_checkpoint_path`` the latest checkpoint of ``save_dir``: wholly, or not at all.

    Args:
      save_dir: the folder of the checkpoints.
      model_checkpoint_path: the latest checkpoint.
      all_model_checkpoint_paths: all that are kept, oldest first.
      latest_filename: the state file's name; ``checkpoint`` where it is None.
      save_relative_paths: whether absolute names are also rewritten to start from ``save_dir``.

    Raises:
      RuntimeError: the state file has the checkpoint's own name.
      OpError: as the operating system's error demands.
    """
    folder = local_path(save_dir)
    if save_relative_paths:
        paths = [*(all_model_checkpoint_paths or []), model_checkpoint_path]
        relative = [os.path.relpath(p, folder) if os.path.isabs(p) else p for p in paths]
        state = generate_checkpoint_state_proto(folder, relative[-1], relative[:-1])
    else:
        state = generate_checkpoint_state_proto(
            folder, model_checkpoint_path, all_model_checkpoint_paths
        )
    path = _state_path(folder, latest_filename)
    if path == state.model_checkpoint_path:
        raise RuntimeError(
            f"Save path '{model_checkpoint_path}' conflicts with path used for checkpoint state. "
            f"Please use a different save path."
        )
    atomic_write(path, to_text(state).encode("utf-8"))


def get_checkpoint_state(
    checkpoint_dir: str | os.PathLike[str], latest_filename: str | None = None
) -> Any:
    """The ``CheckpointState`` of a folder, or None where it has none that can be read.

    Relative names in it are returned with the folder before them.

    Raises:
      ValueError: the state names no checkpoint.
    """
    path = _state_path(checkpoint_dir, latest_filename)
    folder = local_path(checkpoint_dir)
    try:
        text = read_bytes(path).decode("utf-8")
        state = parse_message(protos.CheckpointState, text, path)
    except NotFoundError:
        return None
    except (OpError, UnicodeDecodeError) as error:
        logging.warning("%s: %s", path, error)
        logging.warning("%s: Checkpoint ignored", path)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {path}: it names no checkpoint")
    # What is absolute stays as it is when joined.
    state.model_checkpoint_path = os.path.join(folder, state.model_checkpoint_path)
    for index, each in enumerate(state.all_model_checkpoint_paths):
        state.all_model_checkpoint_paths[index] = os.path.join(folder, each)
    return state


def latest_checkpoint(
    checkpoint_dir: str | os.PathLike[str], latest_filename: str | None = None
) -> str | None:
    """The name of the latest checkpoint of a folder, or None where there is none."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None:
        return None
    path: str = state.model_checkpoint_path
    if checkpoint_exists(path):
        return path
    logging.error("Couldn't match files for checkpoint %s", path)
    return None


def _matching_files(checkpoint_prefix: str | os.PathLike[str]) -> list[str]:
    """Files of checkpoints whose names match a name or pattern."""
    path = checkpoint_path(checkpoint_prefix)
    for whole in (path, index_path(checkpoint_prefix)):
        if os.path.isfile(whole):
            return [whole]
    found = sorted(glob.glob(path, include_hidden=True))
    if found:
        return found
    plain = local_path(checkpoint_prefix)
    if plain.endswith(SUFFIX):
        return []
    return [plain] if os.path.isfile(plain) else sorted(filter(os.path.isfile, glob.glob(plain)))


def checkpoint_exists(checkpoint_prefix: str | os.PathLike[str]) -> bool:
    """True if there is a checkpoint of this name (or one that matches it as a pattern)."""
    return bool(_matching_files(checkpoint_prefix))


def get_checkpoint_mtimes(checkpoint_prefixes: Iterable[str | os.PathLike[str]]) -> list[float]:
    """When the checkpoints were last modified, in seconds; those that do not exist are left out."""
    times = []
    for prefix in checkpoint_prefixes:
        for path in _matching_files(prefix)[:1]:
            with translated_errors(path):
                times.append(os.stat(path).st_mtime)
    return times
