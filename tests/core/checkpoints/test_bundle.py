"""Checkpoints in TensorFlow's own format: read as TensorFlow wrote them, and written for it."""

from __future__ import annotations

import base64
import random
import zlib
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import workbench as tf
from workbench.core.checkpoints.bundle_files import data_path, index_path, write_bundle
from workbench.core.checkpoints.files import remove_checkpoint
from workbench.core.checkpoints.reading import read_index, read_tensors
from workbench.core.checkpoints.slice_keys import slice_key
from workbench.core.checkpoints.sorted_table import read_table, read_varint, table_bytes, varint
from workbench.core.errors import DataLossError, InvalidArgumentError, NotFoundError

# What TensorFlow 2.15 wrote of a matrix, strings, a vector in two parts and a number, compressed.
INDEX = """
eNpjYGDjYJRi4mBk4BFmKEgsKmFgZGRsODCNg1GIVYiZYxqjgqTGDRbTWa7bPDhZRA5MQ5b5yAKSeugfdoqBQzhRPzu1KC81
ByjNIcTEwQTCGgKmPhozSphYBPMSc1M52IVYQKIKAhqcpjOPR71nYJEC2Qg1cA2TFSsXs8A0RisOLjag8UAWAwtfcUlqAQen
EIPCSU4NDtPd1+cLMgABI4io53OcDOcc+LRwAwMjcwnDLka4WMR2yxX7GTnOMPIzEAThvxu6VUrdbwMAFhIzEw==
"""
DATA = """
eNpV1GtoFgQUgOGzZW7mbeZMM9OlS81LLm+Zt326qdPUZi3vl2leZlquspzT6mtOncvLnJuIRIwQEQkRkRCRHBIxRGSIhKjo
EBEJEYkIEQkf9JeH8/D+OP9PRDI3IhKWZCIl9ezNa+VlG8vj6Tx/jGigkRZiQkQGWeSQoJBiSklSRQ0HaOAIxzlFI000c4UW
7vKAh8TEiFak044MMulGD7LIpj+DyGE4oxhLgnwKmE4hRcxlIcUsp4S1lLKeMjaTpIJKtlFFNTvZTQ211LGfAxzkJ36mgV84
xGGOcJRfOcZxTnCS3zjFac7wO42c4w/+pInzXOAizVziMn9xhatc5wYt3OI2d7jL39zjPg/4h3/5j4c84jH/E3kRKaTyAq14
kdakkU4bXqIt7WhPBzqSQSdepjOZdOEVutKNV+nOa/TgdXrSiyzeoDd9yOZN+tKP/rzFAAYyiMG8zRByeIehDGM4IxjJu4zi
PUYzhrGMYzy5JJjARPLIZxKTmUIBU5nG+0xnBjP5gEJm8SEfUcTHzGYOc5nHfBawkEUsZgnFLGUZn7CcFaxkFSWs5lPWsJbP
+Jx1lPIFX/IV6/mab9hAGRspZxOb+Zbv+J5kXiSJH5SoUGKLEpVKbFVimxLblahSYocS1Ur8qMROJXYpsVuJPUrUKLFXiVol
9ilRp0S91uelPXtY8QTV799R
"""
TENSORS: dict[str, Any] = {
    "a/kernel": np.array([[1, 2], [3, 4]], np.float32),
    "a/name": np.array([b"x", b"yz"], object),
    "part": np.arange(300, dtype=np.float32),
    "step": np.array(7, np.int64),
}


