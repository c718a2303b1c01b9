"""The operations that save and restore tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as tf
from workbench.core.checkpoints.files import write_tensors
from workbench.core.checkpoints.reading import read_tensors
from workbench.core.ops.checkpoint import restore_v2, save_v2
from workbench.core.ops.creation import call, create

pytestmark = pytest.mark.usefixtures("graph")


def test_any_tensors_are_saved(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    x = tf.placeholder(tf.float32, [])
    save = save_v2(path, ["a", "b"], ["", ""], [x * 2.0, [b"s"]])
    restored = restore_v2(path, ["b", "a"], ["", ""], [tf.string, tf.float32])
    with tf.Session() as session:
        session.run(save, {x: 3.0})
        text, number = session.run(restored)
        assert text.tolist() == [b"s"] and number == 6.0 and isinstance(number, np.float32)
        assert session.run(restored[0]).tolist() == [b"s"]


def test_what_is_saved_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.core.ops import checkpoint

    v = tf.Variable(np.ones(1000, np.float32), name="v")
    save = save_v2(str(tmp_path / "m"), ["v"], [""], [v])
    with tf.Session() as session:
        session.run(v.initializer)
        add = session.make_callable(v.assign_add(np.ones(1000, np.float32)))

        def write_after_a_step(path: str, tensors: dict[str, np.ndarray]) -> str:  # type: ignore[type-arg]
            add()
            return original(path, tensors)

        original = checkpoint.write_tensors
        monkeypatch.setattr(checkpoint, "write_tensors", write_after_a_step)
        session.run(save)
        assert session.run(v)[0] == 2.0
    assert np.all(read_tensors(tmp_path / "m")["v"] == 1.0)


def test_slices(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    parts = ["4 2 0,1:-", "4 2 1,3:-"]
    save = save_v2(path, ["w", "w"], parts, [[[0, 1]], [[2, 3], [4, 5], [6, 7]]])
    (first, rest) = restore_v2(path, ["w", "w"], ["4 2 0,3:1,1", ""], [tf.int32, tf.int32])
    assert first.shape.as_list() == [3, 1] and rest.shape.ndims is None
    with tf.Session() as session:
        session.run(save)
        found = session.run([first, rest])
    assert found[0].tolist() == [[1], [3], [5]]
    assert found[1].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_errors(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    with tf.Session() as session:
        with pytest.raises(ValueError, match="as many names and slices as tensors: 2 != 1"):
            save_v2(path, ["a", "b"], [""], [1.0])
        with pytest.raises(ValueError, match="as many names and slices as tensors: 1 != 2"):
            restore_v2(path, ["a", "b"], [""], [tf.float32] * 2)
        names = tf.placeholder(tf.string)
        save = save_v2(path, names, [""], [1.0])
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="as many names and"):
            session.run(save, {names: ["a", "b"]})
        with pytest.raises(tf.errors.InvalidArgumentError, match="Two tensors are saved as 'a'"):
            session.run(save_v2(path, ["a", "a"], ["", ""], [1.0, 2.0]))
        with pytest.raises(ValueError, match="names no part of a tensor"):
            restore_v2(path, ["a"], ["x"], [tf.float32])
        with pytest.raises(ValueError, match="must be rank 0 but is rank 1"):
            restore_v2([path], ["a"], [""], [tf.float32])
        session.run(save_v2(path, ["a"], [""], [[1.0, 2.0]]))
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[3\], but it has shape \[2\]"):
            session.run(restore_v2(path, ["a"], ["3 0,1"], [tf.float32]))
        with pytest.raises(tf.errors.NotFoundError, match="and 10 more"):
            names = [f"n{i}" for i in range(30)]
            session.run(restore_v2(path, names, [""] * 30, [tf.float32] * 30))


def test_resources_are_compared_too(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    handles = [call("VarHandleOp", name, dtype=tf.float32, shape=[2]) for name in "vw"]
    values = [call("ReadVariableOp", resource=handle, dtype=tf.float32) for handle in handles]
    tensors = restore_v2(path, ["v", "w"], ["", ""], [tf.float32] * 2)
    restore = tf.group(
        *(
            create("AssignVariableOp", resource=handle, value=tf.identity(tensor))
            for handle, tensor in zip(handles, tensors, strict=True)
        )
    )
    with tf.Session() as session:
        for sizes in ((2, 2), (3, 3), (2, 3)):
            tensors = {name: np.full(n, n, "f") for name, n in zip("vw", sizes, strict=True)}
            write_tensors(path, tensors)
            if sizes == (2, 2):
                session.run(restore)
            else:
                with pytest.raises(tf.errors.InvalidArgumentError, match="rhs shape= .3."):
                    session.run(restore)
            assert [value.tolist() for value in session.run(values)] == [[2.0, 2.0]] * 2
