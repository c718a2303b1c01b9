"""Finding variables, and giving them values: contrib.framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.checkpoints.files import write_tensors

pytestmark = pytest.mark.usefixtures("graph")


framework = tf.contrib.framework


@pytest.fixture
def variables() -> dict[str, Any]:
    """a/b, a/c and d/b."""
    return {name: framework.model_variable(name, [2]) for name in ("a/b", "a/c", "d/b")}


def names(found: Any) -> list[str]:
    return [variable.op.name for variable in found]


def test_searching(variables: dict[str, Any]) -> None:
    local = framework.local_variable(0.0, name="a/l")
    shared = framework.global_variable(0.0, name="a/g")
    frozen = framework.variable("a/f", [1], trainable=False, collections=["mine"])
    assert names(framework.get_variables()) == ["a/b", "a/c", "d/b", "a/g"]
    assert names(framework.get_variables("a/")) == ["a/b", "a/c", "a/g"]
    assert names(framework.get_variables(suffix="b")) == ["a/b", "d/b"]
    assert names(framework.get_variables_by_suffix("b", scope="d")) == ["d/b"]
    assert names(framework.get_variables_by_name("b")) == ["a/b", "d/b"]
    assert names(framework.get_model_variables("a")) == ["a/b", "a/c"]
    assert framework.get_local_variables() == [local]
    assert names(framework.get_trainable_variables()) == list(variables)
    assert framework.get_variables(collection="mine") == [frozen]
    assert framework.get_unique_variable("d/b") is variables["d/b"]
    for wrong, message in (("x", "Couldn't find variable x"), ("a", "does not uniquely")):
        with pytest.raises(ValueError, match=message):
            framework.get_unique_variable(wrong)
    framework.add_model_variable(shared)
    framework.add_model_variable(shared)
    assert names(framework.get_model_variables()) == [*variables, "a/g"]
    with tf.variable_scope("a") as scope:
        assert names(framework.get_variables(scope)) == ["a/b", "a/c", "a/g"]


def test_choosing(variables: dict[str, Any]) -> None:
    restore = framework.get_variables_to_restore
    assert names(restore()) == ["a/b", "a/c", "d/b"]
    assert names(restore(include=["a"])) == ["a/b", "a/c"]
    assert names(restore(exclude=["a/b"])) == ["a/c", "d/b"]
    assert names(restore(include=["a", "d"], exclude=["a/c"])) == ["a/b", "d/b"]
    for arguments in ({"include": "a"}, {"exclude": "a"}):
        with pytest.raises(TypeError, match="not a list or a tuple"):
            restore(**arguments)
    chosen = framework.filter_variables(list(variables.values()), ["b"], ["d"])
    assert names(chosen) == ["a/b"]
    all_of_d = framework.filter_variables(list(variables.values()), ["d"], reg_search=False)
    assert names(all_of_d) == ["d/b"]


def test_devices() -> None:
    choose = framework.VariableDeviceChooser(num_tasks=2)
    with framework.arg_scope([framework.variable], device=choose):
        devices = [framework.variable(f"v{i}", [1]).device for i in range(3)]
    assert devices == [f"/job:ps/task:{i}/device:CPU:0" for i in (0, 1, 0)]


def test_values_of_arrays(variables: dict[str, Any]) -> None:
    assign = framework.assign_from_values_fn({"a/b": [1.0, 2.0], "d/b": np.array([[3.0], [4.0]])})
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assign(session)
        assert session.run(variables["a/b"]).tolist() == [1.0, 2.0]
        assert session.run(variables["d/b"]).tolist() == [3.0, 4.0]
    with pytest.raises(ValueError, match="Variable x wasn't found"):
        framework.assign_from_values({"x": [1.0]})


def test_values_of_checkpoints(variables: dict[str, Any], tmp_path: Path) -> None:
    part = tf.get_variable("part", [3], partitioner=tf.fixed_size_partitioner(2))
    path = str(tmp_path / "model")
    write_tensors(
        path,
        {
            "a/b": np.array([1.0, 2.0], np.float32),
            "other": np.array([5.0, 6.0], np.float32),
            "part": np.array([7.0, 8.0, 9.0], np.float32),
        },
    )
    operation, feeds = framework.assign_from_checkpoint(path, [variables["a/b"], *part])
    restore = framework.assign_from_checkpoint_fn(
        path, {"other": variables["a/c"], "missing": variables["d/b"]}, ignore_missing_vars=True
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(operation, feeds)
        restore(session)
        assert session.run(variables["a/b"]).tolist() == [1.0, 2.0]
        assert session.run(variables["a/c"]).tolist() == [5.0, 6.0]
        assert session.run(tf.convert_to_tensor(part)).tolist() == [7.0, 8.0, 9.0]
    assert framework.list_variables(path) == [("a/b", [2]), ("other", [2]), ("part", [3])]
    with pytest.raises(ValueError, match=r"missing variable \[d/b\]"):
        framework.assign_from_checkpoint(path, [variables["d/b"]])
    with pytest.raises(ValueError, match="must be unchanged for part"):
        framework.assign_from_checkpoint(path, {"part": variables["a/b"]})
    only_missing = [variables["d/b"]]
    assert framework.assign_from_checkpoint_fn(path, only_missing, True) is None
    with pytest.raises(ValueError, match="cannot be empty"):
        framework.assign_from_checkpoint_fn(path, [])


@pytest.mark.parametrize("dtype", ["float32", "int8", "int64"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sorting(dtype: str, axis: int) -> None:
    numbers = np.random.default_rng(0).integers(-128, 128, size=[4, 5]).astype(dtype)
    numbers[0, 0] = -128
    up, down = framework.sort(numbers, axis), framework.sort(numbers, axis, "DESCENDING")
    with tf.Session() as session:
        ascending, descending, places = session.run(
            [up, down, framework.argsort(numbers, axis, stable=True)]
        )
    np.testing.assert_array_equal(ascending, np.sort(numbers, axis))
    np.testing.assert_array_equal(descending, np.flip(np.sort(numbers, axis), axis))
    np.testing.assert_array_equal(places, np.argsort(numbers, axis, kind="stable"))


def test_what_is_a_tensor(variables: dict[str, Any]) -> None:
    for value in (tf.constant(1), tf.SparseTensor([[0]], [1], [1]), variables["a/b"]):
        assert framework.is_tensor(value)
    for value in (1, np.ones(2), "x", None):
        assert not framework.is_tensor(value)
    with tf.name_scope("outer"), tf.name_scope("inner"):
        assert framework.get_name_scope() == "outer/inner"
    assert framework.get_name_scope() == ""