def content(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    """A checkpoint that TensorFlow wrote."""
    name = str(tmp_path / "model")
    Path(index_path(name)).write_bytes(content(INDEX))
    Path(data_path(name)).write_bytes(content(DATA))
    return name


def equal(first: Any, second: Any) -> bool:
    return first.dtype == second.dtype and np.array_equal(first, second)


def test_what_tensorflow_wrote_is_read(prefix: str) -> None:
    found = read_tensors(prefix)
    assert set(found) == set(TENSORS)
    assert all(equal(found[name], TENSORS[name]) for name in TENSORS)
    index = read_index(prefix)
    assert {name: entry.shape for name, entry in index.items()} == {
        name: value.shape for name, value in TENSORS.items()
    }
    with pytest.raises(NotFoundError, match="Key a/kernl not found.*nearest: a/kernel"):
        read_tensors(prefix, ["a/kernl"])


def test_variables_are_restored_from_it(prefix: str) -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        kernel = tf.get_variable("a/kernel", [2, 2])
        part = tf.get_variable("part", [300], partitioner=tf.fixed_size_partitioner(3))
        tf.train.Saver().restore(session, prefix)
        assert session.run(kernel).tolist() == [[1.0, 2.0], [3.0, 4.0]]
        assert equal(session.run(tf.convert_to_tensor(part)), TENSORS["part"])


def test_the_state_file_may_name_it(prefix: str) -> None:
    folder = str(Path(prefix).parent)
    tf.train.update_checkpoint_state(folder, prefix)
    assert tf.train.latest_checkpoint(folder) == prefix
    assert tf.train.checkpoint_exists(prefix)
    assert len(tf.train.get_checkpoint_mtimes([prefix])) == 1
    remove_checkpoint(prefix)
    assert sorted(path.name for path in Path(folder).iterdir()) == ["checkpoint"]


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0)
    tensors: dict[str, Any] = {
        f"layer_{i}/w{j}": numbers.normal(size=(i, j)).astype(np.float32)
        for i in range(6)
        for j in range(4)
    }
    kinds = ["int8", "uint16", "int32", "int64", "bool", "float16", "float64", "complex64"]
    tensors |= {kind: np.array([0, 1, 1], kind) for kind in kinds}
    tensors["bfloat16"] = np.array(1.5, ml_dtypes.bfloat16)
    tensors["texts"] = np.array([[b"", b"x" * 300], [b"\xff\x00", b"y"]], object)
    tensors["nothing"] = np.zeros([0, 3], np.float32)
    prefix = str(tmp_path / "model")
    write_bundle(prefix, tensors)
    found = read_tensors(prefix)
    assert set(found) == set(tensors)
    assert all(equal(found[name], tensors[name]) for name in tensors)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.data-00000-of-00001",
        "model.index",
    ]


def test_what_cannot_be_written(tmp_path: Path) -> None:
    for value in (np.array([1, None], object), np.array(["2020-01-01"], "datetime64[D]")):
        with pytest.raises(InvalidArgumentError, match="Tensor 'x' cannot be saved"):
            write_bundle(tmp_path / "model", {"x": value})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("which", ["index", "data"])
def test_every_flipped_bit_is_noticed(which: str, prefix: str) -> None:
    path = Path(index_path(prefix) if which == "index" else data_path(prefix))
    whole = path.read_bytes()
    places = random.Random(1)
    for _ in range(150):
        damaged = bytearray(whole)
        place = places.randrange(len(whole))
        damaged[place] ^= 1 << places.randrange(8)
        path.write_bytes(bytes(damaged))
        try:
            found = read_tensors(prefix)
        except DataLossError as error:
            assert prefix in str(error)
        else:
            # The empty block for filters, and the padding of the footer, mean nothing.
            assert which == "index" and all(equal(found[n], TENSORS[n]) for n in TENSORS)


@pytest.mark.parametrize("which", ["index", "data"])
def test_a_cut_file_is_noticed(which: str, prefix: str) -> None:
    path = Path(index_path(prefix) if which == "index" else data_path(prefix))
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(DataLossError):
            read_tensors(prefix)
    path.unlink()
    with pytest.raises(NotFoundError):
        read_tensors(prefix)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**63 + 5])
def test_numbers_of_any_length(value: int) -> None:
    assert read_varint(b"!" + varint(value) + b"!", 1) == (value, 1 + len(varint(value)))


def test_tables_of_many_blocks() -> None:
    entries = [(f"key/{i:06d}".encode(), bytes([i % 256]) * 50) for i in range(12000)]
    table = table_bytes(entries)
    assert list(read_table(table, "table")) == entries
    # Shared beginnings are left out: the keys alone would be larger than what is saved by that.
    assert len(table) < sum(len(k) + len(v) for k, v in entries)
    assert list(read_table(table_bytes([]), "table")) == []


@pytest.mark.parametrize(
    ("extents", "expected"),
    [
        # The ends of ranges, as the format's order-preserving numbers have them.
        ([(63, 64)], b"\xbf\xc0\x40"),
        ([(0, None)], b"\x80\x7f"),
        ([(8191, 8192)], b"\xdf\xff\xe0\x20\x00"),
        ([(0, 150)], b"\x80\xc0\x96"),
    ],
)
def test_keys_of_parts(extents: list[tuple[int, int | None]], expected: bytes) -> None:
    head = b"\x00w\x00\x01" + bytes([1, len(extents)])
    assert slice_key("w", extents) == head + expected


def test_keys_of_parts_sort_as_what_they_stand_for() -> None:
    starts = [0, 1, 63, 64, 100, 8191, 8192, 10**6, 2**31, 2**40, 2**62]
    keys = [slice_key("w", [(start, 1)]) for start in starts]
    assert keys == sorted(keys)
