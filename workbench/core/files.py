"""Files that are written whole or not at all, and file errors in TensorFlow's terms.

Everything that leaves something on disk goes through :func:`atomic_file`: the content is written
under a temporary name in the same folder, brought to the disk and only then given its name. A
reader, or a restart after a crash at any moment, finds the old file or the new one.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from workbench.core import errors

# Hidden, so that a search for the final name's pattern does not find it.
_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{16}\.partial")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

_CODES = {
    errors.INVALID_ARGUMENT: "EINVAL ENAMETOOLONG E2BIG EDOM EFAULT EILSEQ ESPIPE ELOOP",
    errors.DEADLINE_EXCEEDED: "ETIMEDOUT",
    errors.NOT_FOUND: "ENOENT ENODEV ENXIO ESRCH",
    errors.ALREADY_EXISTS: "EEXIST EALREADY",
    errors.PERMISSION_DENIED: "EPERM EACCES EROFS",
    errors.FAILED_PRECONDITION: "ENOTEMPTY EISDIR ENOTDIR EBADF EBUSY ETXTBSY EPIPE EXDEV",
    errors.RESOURCE_EXHAUSTED: "ENOSPC EDQUOT EMFILE ENFILE ENOMEM EMLINK",
    errors.OUT_OF_RANGE: "EFBIG EOVERFLOW ERANGE",
    errors.UNIMPLEMENTED: "ENOSYS ENOTSUP EOPNOTSUPP",
    errors.UNAVAILABLE: "EAGAIN ENETDOWN ENETUNREACH ECONNREFUSED EHOSTUNREACH",
    errors.DATA_LOSS: "EIO",
    errors.ABORTED: "EDEADLK ESTALE",
    errors.CANCELLED: "ECANCELED",
}
_CODE_OF_ERRNO = {
    getattr(errno, name): code
    for code, names in _CODES.items()
    for name in names.split()
    if hasattr(errno, name)
}


def local_path(path: str | bytes | os.PathLike[str]) -> str:
    """``path`` as a string for the local file system; ``file://`` is taken off.

    Raises:
      UnimplementedError: the path belongs to another file system, such as ``gs://``.

    >>> local_path("file:///tmp/model")
    '/tmp/model'
    """
    text = os.fsdecode(path)
    match = _SCHEME.match(text)
    if match is None:
        return text
    if match[1] == "file":
        return text[match.end() :]
    raise errors.UnimplementedError(
        None, None, f"{text}: only local files can be opened, not '{match[1]}://' addresses"
    )


def error_from(error: OSError, path: str | os.PathLike[str]) -> errors.OpError:
    """The error of TensorFlow's table for an operating system's error at ``path``.

    >>> error_from(FileNotFoundError(errno.ENOENT, "No such file or directory"), "a.txt")
    NotFoundError('a.txt; No such file or directory')
    """
    code = _CODE_OF_ERRNO.get(error.errno or 0, errors.UNKNOWN)
    message = f"{os.fspath(path)}; {error.strerror or error}"
    return errors.exception_type_from_error_code(code)(None, None, message)


@contextmanager
def translated_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn the operating system's errors inside the block into TensorFlow's, naming ``path``.

    >>> with translated_errors("a.txt"):
    ...     raise FileNotFoundError(errno.ENOENT, "No such file or directory")
    Traceback (most recent call last):
    ...
    workbench.core.errors.NotFoundError: a.txt; No such file or directory
    """
    try:
        yield
    except OSError as error:
        raise error_from(error, path) from error


def sync_directory(directory: str | os.PathLike[str]) -> None:
    """Bring a folder's entries to the disk, so that a rename in it survives a power cut."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except PermissionError:
        # Windows opens no folders and has no such call; its renames are journalled.
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems refuse to sync a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new binary file that becomes ``path`` when the block ends without an error.

    Until then, and after an error for good, ``path`` is what it was before.

    Raises:
      OpError: as the operating system's error demands (NotFoundError for a missing folder,
        ResourceExhaustedError for a full disk, and so on).

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_file(folder + "/notes.txt") as file:
    ...         _ = file.write(b"all of it")
    ...     os.listdir(folder)
    ['notes.txt']
    """
    target = local_path(path)
    directory, name = os.path.split(target)
    temporary = os.path.join(directory, f".{name[:200]}.{os.urandom(8).hex()}.partial")
    with translated_errors(target):
        # Not a temporary file of the library: those are readable by their owner alone, and the
        # result should get the permissions that any new file gets.
        with open(temporary, "xb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                file.close()
                os.replace(temporary, target)
            except BaseException:
                # An interrupt must not leave the temporary file behind either.
                file.close()
                with suppress(OSError):
                    os.unlink(temporary)
                raise
        sync_directory(directory or os.curdir)


def atomic_write(path: str | os.PathLike[str], content: bytes) -> None:
    """Make ``path`` a file with this content: whole, or not at all.

    Raises:
      OpError: as :func:`atomic_file`.
    """
    with atomic_file(path) as file:
        file.write(content)


def remove_leftovers(directory: str | os.PathLike[str], older_than: float = 3600.0) -> None:
    """Remove temporary files that a killed writer left in ``directory``.

    A file that is still being written is touched again and again; one that was not for
    ``older_than`` seconds has no writer any more.
    """
    oldest = time.time() - older_than
    with suppress(OSError), os.scandir(directory or os.curdir) as entries:
        for entry in entries:
            if _TEMPORARY.fullmatch(entry.name):
                with suppress(OSError):
                    if entry.stat().st_mtime < oldest:
                        os.unlink(entry.path)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of the file ``path``.

    Raises:
      OpError: NotFoundError where there is no such file, and so on.
    """
    target = local_path(path)
    with translated_errors(target), open(target, "rb") as file:
        return file.read()
