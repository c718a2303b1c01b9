"""Whole or not at all: what stands under a name after errors, kills and interrupts."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.core import errors, files


def test_write_and_replace(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    files.atomic_write(path, b"first")
    files.atomic_write(str(path), b"second")
    assert files.read_bytes(path) == b"second"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    files.atomic_write(tmp_path / "ours", b"")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_inside_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.bin"
    files.atomic_write(path, b"old")
    with pytest.raises(error), files.atomic_file(path) as file:
        file.write(b"half of the new")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_kill_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    files.atomic_write(path, b"old")
    code = (
        "import sys, time\n"
        "from workbench.core.files import atomic_file\n"
        "with atomic_file(sys.argv[1]) as file:\n"
        "    file.write(b'half'); file.flush(); print('ready', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"
    [leftover] = [name for name in os.listdir(tmp_path) if name != "a.bin"]
    files.remove_leftovers(tmp_path)
    assert leftover in os.listdir(tmp_path), "it might still be written"
    past = time.time() - 7200
    os.utime(tmp_path / leftover, (past, past))
    files.remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["a.bin"]


def test_only_our_leftovers_are_removed(tmp_path: Path) -> None:
    names = [".profile", "data.partial", ".x.0123456789abcdef.partial.txt", ".x.12.partial"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (0, 0))
    files.remove_leftovers(tmp_path)
    files.remove_leftovers(tmp_path / "nowhere")
    assert sorted(os.listdir(tmp_path)) == sorted(names)


def test_long_names(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    files.atomic_write(path, b"x")
    assert path.read_bytes() == b"x"


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(errors.NotFoundError, match="nowhere"):
        files.atomic_write(tmp_path / "nowhere" / "a.bin", b"")
    with pytest.raises(errors.NotFoundError, match=r"b\.bin; No such file"):
        files.read_bytes(tmp_path / "b.bin")
    with pytest.raises(errors.FailedPreconditionError):
        files.read_bytes(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(errors.FailedPreconditionError, match="folder"):
        files.atomic_write(tmp_path / "folder", b"")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOENT, errors.NotFoundError),
        (errno.EEXIST, errors.AlreadyExistsError),
        (errno.EACCES, errors.PermissionDeniedError),
        (errno.ENOSPC, errors.ResourceExhaustedError),
        (errno.ENOTEMPTY, errors.FailedPreconditionError),
        (errno.EINVAL, errors.InvalidArgumentError),
        (errno.EIO, errors.DataLossError),
        (123456, errors.UnknownError),
    ],
)
def test_operating_system_errors(number: int, error: type[errors.OpError]) -> None:
    with pytest.raises(error, match="a file; the reason"), files.translated_errors("a file"):
        raise OSError(number, "the reason")


def test_addresses_of_other_file_systems() -> None:
    assert files.local_path(b"plain/path") == "plain/path"
    assert files.local_path("file:///tmp/x") == "/tmp/x"
    assert files.local_path(Path("/tmp/x")) == "/tmp/x"
    with pytest.raises(errors.UnimplementedError, match="gs://bucket/x"):
        files.local_path("gs://bucket/x")
