"""Variables that start with the values of a checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import workbench as tf
from workbench.core.checkpoints.files import write_tensors
from workbench.train.checkpoint_state import update_checkpoint_state

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture
def path(tmp_path: Path) -> str:
    prefix = str(tmp_path / "model")
    values = np.arange(6, dtype=np.float32)
    write_tensors(prefix, {"a/w": values.reshape(3, 2), "a/b": values[:2], "step": np.int64(7)})
    update_checkpoint_state(tmp_path, prefix)
    return prefix


def zeros(name: str, *shape: int) -> tf.Variable:
    return tf.get_variable(name, shape, initializer=tf.zeros_initializer())


def test_variables_names_and_scopes(path: str) -> None:
    w, b, other = zeros("new/w", 3, 2), zeros("new/b", 2), zeros("other", 2)
    tf.train.init_from_checkpoint(path, {"a/": "new/", "a/b": other})
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(w).tolist() == [[0, 1], [2, 3], [4, 5]]
        assert session.run(b).tolist() == session.run(other).tolist() == [0, 1]


def test_the_whole_checkpoint_and_its_folder(tmp_path: Path, path: str) -> None:
    w = zeros("a/w", 3, 2)
    tf.train.init_from_checkpoint(str(tmp_path), {"/": "/"})
    named = zeros("named", 2)
    tf.train.init_from_checkpoint(str(tmp_path), {"a/b": "named"})
    with tf.Session() as session:
        session.run([w.initializer, named.initializer])
        assert session.run(w).tolist() == [[0, 1], [2, 3], [4, 5]]
        assert session.run(named).tolist() == [0, 1]


def test_partitioned_variables(path: str) -> None:
    halves = tf.fixed_size_partitioner(2)
    v = tf.get_variable("p", [3, 2], partitioner=halves)
    tf.train.init_from_checkpoint(path, {"a/w": "p"})
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(tf.convert_to_tensor(v)).tolist() == [[0, 1], [2, 3], [4, 5]]
    tf.train.init_from_checkpoint(path, {"a/w": list(v)})
    tf.train.init_from_checkpoint(path, {"a/w": v})


def test_errors(path: str) -> None:
    zeros("new/w", 3, 3)
    zeros("c", 2)
    with pytest.raises(ValueError, match=r"Shape of variable new/w \(\(3, 3\)\).*a/w \(\[3, 2\]\)"):
        tf.train.init_from_checkpoint(path, {"a/w": "new/w"})
    with pytest.raises(ValueError, match="Tensor none is not found in"):
        tf.train.init_from_checkpoint(path, {"none": "c"})
    with pytest.raises(ValueError, match=r"Tensor new/w \(new/w in /\), c \(c in /\) is not found"):
        tf.train.init_from_checkpoint(path, {"/": "/"})
    with pytest.raises(ValueError, match="should map to scope only"):
        tf.train.init_from_checkpoint(path, {"a/": "new"})
    with pytest.raises(ValueError, match="no variables in the scope 'none/'"):
        tf.train.init_from_checkpoint(path, {"a/": "none/"})
    with pytest.raises(ValueError, match="There is no variable 'none'"):
        tf.train.init_from_checkpoint(path, {"a/w": "none"})
    with pytest.raises(tf.errors.NotFoundError, match="There is no checkpoint"):
        tf.train.init_from_checkpoint(path + "0", {"a/w": "c"})
