"""Saver: what is saved comes back whole, under the names that it had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.saving import started, variable
from workbench.core.checkpoints.files import write_tensors
from workbench.core.checkpoints.reading import read_tensors
from workbench.train.saver_builder import BaseSaverBuilder

pytestmark = pytest.mark.usefixtures("graph")


def test_operations_have_the_names_that_scripts_use(graph: tf.Graph) -> None:
    v, w = variable("v", [1.0]), variable("w", 2.0)
    saver = tf.train.Saver()
    names = [op.name for op in graph.get_operations() if op.name.startswith("save")]
    assert names == [
        "save/Const",
        "save/SaveV2/tensor_names",
        "save/SaveV2/shape_and_slices",
        "save/SaveV2",
        "save/control_dependency",
        "save/RestoreV2/tensor_names",
        "save/RestoreV2/shape_and_slices",
        "save/RestoreV2",
        "save/Assign",
        "save/Assign_1",
        "save/restore_all",
    ]
    save = graph.get_operation_by_name("save/SaveV2")
    assert [t.name for t in save.inputs[3:]] == ["v:0", "w:0"]
    assert saver.saver_def == tf.train.SaverDef(
        filename_tensor_name="save/Const:0",
        save_tensor_name="save/control_dependency:0",
        restore_op_name="save/restore_all",
        max_to_keep=5,
        keep_checkpoint_every_n_hours=10000,
        version=2,
    )
    assert tf.train.Saver([v], name="mine").saver_def.restore_op_name == "mine/restore_all"
    assert tf.train.Saver([w]).saver_def.restore_op_name == "save_1/restore_all"


def test_save_and_restore(tmp_path: Path) -> None:
    values = {
        "single": np.float32(3.5),
        "matrix": np.arange(6, dtype=np.float64).reshape(2, 3),
        "flag": np.array([True, False]),
        "text": np.array([b"a", b""], object),
        "complex": np.array([1 + 2j], np.complex64),
        "half": np.array([1.5], np.float16),
        "empty": np.zeros((0, 3), np.int64),
    }
    variables = {name: tf.Variable(value, name=name) for name, value in values.items()}
    saver = tf.train.Saver()
    with started(*variables.values()) as session:
        path = saver.save(session, str(tmp_path / "model"))
        assert path == str(tmp_path / "model")
    with tf.Session() as session:
        assert saver.restore(session, path) is None
        for name, value in values.items():
            found = session.run(variables[name])
            assert np.asarray(found).dtype == value.dtype
            assert np.asarray(found).tolist() == value.tolist()
            assert np.shape(found) == value.shape
    assert tf.train.list_variables(path) == sorted((n, list(v.shape)) for n, v in values.items())


def test_operations_of_the_graph_save_and_restore(tmp_path: Path) -> None:
    v = variable("v", [1.0, 2.0])
    tf.train.Saver()
    with started(v) as session:
        path = str(tmp_path / "model")
        assert session.run("save/control_dependency:0", {"save/Const:0": path}) == path.encode()
        session.run(v.assign([0.0, 0.0]))
        session.run("save/restore_all", {"save/Const:0": path})
        assert session.run(v).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("sequentially", [False, True])
def test_names_and_subsets(tmp_path: Path, sequentially: bool) -> None:
    v, w = variable("v", 1.0), variable("w", 2.0)
    with started(v, w) as session:
        path = tf.train.Saver({"renamed": v, "w": w}).save(session, str(tmp_path / "model"))
        assert sorted(read_tensors(path)) == ["renamed", "w"]
        session.run([v.assign(0.0), w.assign(0.0)])
        tf.train.Saver({"renamed": w}, restore_sequentially=sequentially).restore(session, path)
        assert session.run([v, w]) == [0.0, 1.0]
        tf.train.Saver([w], restore_sequentially=sequentially).restore(session, path)
        assert session.run([v, w]) == [0.0, 2.0]
        tf.train.Saver({"w": v, "renamed": w}, restore_sequentially=sequentially).restore(
            session, path
        )
        assert session.run([v, w]) == [2.0, 1.0]


@pytest.mark.parametrize(
    ("step", "suffix"),
    [(7, "-7"), (np.int64(8), "-8"), ("variable", "-9"), ("tensor", "-10"), (0, "-0")],
)
def test_global_step(tmp_path: Path, step: Any, suffix: str) -> None:
    v = tf.Variable(9, name="step")
    chosen = {"variable": v, "tensor": v + 1}.get(step, step) if isinstance(step, str) else step
    with started(v) as session:
        path = tf.train.Saver().save(session, str(tmp_path / "m"), global_step=chosen)
        assert path == str(tmp_path / "m") + suffix
        assert tf.train.latest_checkpoint(str(tmp_path)) == path
    padded = tf.train.Saver(pad_step_number=True)
    with started(v) as session:
        assert padded.save(session, str(tmp_path / "m"), 3).endswith("m-00000003")


def test_reshape(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    write_tensors(path, {"v": np.arange(6, dtype=np.float32)})
    v = variable("v", np.zeros((2, 3)))
    with started(v) as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match="lhs shape= \\[2, 3\\]"):
            tf.train.Saver().restore(session, path)
        tf.train.Saver(reshape=True).restore(session, path)
        assert session.run(v).tolist() == [[0, 1, 2], [3, 4, 5]]
    write_tensors(path, {"v": np.arange(5, dtype=np.float32)})
    with started(v) as session:
        with pytest.raises(tf.errors.InvalidArgumentError, match="rhs shape= \\[5\\]"):
            tf.train.Saver(reshape=True).restore(session, path)
        assert session.run(v).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_variable_of_any_shape(tmp_path: Path) -> None:
    v = tf.Variable(tf.placeholder_with_default([1.0], [None]), validate_shape=False, name="v")
    path = str(tmp_path / "m")
    write_tensors(path, {"v": np.arange(6, dtype=np.float32)})
    with started(v) as session:
        tf.train.Saver().restore(session, path)
        assert session.run(v).size == 6


def test_deferred_build(tmp_path: Path, graph: tf.Graph) -> None:
    saver = tf.train.Saver(defer_build=True)
    v = variable("v", 4.0)
    with started(v) as session:
        with pytest.raises(RuntimeError, match="should be called before save"):
            saver.save(session, str(tmp_path / "m"))
        with pytest.raises(RuntimeError, match="should be called before save"):
            saver.restore(session, str(tmp_path / "m"))
    saver.build()
    count = graph.version
    saver.build()
    assert graph.version == count
    with started(v) as session:
        saver.restore(session, saver.save(session, str(tmp_path / "m")))


def test_a_builder_of_the_users(tmp_path: Path) -> None:
    class Upper(BaseSaverBuilder):
        def saveables_of(self, names_to_saveables: Any) -> Any:
            return super().saveables_of({"V": names_to_saveables[0]})

    v = variable("v", 4.0)
    with started(v) as session:
        path = tf.train.Saver([v], builder=Upper()).save(session, str(tmp_path / "m"))
    assert list(read_tensors(path)) == ["V"]


def test_savers_become_messages() -> None:
    with tf.name_scope("tower"):
        variable("v", 1.0)
        saver = tf.train.Saver()
    assert saver.to_proto() is saver.saver_def
    inside = saver.to_proto("tower")
    assert inside.restore_op_name == "save/restore_all"
    assert saver.to_proto("other") is None
    again = tf.train.Saver.from_proto(inside, import_scope="tower")
    assert again.saver_def == saver.saver_def
