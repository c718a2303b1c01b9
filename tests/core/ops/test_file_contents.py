"""Files as tensors, and tensors as strings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


def value(fetches: Any, feed: Any = None) -> Any:
    with tf.Session() as session:
        return session.run(fetches, feed)


def test_files(tmp_path: Path) -> None:
    name = tf.placeholder(tf.string, [])
    path = tmp_path / "new" / "deep" / "file.bin"
    write = tf.write_file(name, b"a\0\xff\0")
    read = tf.read_file(name)
    assert read.shape.as_list() == []
    value(write, {name: str(path)})
    assert path.read_bytes() == b"a\0\xff\0"
    assert value(read, {name: str(path)}) == b"a\0\xff\0"


def test_a_file_is_read_in_each_run(tmp_path: Path) -> None:
    path = tmp_path / "file"
    read = tf.read_file(str(path))
    with tf.Session() as session:
        for content in (b"1", b"2"):
            path.write_bytes(content)
            assert session.run(read) == content
        path.unlink()
        with pytest.raises(tf.errors.NotFoundError) as caught:
            session.run(read)
    assert str(path) in str(caught.value)
    with pytest.raises(ValueError, match="must be rank 0 but is rank 1"):
        tf.read_file([str(path)])


def test_matching_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.csv"):
        (tmp_path / name).touch()
    texts = [str(tmp_path / "a.txt").encode(), str(tmp_path / "b.txt").encode()]
    found = tf.matching_files(str(tmp_path / "*.txt"))
    assert found.shape.as_list() == [None]
    assert value(found).tolist() == texts
    several = tf.matching_files([str(tmp_path / "c*"), str(tmp_path / "?.txt")])
    assert value(several).tolist() == [str(tmp_path / "c.csv").encode(), *texts]
    assert value(tf.matching_files(str(tmp_path / "none*"))).tolist() == []


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.float64(1.5),
        np.array([b"a\0", b""], object),
        np.array(True),
        np.zeros((0, 2), np.int64),
        np.array([1 + 2j], np.complex64),
        np.array([1.5], ml_dtypes.bfloat16),
    ],
)
def test_tensors_in_strings(array: Any) -> None:
    dtype = tf.as_dtype(np.asarray(array).dtype)
    x = tf.placeholder(dtype)
    content = tf.serialize_tensor(x)
    parsed = tf.parse_tensor(content, dtype)
    assert content.shape.as_list() == [] and parsed.shape.ndims is None
    text, found = value([content, parsed], {x: array})
    assert np.asarray(found).dtype == np.asarray(array).dtype
    assert np.shape(found) == np.shape(array) and np.array_equal(found, array)
    assert np.array_equal(tf.make_ndarray(_tensor_proto(text)), array)


def _tensor_proto(content: bytes) -> Any:
    from workbench.core.protos import TensorProto

    return TensorProto.FromString(content)


def test_strings_that_hold_no_tensor() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse `serialized`"):
        value(tf.parse_tensor(b"\xff\xff", tf.int32))
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        value(tf.parse_tensor(tf.serialize_tensor([1.0]), tf.int32))
    assert "Type mismatch between parsed tensor (float32) and dtype (int32)" in str(caught.value)
