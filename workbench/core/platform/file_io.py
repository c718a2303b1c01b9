"""Files and folders as TensorFlow's ``file_io`` has them, with the errors of ``tf.errors``.

Only the local file system is known; an address such as ``gs://`` is an UnimplementedError.
"""

from __future__ import annotations

import glob
import os
import shutil
import stat as _stat
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from workbench.core import errors
from workbench.core.files import atomic_file, atomic_write, local_path, read_bytes
from workbench.core.files import translated_errors as _translated
from workbench.core.platform.file_object import FileIO, PathLike


class FileStatistics(NamedTuple):
    """Size in bytes, time of the last modification in nanoseconds, and whether it is a folder."""

    length: int
    mtime_nsec: int
    is_directory: bool


def file_exists(filename: PathLike) -> bool:
    """True if there is a file or folder of that name."""
    return os.path.exists(local_path(filename))


def is_directory(dirname: PathLike) -> bool:
    """True if there is a folder of that name."""
    return os.path.isdir(local_path(dirname))


def stat(filename: PathLike) -> FileStatistics:
    """Size, time and kind of a file.

    Raises:
      NotFoundError: there is no such file.
    """
    path = local_path(filename)
    with _translated(path):
        found = os.stat(path)
    return FileStatistics(found.st_size, found.st_mtime_ns, _stat.S_ISDIR(found.st_mode))


def read_file_to_string(filename: PathLike, binary_mode: bool = False) -> Any:
    """The content of a file: text, or bytes with ``binary_mode``.

    Raises:
      NotFoundError: there is no such file.
    """
    with FileIO(filename, "rb" if binary_mode else "r") as file:
        return file.read()


def write_string_to_file(filename: PathLike, file_content: str | bytes) -> None:
    """Make a file with this content, in place of what it held."""
    with FileIO(filename, "w") as file:
        file.write(file_content)


def atomic_write_string_to_file(
    filename: PathLike, contents: str | bytes, overwrite: bool = True
) -> None:
    """Make a file with this content: whole, or not at all.

    Raises:
      AlreadyExistsError: the file exists, and ``overwrite`` is false.
    """
    path = local_path(filename)
    _refuse_existing(path, overwrite)
    atomic_write(path, contents.encode("utf-8") if isinstance(contents, str) else contents)


def _refuse_existing(path: str, overwrite: bool) -> None:
    if not overwrite and os.path.lexists(path):
        raise errors.AlreadyExistsError(None, None, f"{path}; file already exists")


def delete_file(filename: PathLike) -> None:
    """Remove a file.

    Raises:
      NotFoundError: there is no such file.
      FailedPreconditionError: it is a folder.
    """
    path = local_path(filename)
    if os.path.isdir(path) and not os.path.islink(path):
        raise errors.FailedPreconditionError(None, None, f"{path}; Is a directory")
    with _translated(path):
        os.unlink(path)


def delete_recursively(dirname: PathLike) -> None:
    """Remove a folder with all that is in it (a link is removed, not what it points to).

    Raises:
      NotFoundError: there is no such folder.
    """
    path = local_path(dirname)
    if not os.path.isdir(path) or os.path.islink(path):
        return delete_file(path)
    with _translated(path):
        shutil.rmtree(path)


def get_matching_files(filename: PathLike | Iterable[PathLike]) -> list[str]:
    """The names that match a pattern (or one of several), sorted; ``*`` stays within a folder."""
    patterns = [filename] if isinstance(filename, (str, bytes, os.PathLike)) else list(filename)
    found = [
        name
        for pattern in patterns
        for name in sorted(glob.glob(local_path(pattern), include_hidden=True))
    ]
    return list(dict.fromkeys(found))


def create_dir(dirname: PathLike) -> None:
    """Make a folder in one that exists.

    Raises:
      AlreadyExistsError: it exists.
      NotFoundError: the folder to make it in does not.
    """
    path = local_path(dirname)
    with _translated(path):
        os.mkdir(path)


def recursive_create_dir(dirname: PathLike) -> None:
    """Make a folder and those above it; it is no error if they exist.

    Raises:
      FailedPreconditionError: one of the names is that of a file.
    """
    path = local_path(dirname)
    try:
        with _translated(path):
            os.makedirs(path, exist_ok=True)
    except errors.AlreadyExistsError:
        raise errors.FailedPreconditionError(None, None, f"{path}; Not a directory") from None


def copy(oldpath: PathLike, newpath: PathLike, overwrite: bool = False) -> None:
    """Copy a file's content: the new file appears whole, or not at all.

    Raises:
      NotFoundError: there is no such file.
      AlreadyExistsError: the new name exists, and ``overwrite`` is false.
    """
    source, target = local_path(oldpath), local_path(newpath)
    _refuse_existing(target, overwrite)
    with _translated(source), open(source, "rb") as read, atomic_file(target) as written:
        shutil.copyfileobj(read, written)


def rename(oldname: PathLike, newname: PathLike, overwrite: bool = False) -> None:
    """Give a file or folder another name.

    Raises:
      NotFoundError: there is no such file.
      AlreadyExistsError: the new name exists, and ``overwrite`` is false.
    """
    source, target = local_path(oldname), local_path(newname)
    _refuse_existing(target, overwrite)
    with _translated(source):
        os.replace(source, target)


def list_directory(dirname: PathLike) -> list[str]:
    """The names in a folder, sorted.

    Raises:
      NotFoundError: there is no such folder.
    """
    path = local_path(dirname)
    if not os.path.isdir(path):
        raise errors.NotFoundError(None, None, f"{path}; Could not find directory")
    with _translated(path):
        return sorted(os.listdir(path))


def walk(top: PathLike, in_order: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """Each folder under ``top`` with the names of its folders and files; nothing if it is missing.

    With ``in_order``, a folder comes before those in it; otherwise after them.
    """
    path = local_path(top)
    try:
        names = list_directory(path)
    except errors.NotFoundError:
        return
    folders = [name for name in names if os.path.isdir(os.path.join(path, name))]
    plain = [name for name in names if name not in set(folders)]
    if in_order:
        yield path, folders, plain
    for folder in folders:
        # A link may lead back up here, and would be walked for ever.
        if not os.path.islink(os.path.join(path, folder)):
            yield from walk(os.path.join(path, folder), in_order)
    if not in_order:
        yield path, folders, plain


def file_crc32(filename: PathLike, block_size: int = 2**20) -> str:
    """The CRC-32 of a file, as ``0x...``.

    Raises:
      NotFoundError: there is no such file.
    """
    crc = 0
    with FileIO(filename, "rb") as file:
        while block := file.read(block_size):
            crc = zlib.crc32(block, crc)
    return f"{crc & 0xFFFFFFFF:#x}"


def filecmp(filename_a: PathLike, filename_b: PathLike) -> bool:
    """True if two files have the same content.

    Raises:
      NotFoundError: one of them does not exist.
    """
    if stat(filename_a).length != stat(filename_b).length:
        return False
    return read_bytes(local_path(filename_a)) == read_bytes(local_path(filename_b))
