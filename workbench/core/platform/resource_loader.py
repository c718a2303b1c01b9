"""Files that lie beside a script, as ``tf.resource_loader`` finds them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from workbench.core import files


def get_data_files_path() -> str:
    """The folder of the file that calls this."""
    return os.path.dirname(os.path.abspath(sys._getframe(1).f_code.co_filename))


def get_root_dir_with_all_resources() -> str:
    """The folder that holds this package."""
    return str(Path(__file__).resolve().parents[3])


def get_path_to_datafile(path: str) -> str:
    """The whole name of a file that lies beside the file that calls this."""
    folder = os.path.dirname(os.path.abspath(sys._getframe(1).f_code.co_filename))
    return os.path.join(folder, path)


def load_resource(path: str) -> bytes:
    """The content of a file, named from the folder of the file that calls this.

    Raises:
      NotFoundError: there is no such file.
    """
    folder = os.path.dirname(os.path.abspath(sys._getframe(1).f_code.co_filename))
    return files.read_bytes(os.path.join(folder, path))


def readahead_file_path(path: str, readahead: str = "128M") -> str:
    """``path`` itself: the operating system reads ahead as it sees fit."""
    return path
