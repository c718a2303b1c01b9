"""Saver: what is saved comes back whole, or not at all; old checkpoints go as they should."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.checkpoints.files import write_tensors
from workbench.core.checkpoints.reading import read_tensors
from workbench.train import saver as saver_module
from workbench.train.saver_builder import BaseSaverBuilder


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def variable(name: str, value: Any, **arguments: Any) -> Any:
    return tf.Variable(np.array(value, np.float32), name=name, **arguments)


def started(*variables: Any) -> Any:
    session = tf.Session()
    session.run([each.initializer for each in variables])
    return session


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


def test_parts_of_a_partitioned_variable_are_one_tensor(tmp_path: Path) -> None:
    whole = np.arange(10, dtype=np.float32).reshape(5, 2)
    halves = tf.fixed_size_partitioner(2)
    v = tf.get_variable("v", initializer=tf.constant(whole), partitioner=halves)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        path = tf.train.Saver().save(session, str(tmp_path / "m"))
        assert read_tensors(path)["v"].tolist() == whole.tolist()
        only_part = tf.train.Saver({"v": [next(iter(v))]})
        with pytest.raises(tf.errors.InvalidArgumentError, match="do not make up its shape"):
            only_part.save(session, str(tmp_path / "part"))
    with tf.Graph().as_default(), tf.Session() as session:
        thirds = tf.fixed_size_partitioner(3)
        v = tf.get_variable("v", [5, 2], partitioner=thirds)
        tf.train.Saver([v]).restore(session, path)
        assert session.run(tf.convert_to_tensor(v)).tolist() == whole.tolist()
        parts = list(v)
        assert [session.run(part).tolist() for part in parts] == [
            whole[:2].tolist(),
            whole[2:4].tolist(),
            whole[4:].tolist(),
        ]
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.get_variable("v", [5, 2])
        tf.train.Saver().restore(session, path)
        assert session.run(v).tolist() == whole.tolist()
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.get_variable("v", [6, 2], partitioner=halves)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[6, 2\], but.*\[5, 2\]"):
            tf.train.Saver().restore(session, path)


# -- which checkpoints are kept ------------------------------------------------------------------


def files_in(folder: Path, suffix: str) -> list[str]:
    return sorted(name for name in os.listdir(folder) if name.endswith(suffix))


def test_old_checkpoints_are_removed(tmp_path: Path) -> None:
    v = variable("v", 1.0)
    saver = tf.train.Saver(max_to_keep=2)
    with started(v) as session:
        paths = [saver.save(session, str(tmp_path / "m"), step) for step in range(4)]
    assert saver.last_checkpoints == paths[2:]
    assert files_in(tmp_path, ".safetensors") == ["m-2.safetensors", "m-3.safetensors"]
    assert files_in(tmp_path, ".meta") == ["m-2.meta", "m-3.meta"]
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert state.model_checkpoint_path == paths[3]
    assert list(state.all_model_checkpoint_paths) == paths[2:]


@pytest.mark.parametrize("limit", [None, 0])
def test_all_checkpoints_are_kept(tmp_path: Path, limit: int | None) -> None:
    v = variable("v", 1.0)
    saver = tf.train.Saver(max_to_keep=limit)
    with started(v) as session:
        for step in range(7):
            saver.save(session, str(tmp_path / "m"), step, meta_graph_suffix="graph")
    assert len(files_in(tmp_path, ".safetensors")) == len(files_in(tmp_path, ".graph")) == 7
    assert saver.last_checkpoints == []
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert list(state.all_model_checkpoint_paths) == [str(tmp_path / "m-6")]


def test_one_checkpoint_in_some_hours_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(saver_module.time, "time", lambda: now[0])
    v = variable("v", 1.0)
    saver = tf.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=1.0)
    with started(v) as session:
        for half_hours in range(6):
            now[0] = half_hours * 1800.0 + 1.0
            saver.save(session, str(tmp_path / "m"), half_hours, write_meta_graph=False)
    assert files_in(tmp_path, "") == [
        "checkpoint",
        "m-2.safetensors",
        "m-4.safetensors",
        "m-5.safetensors",
    ]


def test_the_same_name_again(tmp_path: Path) -> None:
    v = variable("v", 1.0)
    saver = tf.train.Saver(max_to_keep=2)
    with started(v) as session:
        a, b = (saver.save(session, str(tmp_path / name)) for name in "ab")
        session.run(v.assign(5.0))
        assert saver.save(session, a) == a
        assert saver.last_checkpoints == [b, a]
        assert read_tensors(a)["v"] == 5.0
        saver.save(session, str(tmp_path / "c"))
    assert files_in(tmp_path, ".safetensors") == ["a.safetensors", "c.safetensors"]


def test_checkpoints_of_a_run_before(tmp_path: Path) -> None:
    v = variable("v", 1.0)
    first = tf.train.Saver(max_to_keep=2)
    with started(v) as session:
        paths = [first.save(session, str(tmp_path / "m"), step) for step in range(2)]
        second = tf.train.Saver(saver_def=first.as_saver_def())
        second.recover_last_checkpoints([*paths, str(tmp_path / "gone")])
        assert second.last_checkpoints == paths
        second.save(session, str(tmp_path / "m"), 2)
        assert files_in(tmp_path, ".safetensors") == ["m-1.safetensors", "m-2.safetensors"]
        third = tf.train.Saver(saver_def=first.as_saver_def())
        third.set_last_checkpoints(second.last_checkpoints)
        for step in (3, 4):
            third.save(session, str(tmp_path / "m"), step)
        assert len(files_in(tmp_path, ".safetensors")) == 4
        third.set_last_checkpoints_with_time([(paths[1], 0.0)])
        assert third.last_checkpoints == [paths[1]]


def test_the_graph_is_written_as_it_is_now(tmp_path: Path, graph: tf.Graph) -> None:
    v = variable("v", 1.0)
    saver = tf.train.Saver()
    with started(v) as session:

        def written() -> bytes:
            return Path(str(saver.save(session, str(tmp_path / "m"))) + ".meta").read_bytes()

        first = written()
        assert written() == first
        x = tf.placeholder(tf.float32, name="x")
        second = written()
        x.set_shape([3])
        third = written()
        tf.add_to_collection("inputs", x)
        assert len({first, second, third, written()}) == 4


def test_names_of_the_state_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    v = variable("v", 1.0)
    saver = tf.train.Saver(save_relative_paths=True)
    with started(v) as session:
        assert saver.save(session, "m", latest_filename="state") == "m"
        assert tf.train.latest_checkpoint("", "state") == "m"
        assert tf.train.latest_checkpoint("") is None
        saver.save(session, str(tmp_path / "n"), write_state=False)
        assert files_in(tmp_path, "") == [
            "m.meta",
            "m.safetensors",
            "n.meta",
            "n.safetensors",
            "state",
        ]
        saver.save(session, str(tmp_path / "n"))
        assert 'model_checkpoint_path: "n"' in Path("checkpoint").read_text()
        with pytest.raises(ValueError, match="collides with 'save_path'"):
            saver.save(session, str(tmp_path / "checkpoint"))
        with pytest.raises(ValueError, match="must not contain path components"):
            saver.save(session, "m", latest_filename="a/b")


# -- errors --------------------------------------------------------------------------------------


def test_missing_variables_are_named_and_nothing_changes(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    write_tensors(path, {"dense/kernel": np.ones(2, np.float32), "step": np.float32(1.0)})
    step, kernel, other = (
        variable("step", 0.0),
        variable("dense_1/kernel", [0, 0]),
        variable("q", 7),
    )
    with started(step, kernel, other) as session:
        with pytest.raises(tf.errors.NotFoundError) as caught:
            tf.train.Saver().restore(session, path)
        assert session.run(step) == 0.0
        assert session.run(other) == 7.0
    message = str(caught.value)
    assert "Key dense_1/kernel not found in checkpoint" in message
    assert "needed by variable 'dense_1/kernel' (made at" in message
    assert "nearest: dense/kernel" in message
    assert "Key q not found in checkpoint" in message
    assert path + ".safetensors" in message
    assert "test_saver.py" in message.splitlines()[0]


def test_other_shapes_and_types_are_named_and_nothing_changes(tmp_path: Path) -> None:
    path = str(tmp_path / "m")
    write_tensors(
        path,
        {"a": np.ones(2, np.float32), "b": np.ones((2, 3), np.float32), "c": np.ones(2, np.int32)},
    )
    a, b, c = variable("a", [0, 0]), variable("b", np.zeros((3, 2))), variable("c", [0, 0])
    with started(a, b, c) as session:
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            tf.train.Saver().restore(session, path)
        assert session.run([a, c])[0].tolist() == [0.0, 0.0]
    message = str(caught.value)
    assert "lhs shape= [3, 2] rhs shape= [2, 3]" in message
    assert "variable 'b' (made at" in message
    assert "tensor_name = c; expected dtype float32 does not equal original dtype int32" in message


@pytest.mark.parametrize("damage", ["cut", "bit", "foreign", "gone", "folder", "tensorflow"])
def test_bad_checkpoints_change_nothing(tmp_path: Path, damage: str) -> None:
    v, w = variable("v", [1.0, 2.0]), variable("w", 3.0)
    saver = tf.train.Saver()
    with started(v, w) as session:
        path = saver.save(session, str(tmp_path / "m"))
        session.run([v.assign([8.0, 8.0]), w.assign(8.0)])
        file = Path(path + ".safetensors")
        content = bytearray(file.read_bytes())
        kind: Any = tf.errors.DataLossError
        if damage == "cut":
            file.write_bytes(content[:-3])
            words = ["truncated"]
        elif damage == "bit":
            content[-1] ^= 1
            file.write_bytes(content)
            words = ["checksum of tensor"]
        elif damage == "foreign":
            file.write_bytes(b"PK\x03\x04" + bytes(200))
            words = ["not a safetensors file"]
        else:
            file.unlink()
            kind = tf.errors.NotFoundError
            words = ["There is no checkpoint", path]
            if damage == "folder":
                path, words = str(tmp_path), ["it is a folder", "tf.train.latest_checkpoint"]
            if damage == "tensorflow":
                Path(path + ".index").write_bytes(b"")
                kind, words = tf.errors.DataLossError, ["index is truncated or damaged"]
        with pytest.raises(kind) as caught:
            saver.restore(session, path)
        assert all(word in str(caught.value) for word in words), str(caught.value)
        assert session.run(v).tolist() == [8.0, 8.0]
        assert session.run(w) == 8.0


def test_failed_saves_leave_the_checkpoint_before(tmp_path: Path) -> None:
    v, w = variable("v", 1.0), variable("w", 1.0)
    saver = tf.train.Saver()
    with started(v) as session:
        with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value w"):
            saver.save(session, str(tmp_path / "m"), 1)
        assert os.listdir(tmp_path) == []
        session.run(w.initializer)
        first = saver.save(session, str(tmp_path / "m"), 1)
        nested = str(tmp_path / "none" / "none" / "m")
        with pytest.raises(ValueError, match=f"Parent directory of {nested} doesn't exist"):
            saver.save(session, nested)
        assert saver.last_checkpoints == [first]
        assert tf.train.latest_checkpoint(str(tmp_path)) == first
        assert saver.save(session, str(tmp_path / "new" / "m")) is not None


def test_a_sharded_checkpoint_may_have_the_state_files_name(tmp_path: Path) -> None:
    v = variable("v", 1.0)
    with started(v) as session:
        path = tf.train.Saver(sharded=True).save(session, str(tmp_path / "checkpoint"), 1)
        assert tf.train.latest_checkpoint(str(tmp_path)) == path


def test_arguments_are_checked(tmp_path: Path, graph: tf.Graph) -> None:
    with pytest.raises(ValueError, match="No variables to save"):
        tf.train.Saver()
    empty = tf.train.Saver(allow_empty=True)
    with tf.Session() as session:
        assert empty.save(session, str(tmp_path / "m")) is None
        assert os.listdir(tmp_path) == ["m.meta"]
        empty.restore(session, None)
    v, w = variable("v", 1.0), variable("w", 1.0)
    with pytest.raises(ValueError, match="At least two variables have the same name: v"):
        tf.train.Saver([v, v])
    with pytest.raises(ValueError, match="restored with two names: b"):
        tf.train.Saver({"a": v, "b": v})
    with pytest.raises(TypeError, match="Variable to save is not a Variable"):
        tf.train.Saver([v, tf.constant(1.0)])
    with pytest.raises(TypeError, match="Not a variable"):
        tf.train.Saver({"a": tf.constant(1.0)})
    with pytest.raises(TypeError, match="Name is not a string: 1"):
        tf.train.Saver({1: v})
    with pytest.raises(TypeError, match="dict or a list"):
        tf.train.Saver(v)
    with pytest.raises(ValueError, match="build cannot be deferred"):
        tf.train.Saver([v], defer_build=True)
    with pytest.raises(ValueError, match="saver_def must specify the save_tensor_name"):
        tf.train.Saver(saver_def=tf.train.SaverDef(filename_tensor_name="a:0"))
    with pytest.raises(TypeError, match="saver_def must be a tensorflow.SaverDef"):
        tf.train.Saver(saver_def=tf.GraphDef())
    saver = tf.train.Saver([w])
    with pytest.raises(TypeError, match="'sess' must be a Session; None"):
        saver.save(None, str(tmp_path / "m"))
    with started(w) as session, pytest.raises(ValueError, match="save_path when it is None"):
        saver.restore(session, None)


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


TRAINING = """
import sys
import numpy as np
import workbench as tf

