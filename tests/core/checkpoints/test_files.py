"""Checkpoints: every type and bit survives; what is damaged or foreign is refused whole."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from workbench.core.checkpoints import files
from workbench.core.checkpoints import reading as reader
from workbench.core.errors import DataLossError, InvalidArgumentError, NotFoundError

TYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
    ml_dtypes.bfloat16,
]


def same(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> bool:
    """Equal in type, shape and every bit."""
    if left.dtype != right.dtype or left.shape != right.shape:
        return False
    if left.dtype == object:
        return bool(left.tolist() == right.tolist())
    return left.tobytes() == right.tobytes()


@pytest.fixture
def prefix(tmp_path: Path) -> str:
    return str(tmp_path / "model.ckpt-10")


def sample() -> dict[str, np.ndarray[Any, Any]]:
    generator = np.random.default_rng(0)
    return {
        "layer/weights": generator.normal(size=(4, 3)).astype(np.float32),
        "layer/biases": np.zeros(3, np.float32),
        "global_step": np.array(10, np.int64),
        "names": np.array([b"one", b"", b"th\x00ree\x00"], dtype=object),
        "half": generator.normal(size=(2, 2)).astype(ml_dtypes.bfloat16),
    }


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4)])
def test_every_type_and_shape(prefix: str, dtype: Any, shape: tuple[int, ...]) -> None:
    raw = np.random.default_rng(1).integers(0, 256, size=(*shape, np.dtype(dtype).itemsize))
    content = raw.astype(np.uint8).tobytes()
    values = np.frombuffer(content, np.dtype(dtype)).reshape(shape)
    if dtype == "bool":
        values = np.frombuffer(content, np.uint8).reshape(shape) % 2 == 1
    files.write_tensors(prefix, {"x": values})
    back = reader.read_tensors(prefix)["x"]
    assert same(back, values)
    assert back.flags.writeable
    assert reader.read_index(prefix) == {"x": reader.TensorEntry(np.dtype(dtype), shape)}


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=20), max_size=6))
def test_strings_keep_every_byte(tmp_path_factory: Any, values: list[bytes]) -> None:
    prefix = str(tmp_path_factory.mktemp("strings") / "model")
    array = np.empty(len(values), dtype=object)
    array[:] = values
    files.write_tensors(prefix, {"s": array, "scalar": np.array(b"x\x00", dtype=object)})
    back = reader.read_tensors(prefix)
    assert back["s"].tolist() == values
    assert back["s"].dtype == object
    assert back["scalar"].shape == ()
    assert back["scalar"].item() == b"x\x00"


def test_text_is_saved_as_utf_8(prefix: str) -> None:
    files.write_tensors(prefix, {"s": np.array([["é", "x"]])})
    assert reader.read_tensors(prefix)["s"].tolist() == [["é".encode(), b"x"]]


def test_strided_and_swapped_arrays(prefix: str) -> None:
    array = np.arange(12, dtype=np.int32).reshape(3, 4)
    files.write_tensors(
        prefix, {"t": array.T, "s": array[:, ::2], "big": array.astype(">i4"), "c": array.T * 1j}
    )
    back = reader.read_tensors(prefix)
    np.testing.assert_array_equal(back["t"], array.T)
    np.testing.assert_array_equal(back["s"], array[:, ::2])
    np.testing.assert_array_equal(back["big"], array)
    np.testing.assert_array_equal(back["c"], array.T * 1j)


def test_other_tools_read_the_file(prefix: str) -> None:
    tensors = sample()
    path = files.write_tensors(prefix, tensors, {"format": "np"})
    theirs = load_file(path)
    assert set(theirs) == set(tensors)
    assert same(theirs["layer/weights"], tensors["layer/weights"])
    assert same(theirs["half"].view(ml_dtypes.bfloat16), tensors["half"])
    assert reader.read_metadata(prefix) == {"format": "np"}


def test_files_of_other_tools_are_read(tmp_path: Path) -> None:
    path = tmp_path / "theirs.safetensors"
    tensors = {"a": np.arange(3.0), "b": np.zeros((2, 2), np.int8)}
    save_file(tensors, path)
    assert reader.read_index(path)["a"] == reader.TensorEntry(np.dtype(np.float64), (3,))
    for name, value in reader.read_tensors(path).items():
        assert same(value, tensors[name])


def test_names_and_chosen_tensors(prefix: str) -> None:
    tensors = sample()
    path = files.write_tensors(prefix, tensors)
    assert path == prefix + ".safetensors"
    assert os.listdir(os.path.dirname(prefix)) == ["model.ckpt-10.safetensors"]
    assert list(reader.read_index(prefix)) == sorted(tensors)
    assert list(reader.read_index(path)) == sorted(tensors)
    chosen = reader.read_tensors(prefix, ["names", "global_step"])
    assert list(chosen) == ["names", "global_step"]
    assert chosen["global_step"] == 10


def test_missing_tensors_are_all_named(prefix: str) -> None:
    files.write_tensors(prefix, sample())
    with pytest.raises(NotFoundError) as raised:
        reader.read_tensors(prefix, ["layer/weight", "names", "zzz"])
    message = str(raised.value)
    assert "Key layer/weight not found in checkpoint" in message
    assert "nearest: layer/weights" in message
    assert "Key zzz not found" in message
    assert prefix in message


def test_no_checkpoint(prefix: str) -> None:
    with pytest.raises(NotFoundError, match=r"model\.ckpt-10\.safetensors is missing"):
        reader.read_tensors(prefix)


def test_what_cannot_be_saved_leaves_the_old_file(prefix: str) -> None:
    files.write_tensors(prefix, {"x": np.array(1)})
    with pytest.raises(InvalidArgumentError, match=r"'d'.*datetime64"):
        files.write_tensors(prefix, {"x": np.array(2), "d": np.zeros(2, "datetime64[s]")})
    with pytest.raises(InvalidArgumentError, match="must hold bytes or str, but it holds 3"):
        files.write_tensors(prefix, {"x": np.array([b"a", 3], dtype=object)})
    with pytest.raises(NotFoundError):
        files.write_tensors(prefix + "/none/model", {"x": np.array(2)})
    assert reader.read_tensors(prefix)["x"] == 1


def test_a_cut_anywhere_is_refused(prefix: str) -> None:
    path = Path(files.write_tensors(prefix, sample()))
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        for read in (reader.read_tensors, reader.read_index):
            with pytest.raises(DataLossError) as raised:
                read(prefix)
            assert str(path) in str(raised.value)
            assert "damaged" in str(raised.value)


def test_a_flipped_bit_anywhere_is_refused_or_harmless(prefix: str) -> None:
    tensors = sample()
    path = Path(files.write_tensors(prefix, tensors))
    content = path.read_bytes()
    refused = 0
    for position in range(0, len(content), 3):
        damaged = bytearray(content)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        try:
            back = reader.read_tensors(prefix)
        except DataLossError as error:
            assert str(path) in str(error)
            refused += 1
        else:
            # Such as a blank at the end of the header: nothing that was read differs.
            assert set(back) == set(tensors)
            assert all(same(back[name], tensors[name]) for name in tensors)
    assert refused > 0.8 * (len(content) // 3)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello world, this is a letter to nobody",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\x80\x04\x95" + bytes(64),
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 8) + b"{nojson}",
    ],
)
def test_foreign_files_are_refused(prefix: str, content: bytes) -> None:
    Path(prefix + ".safetensors").write_bytes(content)
    with pytest.raises(DataLossError, match=r"model\.ckpt-10\.safetensors: .*not a safetensors"):
        reader.read_tensors(prefix)
    Path(prefix + ".safetensors").unlink()
    Path(prefix).write_bytes(content)
    with pytest.raises(DataLossError, match="not a safetensors"):
        reader.read_tensors(prefix)


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        ("{", "metadata cannot be read"),
        ("[]", "metadata cannot be read"),
        (json.dumps({"version": 1, "tensors": {}}), "does not match its metadata"),
        (json.dumps({"version": 1, "tensors": {"x": {"dtype": "f"}}}), "cannot be read"),
        (json.dumps({"version": 9, "tensors": {}}), "newer version"),
        (
            json.dumps(
                {"version": 1, "tensors": {"x": {"dtype": "odd", "shape": [1], "crc32": 0}}}
            ),
            "unknown type odd",
        ),
    ],
)
def test_damaged_metadata(prefix: str, ours: str, message: str) -> None:
    save_file({"x": np.zeros(1)}, prefix + ".safetensors", metadata={"workbench": ours})
    with pytest.raises(DataLossError, match=message):
        reader.read_tensors(prefix)


def test_a_description_of_another_size_is_refused(prefix: str) -> None:
    values = np.zeros(3, np.float32)
    for kind in ("float32", "string"):
        crc = files.checksum("x", kind, [2**40], values.view(np.uint8))
        described = {"x": {"dtype": kind, "shape": [2**40], "crc32": crc}}
        if kind == "string":
            described["x"]["shape"] = [5]
            described["x"]["crc32"] = files.checksum("x", kind, [5], values.view(np.uint8))
        ours = json.dumps({"version": 1, "tensors": described})
        save_file({"x": values}, prefix + ".safetensors", metadata={"workbench": ours})
        with pytest.raises(DataLossError, match="size of tensor 'x' does not match its shape"):
            reader.read_tensors(prefix)


def test_removal(prefix: str) -> None:
    files.write_tensors(prefix, sample())
    Path(prefix + ".meta").write_bytes(b"graph")
    files.remove_checkpoint(prefix)
    files.remove_checkpoint(prefix)
    assert os.listdir(os.path.dirname(prefix)) == []


def test_kills_while_writing_leave_whole_checkpoints(tmp_path: Path) -> None:
    """A process that writes checkpoints all the time is killed; each one found is whole."""
    code = (
        "import sys, numpy as np\n"
        "from workbench.core.checkpoints.files import write_tensors\n"
        "step = 0\n"
        "while True:\n"
        "    step += 1\n"
        "    values = np.full(20000, step, np.float64)\n"
        "    write_tensors(sys.argv[1] + '/model', {'a': values, 'b': values})\n"
        "    print(step, flush=True)\n"
    )
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            written = 0
            for _ in range(4):
                written = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
        tensors = reader.read_tensors(tmp_path / "model")
        assert tensors["a"][0] >= written
        for value in tensors.values():
            assert np.all(value == tensors["a"][0])
