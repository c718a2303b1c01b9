"""Files: modes, text and bytes, folders, and the errors of each call."""

from __future__ import annotations

import csv
import gzip
import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.core import errors
from workbench.core.platform import file_io, gfile


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_names_are_the_same_class() -> None:
    assert gfile.Open is gfile.GFile is gfile.FastGFile is file_io.FileIO


@pytest.mark.parametrize("mode", ["w", "wb"])
def test_write_and_read(tmp_path: Path, mode: str) -> None:
    path = str(tmp_path / "a.txt")
    with gfile.GFile(path, mode) as file:
        assert (file.name, file.mode) == (path, mode)
        file.write("one\r\n")
        file.write("zwölf\n".encode())
        assert file.tell() == 12
        assert file.size() == 12
        file.flush()
        assert os.path.getsize(path) == 12
    assert gfile.GFile(path).read() == "one\r\nzwölf\n"
    assert gfile.GFile(path, "rb").read() == b"one\r\nzw\xc3\xb6lf\n"
    with gfile.GFile(path, "a") as file:
        file.write("end")
    with gfile.GFile(path, "r") as file:
        assert file.readline() == "one\r\n"
        assert file.tell() == 5
        assert file.readlines() == ["zwölf\n", "end"]
        assert file.readline() == ""
        file.seek(0)
        assert list(file) == ["one\r\n", "zwölf\n", "end"]
        file.seek(-3, 2)
        assert file.read() == "end"
        file.seek(position=1)
        assert file.read(2) == "ne"
        file.seek(offset=1, whence=1)
        assert file.next() == "\n"
        assert file.size() == 15
        assert file.seekable()


def test_other_modes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with gfile.GFile(path, "w+") as file:
        file.write("abc")
        file.seek(0)
        assert file.read() == "abc"
    with gfile.GFile(path, "r+b") as file:
        file.write(b"X")
    with gfile.GFile(path, "a+") as file:
        file.write("d")
        file.seek(0)
        assert file.read() == "Xbcd"
    for mode in ("x", "", "rw", "rbb"):
        with pytest.raises(errors.InvalidArgumentError, match="the mode is"):
            gfile.GFile(path, mode)


def test_opening_waits_for_the_first_use(tmp_path: Path) -> None:
    file = gfile.GFile(tmp_path / "none", "r")
    with pytest.raises(errors.NotFoundError, match="none; No such file"):
        file.read()
    file.close()
    with gfile.GFile(tmp_path / "empty", "w"):
        pass
    assert names(tmp_path) == ["empty"]


