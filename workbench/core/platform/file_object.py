"""A file as ``tf.gfile.GFile`` has it: errors of ``tf.errors``, bytes or UTF-8 text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from workbench.core import errors
from workbench.core.files import local_path
from workbench.core.files import translated_errors as _translated

PathLike = str | bytes | os.PathLike[str]


class FileIO:
    """A file for reading or writing. It is opened at the first read or write.

    Text modes (``r``, ``w``, ``a``, ``r+``, ``w+``, ``a+``) read ``str``, and with a ``b`` they
    read ``bytes``; both are written in any mode. Lines end in ``\\n`` and nothing else.

    Raises (when it is used):
      NotFoundError: there is no such file, or no such folder to write it in.
      PermissionDeniedError: the mode does not allow what is asked for.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with FileIO(folder + "/notes.txt", "w") as file:
    ...         file.write("one\\ntwo\\n")
    ...     FileIO(folder + "/notes.txt", "r").readlines()
    ['one\\n', 'two\\n']
    """

    def __init__(self, name: PathLike, mode: str = "r") -> None:
        kind = mode.replace("b", "")
        if kind not in ("r", "w", "a", "r+", "w+", "a+") or mode.count("b") > 1:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"{os.fsdecode(name)}: the mode is {mode!r}; it must be one of r, w, a, r+, w+, "
                f"a+, with or without b",
            )
        self.__name = os.fsdecode(name)
        self.__mode = mode
        self._path = local_path(name)
        self._is_binary = "b" in mode
        self._python_mode = kind[0] + "b" + kind[1:]
        self._reads = kind[0] == "r" or "+" in kind
        self._writes = kind != "r"
        self._file: BinaryIO | None = None
        self._was_opened = False

    @property
    def name(self) -> str:
        """The file's name, as it was given."""
        return self.__name

    @property
    def mode(self) -> str:
        """The mode, as it was given."""
        return self.__mode

    def _opened(self) -> BinaryIO:
        if self._file is None:
            if self._was_opened and self._writes:
                # To open it again would empty it, or write where the user does not expect it.
                raise errors.FailedPreconditionError(
                    None, None, f"{self.__name}: the file was closed"
                )
            with _translated(self._path):
                # Not closed here: the object itself is the context.
                opened = open(self._path, self._python_mode)  # noqa: SIM115
            self._file = cast(BinaryIO, opened)
            self._was_opened = True
        return self._file

    def _for_reading(self) -> BinaryIO:
        if not self._reads:
            raise errors.PermissionDeniedError(
                None, None, f"{self.__name}: File isn't open for reading"
            )
        return self._opened()

    def _for_writing(self) -> BinaryIO:
        if not self._writes:
            raise errors.PermissionDeniedError(
                None, None, f"{self.__name}: File isn't open for writing"
            )
        return self._opened()

    def _as_read(self, content: bytes) -> Any:
        if self._is_binary:
            return content
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"{self.__name}: it is not UTF-8 text ({error}); open it with mode 'rb'",
            ) from None

    def size(self) -> int:
        """The file's size in bytes."""
        if self._file is not None and self._writes:
            self._file.flush()
        with _translated(self._path):
            return os.stat(self._path).st_size

    def read(self, n: int = -1) -> Any:
        """The next ``n`` bytes, or all that is left."""
        file = self._for_reading()
        with _translated(self._path):
            return self._as_read(file.read(n))

    def readline(self) -> Any:
        """The next line with its end, or nothing at the end of the file."""
        file = self._for_reading()
        with _translated(self._path):
            return self._as_read(file.readline())

    def readlines(self) -> list[Any]:
        """All lines that are left, with their ends."""
        return list(self)

    def write(self, file_content: str | bytes) -> None:
        """Write text (as UTF-8) or bytes at the end of what was written."""
        content = file_content.encode("utf-8") if isinstance(file_content, str) else file_content
        file = self._for_writing()
        with _translated(self._path):
            file.write(content)

    def seek(self, offset: int | None = None, whence: int = 0, position: int | None = None) -> None:
        """Go to ``offset`` from the start (``whence`` 0), the position (1) or the end (2)."""
        if offset is None:
            offset = position
        if offset is None:
            raise TypeError("seek(): offset argument required")
        if whence not in (0, 1, 2):
            raise errors.InvalidArgumentError(
                None, None, f"Invalid whence argument: {whence}. Valid values are 0, 1, or 2."
            )
        file = self._opened()
        with _translated(self._path):
            file.seek(offset, whence)

    def tell(self) -> int:
        """The position in the file, in bytes."""
        file = self._opened()
        with _translated(self._path):
            return file.tell()

    def flush(self) -> None:
        """Hand what was written to the operating system; other readers see it then."""
        if self._file is not None and self._writes:
            with _translated(self._path):
                self._file.flush()

    def seekable(self) -> bool:
        """True: every position can be gone to."""
        return True

    def close(self) -> None:
        """Close the file. One that was opened for writing exists now, if only empty."""
        if self._writes and not self._was_opened:
            self._opened()
        if self._file is not None:
            file, self._file = self._file, None
            with _translated(self._path):
                file.close()

    def __del__(self) -> None:
        # Scripts read a file in one expression and leave the closing to the interpreter.
        file = getattr(self, "_file", None)
        if file is not None:
            file.close()

    def __enter__(self) -> FileIO:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    next = __next__
