"""A history on disk: what was written comes back, whatever happened to the file's end."""

from __future__ import annotations

import numpy as np
import pytest

from tests.live.support import FullDisk
from workbench.core.errors import DataLossError, InvalidArgumentError, NotFoundError, OpError
from workbench.live.history_file import HistoryFile, read_history


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history"


def write(path, batches: int, rows: int = 10) -> np.ndarray:
    """Write batches of random values; returns all of them."""
    values = np.random.default_rng(0).normal(size=(2, batches * rows))
    with HistoryFile(path, ["loss", "größe"]) as file:
        for start in range(0, batches * rows, rows):
            file.append(np.arange(start, start + rows), values[:, start : start + rows])
    return values


def test_what_was_written_comes_back(path):
    values = write(path, 7)
    history = read_history(path)
    assert history.names == ("loss", "größe")
    np.testing.assert_array_equal(history.steps, np.arange(70))
    np.testing.assert_array_equal(history["größe"], values[1])


def test_values_that_are_not_finite(path):
    with HistoryFile(path, ["a"]) as file:
        file.append([1, 2, 3], [[np.nan, np.inf, -np.inf]])
    np.testing.assert_array_equal(read_history(path)["a"], [np.nan, np.inf, -np.inf])


def test_large_batches_are_divided(path):
    values = np.arange(100_000.0)
    with HistoryFile(path, ["a"]) as file:
        file.append(np.arange(100_000), values[None])
    np.testing.assert_array_equal(read_history(path)["a"], values)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert 60_000 < read_history(path).count < 100_000


def test_without_names(path):
    with HistoryFile(path, []) as file:
        file.append([1, 5], np.empty((0, 2)))
        file.append([], np.empty((0, 0)))
    assert read_history(path).steps.tolist() == [1, 5]


def test_any_truncation_reads_up_to_the_last_good_block(path):
    write(path, 4)
    content = path.read_bytes()
    block = 12 + 10 * 3 * 8
    header = len(content) - 4 * block
    for length in range(header, len(content)):
        path.write_bytes(content[:length])
        assert read_history(path).count == (length - header) // block * 10


def test_any_flipped_bit_reads_up_to_the_block_before(path):
    values = write(path, 4)
    content = path.read_bytes()
    block = 12 + 10 * 3 * 8
    header = len(content) - 4 * block
    random = np.random.default_rng(1)
    for position in random.integers(header, len(content), 200).tolist():
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        history = read_history(path)
        assert history.count == (position - header) // block * 10
        np.testing.assert_array_equal(history["loss"], values[0, : history.count])


@pytest.mark.parametrize("damage", ["torn", "flipped"])
def test_writing_goes_on_after_the_last_good_block(path, damage):
    write(path, 3)
    content = bytearray(path.read_bytes())
    if damage == "torn":
        del content[-5:]
    else:
        content[-5] ^= 1
    path.write_bytes(content)
    with HistoryFile(path, ["loss", "größe"]) as file:
        file.append([20], [[1.0], [2.0]])
    history = read_history(path)
    assert history.count == 21
    assert history.last == (20, {"loss": 1.0, "größe": 2.0})


def test_killed_while_it_wrote_its_first_bytes(path):
    HistoryFile(path, ["a"]).close()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataLossError, match="holds no history"):
            read_history(path)
        HistoryFile(path, ["a"]).close()
        assert path.read_bytes() == whole


def test_rewinds_are_markers(path):
    with HistoryFile(path, ["a"]) as file:
        file.append(range(1, 11), [np.arange(10.0)])
        before = path.read_bytes()
        file.truncate(4)
        file.append([5, 6], [[-5.0, -6.0]])
        file.truncate(5)
        file.truncate(100)
        file.append([7], [[-7.0]])
    assert path.read_bytes().startswith(before)
    history = read_history(path)
    assert history.steps.tolist() == [1, 2, 3, 4, 5, 7]
    assert history["a"].tolist() == [0, 1, 2, 3, -5, -7]


def test_steps_that_do_not_rise_are_refused(path):
    with HistoryFile(path, ["a"]) as file:
        file.append([1, 2], [[0.0, 0.0]])
        for steps in ([2], [4, 3], [3, 3]):
            with pytest.raises(ValueError, match="rising"):
                file.append(steps, [[0.0] * len(steps)])
    with HistoryFile(path, ["a"]) as file, pytest.raises(ValueError, match="rising"):
        file.append([2], [[0.0]])
    assert read_history(path).count == 2


def test_other_names_are_refused(path):
    write(path, 1)
    with pytest.raises(InvalidArgumentError, match="the history of loss, größe; accuracy cannot"):
        HistoryFile(path, ["accuracy"])


def test_other_files_are_refused(path):
    with pytest.raises(NotFoundError):
        read_history(path)
    path.write_bytes(b"no history at all, but some text")
    with pytest.raises(DataLossError, match="holds no history"):
        read_history(path)
    with pytest.raises(DataLossError, match="holds no history"):
        HistoryFile(path, ["a"])
    assert path.read_bytes() == b"no history at all, but some text"


def test_a_full_disk_leaves_whole_blocks(path, monkeypatch):
    file = HistoryFile(path, ["a"])
    file.append([1], [[1.0]])
    whole = path.read_bytes()

    inner = file._file
    monkeypatch.setattr(file, "_file", FullDisk(inner))
    with pytest.raises(OpError, match="No space left"):
        file.append([2], [[2.0]])
    assert path.read_bytes() == whole
    monkeypatch.setattr(file, "_file", inner)
    file.append([2], [[3.0]])
    file.close()
    assert read_history(path)["a"].tolist() == [1.0, 3.0]


def test_a_million_steps_are_read(path):
    values = np.random.default_rng(0).normal(size=(3, 1_000_000))
    with HistoryFile(path, ["a", "b", "c"]) as file:
        for start in range(0, 1_000_000, 500):
            file.append(np.arange(start, start + 500), values[:, start : start + 500])
    np.testing.assert_array_equal(read_history(path)["c"], values[2])