def test_closing_twice_and_using_after(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with gfile.GFile(path, "w") as file:
        file.write("kept")
        file.close()
    file.close()
    with pytest.raises(errors.FailedPreconditionError, match="was closed"):
        file.write("more")
    read = gfile.GFile(path)
    assert read.read() == "kept"
    read.close()
    assert read.read() == "kept"
    read.close()


def test_modes_hold(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    with pytest.raises(errors.PermissionDeniedError, match="isn't open for writing"):
        gfile.GFile(path, "r").write("y")
    with pytest.raises(errors.PermissionDeniedError, match="isn't open for reading"):
        gfile.GFile(path, "a").read()
    with pytest.raises(errors.InvalidArgumentError, match="Invalid whence"):
        gfile.GFile(path).seek(0, 3)
    with pytest.raises(errors.InvalidArgumentError):
        gfile.GFile(path).seek(-1)
    with pytest.raises(TypeError, match="offset argument required"):
        gfile.GFile(path).seek()
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(errors.InvalidArgumentError, match="not UTF-8 text.*'rb'"):
        gfile.GFile(path).read()


def test_libraries_take_it_for_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    array = np.arange(3)
    with gfile.GFile(path, "wb") as file:
        np.save(file, array)
    with gfile.GFile(path, "rb") as file:
        np.testing.assert_array_equal(np.load(file), array)
    with gfile.GFile(path, "wb") as file:
        np.savez(file, x=array)
    with gfile.GFile(path, "rb") as file:
        np.testing.assert_array_equal(np.load(file)["x"], array)
    with gfile.GFile(path, "wb") as file:
        pickle.dump({"x": array}, file)
    with gfile.GFile(path, "rb") as file:
        assert pickle.load(file)["x"].tolist() == [0, 1, 2]
    with gfile.GFile(path, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb") as zipped:
        zipped.write(b"zipped")
    with gfile.GFile(path, "rb") as file, gzip.GzipFile(fileobj=file) as zipped:
        assert zipped.read() == b"zipped"
    with gfile.GFile(path, "w") as file:
        csv.writer(file).writerow([1, "a,b"])
    with gfile.GFile(path) as file:
        assert list(csv.reader(file)) == [["1", "a,b"]]
    with gfile.GFile(path) as file:
        assert io.StringIO(file.read()).getvalue() == '1,"a,b"\r\n'


def test_reading_in_one_expression_leaves_nothing_open(tmp_path: Path) -> None:
    # Unclosed files are errors in these tests.
    path = tmp_path / "a"
    path.write_text("x")
    assert gfile.GFile(path).read() == "x"


def test_exists_and_stat(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert not gfile.Exists(path)
    path.write_bytes(b"12345")
    os.utime(path, ns=(1, 2_000_000_001))
    assert gfile.Exists(path)
    assert gfile.Exists(str(path).encode())
    assert gfile.Exists(f"file://{path}")
    assert not gfile.IsDirectory(path)
    assert gfile.IsDirectory(tmp_path)
    assert gfile.Stat(path) == file_io.FileStatistics(5, 2_000_000_001, False)
    assert gfile.Stat(tmp_path).is_directory
    with pytest.raises(errors.NotFoundError):
        gfile.Stat(tmp_path / "none")


def test_folders(tmp_path: Path) -> None:
    gfile.MkDir(tmp_path / "a")
    with pytest.raises(errors.AlreadyExistsError):
        gfile.MkDir(tmp_path / "a")
    with pytest.raises(errors.NotFoundError):
        gfile.MkDir(tmp_path / "b" / "c")
    gfile.MakeDirs(tmp_path / "b" / "c")
    gfile.MakeDirs(tmp_path / "b" / "c")
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(errors.FailedPreconditionError):
            gfile.MakeDirs(path)
    assert gfile.ListDirectory(tmp_path) == ["a", "b", "file"]
    for path in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(errors.NotFoundError, match="Could not find directory"):
            gfile.ListDirectory(path)


def test_removal(tmp_path: Path) -> None:
    gfile.MakeDirs(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "file").write_text("")
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    with pytest.raises(errors.FailedPreconditionError):
        gfile.Remove(tmp_path / "a")
    with pytest.raises(errors.NotFoundError):
        gfile.Remove(tmp_path / "none")
    with pytest.raises(errors.NotFoundError):
        gfile.DeleteRecursively(tmp_path / "none")
    gfile.DeleteRecursively(tmp_path / "link")
    gfile.Remove(tmp_path / "a" / "b" / "file")
    gfile.DeleteRecursively(tmp_path / "a")
    assert names(tmp_path) == ["kept"]


@pytest.mark.parametrize("call", [gfile.Copy, gfile.Rename])
def test_copy_and_rename(tmp_path: Path, call: Any) -> None:
    (tmp_path / "a").write_text("content")
    (tmp_path / "b").write_text("old")
    with pytest.raises(errors.AlreadyExistsError, match="b; file already exists"):
        call(tmp_path / "a", tmp_path / "b")
    with pytest.raises(errors.NotFoundError):
        call(tmp_path / "none", tmp_path / "c")
    assert names(tmp_path) == ["a", "b"]
    call(tmp_path / "a", tmp_path / "b", overwrite=True)
    assert (tmp_path / "b").read_text() == "content"
    assert gfile.Exists(tmp_path / "a") == (call is gfile.Copy)
    call(tmp_path / "b", tmp_path / "c")
    assert (tmp_path / "c").read_text() == "content"


def test_glob(tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1", ".a3", "f/a4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = [os.path.relpath(each, tmp_path) for each in gfile.Glob(str(tmp_path / "a*"))]
    assert found == ["a1", "a2"]
    assert len(gfile.Glob(tmp_path / "*")) == 5
    both = gfile.Glob([tmp_path / "b1", tmp_path / "*1"])
    assert [os.path.basename(each) for each in both] == ["b1", "a1"]
    assert gfile.Glob(tmp_path / "none*") == []


def test_walk(tmp_path: Path) -> None:
    for name in ("x/y/1", "x/2", "z/3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "z" / "up").symlink_to(tmp_path)
    top = str(tmp_path)
    before = [
        (top, ["x", "z"], []),
        (top + "/x", ["y"], ["2"]),
        (top + "/x/y", [], ["1"]),
        (top + "/z", ["up"], ["3"]),
    ]
    assert list(gfile.Walk(tmp_path)) == before
    assert list(gfile.Walk(tmp_path, in_order=False)) == [before[i] for i in (2, 1, 3, 0)]
    assert list(gfile.Walk(tmp_path / "none")) == []


def test_whole_contents(tmp_path: Path) -> None:
    path = tmp_path / "a"
    file_io.write_string_to_file(path, "é")
    assert file_io.read_file_to_string(path) == "é"
    assert file_io.read_file_to_string(path, binary_mode=True) == b"\xc3\xa9"
    file_io.atomic_write_string_to_file(path, "123456789")
    with pytest.raises(errors.AlreadyExistsError):
        file_io.atomic_write_string_to_file(path, "x", overwrite=False)
    file_io.atomic_write_string_to_file(tmp_path / "b", b"123456789", overwrite=False)
    # The check value that CRC-32 is defined with.
    assert file_io.file_crc32(path) == file_io.file_crc32(path, block_size=4) == "0xcbf43926"
    assert file_io.filecmp(path, tmp_path / "b")
    file_io.write_string_to_file(path, "123456780")
    assert not file_io.filecmp(path, tmp_path / "b")
    file_io.write_string_to_file(path, "1")
    assert not file_io.filecmp(path, tmp_path / "b")


def test_other_file_systems_are_named() -> None:
    for call in (gfile.Exists, gfile.GFile, gfile.ListDirectory, gfile.Glob):
        with pytest.raises(errors.UnimplementedError, match="gs://bucket/x: only local files"):
            call("gs://bucket/x")
