"""Libraries of machine code that TensorFlow loads: what is said instead of loading them."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from workbench.core.errors import NotFoundError, UnimplementedError


def _refuse(library_filename: str, what: str, instead: str) -> NoReturn:
    path = os.fspath(library_filename)
    if not os.path.exists(path):
        raise NotFoundError(
            None, None, f"{path}: cannot open shared object file: No such file or directory"
        )
    raise UnimplementedError(
        None,
        None,
        f"{path}: {what} are machine code for TensorFlow's own C++ runtime, which is not here. "
        f"{instead}",
    )


def load_op_library(library_filename: str) -> Any:
    """Refuses to load operations written in C++, and says what to do instead.

    Raises:
      NotFoundError: there is no such file.
      UnimplementedError: there is.
    """
    _refuse(
        library_filename,
        "libraries of operations",
        "Write the operation in Python with tf.py_func, and its gradient with tf.custom_gradient.",
    )


def load_file_system_library(library_filename: str) -> None:
    """Refuses to load a file system written in C++, and says what to do instead.

    Raises:
      NotFoundError: there is no such file.
      UnimplementedError: there is.
    """
    _refuse(
        library_filename,
        "libraries of file systems",
        "Mount the file system, so that its files have local paths.",
    )