step = tf.Variable(0, name="step")
values = [tf.Variable(np.zeros(30000, np.float32), name=f"v{i}") for i in range(3)]
count = tf.group(step.assign_add(1), *[v.assign(v + 1.0) for v in values])
saver = tf.train.Saver(max_to_keep=2)
with tf.Session() as session:
    session.run([v.initializer for v in [step, *values]])
    latest = tf.train.latest_checkpoint(sys.argv[1])
    if latest:
        saver.restore(session, latest)
        print("restored", session.run(step), flush=True)
    while True:
        session.run(count)
        path = saver.save(session, sys.argv[1] + "/m", step)
        print("saved", path.rpartition("-")[2], flush=True)
"""


def _killed(folder: Path, saves: int, wait: float = 0.0) -> tuple[int, int]:
    """Trains until some saves are done and kills it; the steps it started from and ended at."""
    restored = reached = 0
    with subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while saves:
            word, _, number = process.stdout.readline().partition(" ")
            if word == "restored":
                restored = int(number)
            else:
                assert word == "saved", "the training failed"
                reached, saves = int(number), saves - 1
        if wait:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(wait)
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            reached = int(line.split()[1])
    return restored, reached


def check_kill(folder: Path, reached: int) -> None:
    latest = tf.train.latest_checkpoint(str(folder))
    assert latest is not None
    tensors = read_tensors(latest)
    assert int(tensors["step"]) >= reached
    for index in range(3):
        assert np.all(tensors[f"v{index}"] == tensors["step"])
    assert tf.train.import_meta_graph(latest + ".meta", import_scope="again") is not None


def test_kills_leave_whole_checkpoints(tmp_path: Path) -> None:
    before = 0
    for saves in (3, 5):
        restored, reached = _killed(tmp_path, saves)
        assert restored >= before
        check_kill(tmp_path, reached)
        before = reached


@pytest.mark.chaos
def test_a_hundred_kills_leave_whole_checkpoints(tmp_path: Path) -> None:
    before = 0
    waits = np.random.default_rng(0).uniform(0.0, 0.05, 100)
    for wait in waits.tolist():
        restored, reached = _killed(tmp_path, 1, wait)
        assert restored >= before
        check_kill(tmp_path, reached)
        before = reached


def _on(*devices: str) -> Any:
    """A device function that puts variables on these devices, one after the other."""
    places = iter(devices)
    return lambda op: next(places) if op.type.startswith("Variable") else ""


def test_shards_are_put_together(tmp_path: Path, graph: tf.Graph) -> None:
    a = variable("a", [1.0, 2.0])
    with tf.device(_on("/job:ps/task:0/gpu:1", "/job:ps/task:1", "/job:ps/task:0")):
        b = variable("b", 3.0)
        c = tf.get_variable(
            "c",
            initializer=tf.constant([4.0, 5.0, 6.0]),
            partitioner=tf.fixed_size_partitioner(2),
        )
    saver = tf.train.Saver(sharded=True, max_to_keep=2)
    saves = {op.device for op in graph.get_operations() if op.type == "SaveV2"}
    restores = {op.device for op in graph.get_operations() if op.type == "RestoreV2"}
    hosts = {"", "/job:ps/task:0/device:CPU:0", "/job:ps/task:1/device:CPU:0"}
    assert saves == restores == hosts
    assert saver.saver_def.sharded
    with started(a, b, *c) as session:
        for step in range(4):
            session.run(b.assign(float(step)))
            path = saver.save(session, str(tmp_path / "m"), step)
        # No folder of parts is left, and of the old checkpoints nothing.
        kept = [f"m-{step}.{ending}" for step in (2, 3) for ending in ("meta", "safetensors")]
        assert sorted(os.listdir(tmp_path)) == ["checkpoint", *kept]
        assert tf.train.latest_checkpoint(str(tmp_path)) == path
        found = {name: value.tolist() for name, value in read_tensors(str(path)).items()}
        assert found == {"a": [1.0, 2.0], "b": 3.0, "c": [4.0, 5.0, 6.0]}
        session.run([a.assign([0.0, 0.0]), b.assign(0.0), *(part.initializer for part in c)])
        saver.restore(session, path)
        assert session.run(a).tolist() == [1.0, 2.0] and session.run(b) == 3.0
        (tmp_path / "m-3.safetensors").write_bytes(b"damaged")
        session.run(a.assign([7.0, 7.0]))
        with pytest.raises(tf.errors.DataLossError):
            saver.restore(session, path)
        assert session.run(a).tolist() == [7.0, 7.0]
    # Another saver, with everything in one place, reads it.
    with tf.Graph().as_default():
        whole = tf.get_variable("c", [3])
        with tf.Session() as session:
            tf.train.Saver().restore(session, str(tmp_path / "m-2"))
            assert session.run(whole).tolist() == [4.0, 5.0, 6.0]


def test_shards_of_one_machine_are_none(graph: tf.Graph) -> None:
    with tf.device(_on("/cpu:0", "/gpu:1", "")):
        for name in "abc":
            variable(name, 1.0)
    tf.train.Saver(sharded=True)
    types = [op.type for op in graph.get_operations()]
    assert types.count("SaveV2") == types.count("RestoreV2") == 1
    assert "MergeV2Checkpoints" not in types
