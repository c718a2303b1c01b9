"""Variables in parts: how they are divided, made, shared and put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as tf
from workbench.core.ops.state.partitions import PartitionInfo, slice_axis_and_shape


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def evaluated(value: Any) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(value)


def counts(partitioner: Any, shape: list[int], dtype: Any = tf.float32) -> list[int]:
    found: list[int] = partitioner(shape=tf.TensorShape(shape), dtype=dtype)
    return found


# Partitioners: the expectations are worked out by hand from sizes in bytes ------------------------


@pytest.mark.parametrize(
    ("partitioner", "shape", "expected"),
    [
        (tf.fixed_size_partitioner(5), [10, 10], [5, 1]),
        (tf.fixed_size_partitioner(5, axis=1), [10, 3], [1, 3]),
        (tf.variable_axis_size_partitioner(131072, axis=0), [4, 8, 16, 32], [1, 1, 1, 1]),
        (tf.variable_axis_size_partitioner(32768, axis=2), [4, 8, 16, 32], [1, 1, 2, 1]),
        (tf.variable_axis_size_partitioner(2048, axis=3), [4, 8, 16, 32], [1, 1, 1, 32]),
        (tf.variable_axis_size_partitioner(1024, axis=3), [4, 8, 16, 32], [1, 1, 1, 32]),
        (tf.variable_axis_size_partitioner(1024, 3, 16, 2), [4, 8, 16, 32], [1, 1, 1, 2]),
        (tf.min_max_variable_partitioner(100, 0, 2 << 10), [2048], [4]),
        (tf.min_max_variable_partitioner(100, 0, 256 << 10), [2048, 1024], [32, 1]),
        (tf.min_max_variable_partitioner(16, 0, 256 << 10), [2048, 1024], [16, 1]),
        (tf.min_max_variable_partitioner(100, 3, 256 << 10), [64, 1024, 1, 3], [1, 1, 1, 3]),
        (tf.min_max_variable_partitioner(100, 0, 256 << 10), [4, 512, 1024], [4, 1, 1]),
    ],
)
def test_partitioners(partitioner: Any, shape: list[int], expected: list[int]) -> None:
    assert counts(partitioner, shape) == expected


def test_strings_count_as_many_bytes_as_said() -> None:
    partitioner = tf.variable_axis_size_partitioner(64, bytes_per_string_element=8)
    assert counts(partitioner, [16], tf.string) == [2]


@given(
    rows=st.integers(1, 60),
    columns=st.integers(1, 9),
    limit=st.integers(1, 900),
)
def test_parts_keep_within_the_limit(rows: int, columns: int, limit: int) -> None:
    number, _ = counts(tf.variable_axis_size_partitioner(limit), [rows, columns])
    largest = -(-rows // number)
    row_bytes = columns * 4
    assert largest * row_bytes <= limit or largest == 1
    # Fewer parts would not do.
    assert number == 1 or -(-rows // (number - 1)) * row_bytes > limit or number == rows


@pytest.mark.parametrize(
    "make",
    [
        lambda: tf.variable_axis_size_partitioner(0),
        lambda: tf.variable_axis_size_partitioner(1, bytes_per_string_element=0),
        lambda: tf.variable_axis_size_partitioner(1, max_shards=0),
        lambda: tf.min_max_variable_partitioner(axis=2)(
            shape=tf.TensorShape([1]), dtype=tf.float32
        ),
        lambda: tf.variable_axis_size_partitioner(1)(shape=[3], dtype=tf.float32),
        lambda: tf.variable_axis_size_partitioner(1)(
            shape=tf.TensorShape([None]), dtype=tf.float32
        ),
    ],
)
def test_partitioners_refuse(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError):
        make()


# Variables in parts -------------------------------------------------------------------------------


def test_names_are_tensorflows() -> None:
    with tf.variable_scope("a", partitioner=tf.fixed_size_partitioner(2)):
        w = tf.get_variable("w", [4, 3], initializer=tf.ones_initializer())
        tf.identity(w)
    assert [op.name for op in tf.get_default_graph().get_operations()] == [
        "a/w/part_0/Initializer/ones",
        "a/w/part_0",
        "a/w/part_0/Assign",
        "a/w/part_0/read",
        "a/w/part_1/Initializer/ones",
        "a/w/part_1",
        "a/w/part_1/Assign",
        "a/w/part_1/read",
        "a/w/ConcatPartitions/concat/axis",
        "a/w/ConcatPartitions/concat",
        "a/w",
        "a/Identity",
    ]


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_whole_is_the_parts_in_order(axis: int, number: int) -> None:
    value = np.arange(35, dtype=np.float32).reshape(5, 7)
    for name, initializer in (("a", value), ("b", tf.constant(value))):
        w = tf.get_variable(
            name, initializer=initializer, partitioner=tf.fixed_size_partitioner(number, axis)
        )
        assert w.shape.as_list() == [5, 7]
        assert len(w) == number
        np.testing.assert_array_equal(evaluated(w.as_tensor()), value)
        parts = evaluated(list(w))
        for part, expected in zip(parts, np.array_split(value, number, axis), strict=True):
            np.testing.assert_array_equal(part, expected)


def test_initializers_know_which_part_they_make() -> None:
    def positions(shape: Any, dtype: Any, partition_info: Any) -> Any:
        offset = partition_info.single_offset(shape)
        rows = np.arange(shape[0])[:, np.newaxis] + offset
        return tf.constant(np.broadcast_to(rows, shape), dtype)

    w = tf.get_variable(
        "w", [5, 2], initializer=positions, partitioner=tf.fixed_size_partitioner(2)
    )
    assert evaluated(w.as_tensor())[:, 0].tolist() == [0, 1, 2, 3, 4]
    infos = [part._get_save_slice_info() for part in w]
    assert [info.spec for info in infos] == ["5 2 0,3:0,2", "5 2 3,2:0,2"]
    assert infos[0].full_name == "w"


def test_sharing() -> None:
    halves = tf.fixed_size_partitioner(2)
    with tf.variable_scope("s", partitioner=halves):
        w = tf.get_variable("w", [4])
    with tf.variable_scope("s", reuse=True):
        assert tf.get_variable("w") is w
    with tf.variable_scope("s", reuse=tf.AUTO_REUSE, partitioner=halves):
        assert tf.get_variable("w", [4]) is w


def test_scalars_are_not_divided() -> None:
    v = tf.get_variable("v", [], partitioner=tf.fixed_size_partitioner(2))
    assert v.name == "v:0"


def _share(partitioner: Any, again: Any, reuse: Any = True) -> None:
    tf.get_variable("w", [4], partitioner=partitioner)
    with tf.variable_scope("", reuse=reuse):
        tf.get_variable("w", [4], partitioner=again)


def _two(**unused: Any) -> list[int]:
    return [2]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda: _share(_two, lambda **k: [3]),
            r"reuse partitioned variable w, but specified partitions \[3\] and found partitions",
        ),
        (lambda: _share(None, _two), "A partitioner was provided, but an unpartitioned version"),
        (
            lambda: _share(_two, None, tf.AUTO_REUSE),
            "No partitioner was provided, but a partitioned version of the variable was found",
        ),
        (lambda: _share(_two, _two, False), "Partitioned variable with name w already exists"),
        (lambda: tf.get_variable("w", [4], partitioner=3), "Partitioner must be callable"),
        (
            lambda: tf.get_variable("w", [4], partitioner=lambda **k: 2),
            "Partitioner must return a sequence, but saw: 2",
        ),
        (
            lambda: tf.get_variable("w", [4], partitioner=lambda **k: [2, 1]),
            "does not match the Variable's rank",
        ),
        (
            lambda: tf.get_variable("w", [4], partitioner=lambda **k: [0]),
            "zero partitions for some axes",
        ),
        (
            lambda: tf.get_variable("w", [4, 4], partitioner=lambda **k: [2, 2]),
            "Can only slice a variable along one dimension",
        ),
        (
            lambda: tf.get_variable("w", [4], partitioner=lambda **k: [5]),
            "Cannot create 5 slices for size 4",
        ),
        (
            lambda: tf.get_variable("w", [None], partitioner=_two),
            r"partitioned variable \(w\) must be fully defined",
        ),
    ],
)
def test_errors(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()


def test_missing_partitioned_variable() -> None:
    with (
        pytest.raises(ValueError, match="PartitionedVariable w does not exist"),
        tf.variable_scope("", reuse=True),
    ):
        tf.get_variable("w", [4], partitioner=_two)


def test_whole_cannot_be_assigned() -> None:
    w = tf.get_variable("w", [4], partitioner=_two)
    with pytest.raises(NotImplementedError, match="parts"):
        tf.assign(w, [0.0] * 4)
    with pytest.raises(NotImplementedError):
        w.assign([0.0] * 4)


def test_create_partitioned_variables() -> None:
    value = tf.constant(np.arange(8).reshape(2, 4))
    with tf.variable_scope("s"), tf.name_scope("n"):
        first = tf.create_partitioned_variables([2, 4], [1, 2], value)
        second = tf.create_partitioned_variables([2, 4], [1, 2], value, trainable=False)
    assert [v.name for v in first + second] == [
        "s/PartitionedVariable/part_0:0",
        "s/PartitionedVariable/part_1:0",
        "s/PartitionedVariable_1/part_0:0",
        "s/PartitionedVariable_1/part_1:0",
    ]
    assert tf.trainable_variables() == first
    assert evaluated(first[1]).tolist() == [[2, 3], [6, 7]]


@pytest.mark.parametrize(
    ("shape", "slicing"), [([10], [1, 1]), ([], []), ([10, 43], [11, 1]), ([10, 20], [1, 2])]
)
def test_create_partitioned_variables_refuses(shape: list[int], slicing: list[int]) -> None:
    with pytest.raises(ValueError):
        tf.create_partitioned_variables(shape, slicing, tf.zeros([10, 43]))


# Which part ---------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.data())
def test_slices_cover_the_axis(shape: list[int], data: Any) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    number = data.draw(st.integers(1, shape[axis]))
    slicing = [number if i == axis else 1 for i in range(len(shape))]
    found, part = slice_axis_and_shape(shape, slicing)
    assert number == 1 or found == axis
    assert part[found] * number + shape[found] % number == shape[found] or number == 1
    assert [s for i, s in enumerate(part) if i != axis] == [
        s for i, s in enumerate(shape) if i != axis
    ]


def test_partition_info() -> None:
    info = PartitionInfo([9, 3], [4, 0])
    assert info.single_offset([1, 3]) == 4
    assert info.single_slice_dim([2, 3]) == 0
    assert PartitionInfo([9, 3], [0, 0]).single_slice_dim([9, 3]) is None
    assert PartitionInfo([9, 3], [0, 0]).single_offset([9, 3]) == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((None, [0]), TypeError),
        (([1], "0"), TypeError),
        (([1, 2], [0]), ValueError),
        (([1, 1], [0, 1]), ValueError),
    ],
)
def test_partition_info_refuses(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        PartitionInfo(*arguments)


@pytest.mark.parametrize("shape", [[1, 2, 3], [6, 3], [1, 1]])
def test_partition_info_refuses_shapes(shape: list[int]) -> None:
    with pytest.raises(ValueError):
        PartitionInfo([9, 3], [4, 0]).single_slice_dim(shape)
