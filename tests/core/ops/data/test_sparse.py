"""Datasets with sparse components: what goes in comes out, as SparseTensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.kernels.examples.messages import example
from workbench.core import records

pytestmark = pytest.mark.usefixtures("graph")


def elements(dataset: Any) -> list[Any]:
    following = dataset.make_one_shot_iterator().get_next()
    found = []
    with tf.Session() as session:
        while True:
            try:
                found.append(session.run(following))
            except tf.errors.OutOfRangeError:
                return found


def dense(sparse: Any) -> list[Any]:
    array = np.zeros(sparse.dense_shape, np.asarray(sparse.values).dtype)
    array[tuple(sparse.indices.T)] = sparse.values
    return array.tolist()  # type: ignore[no-any-return]


SPARSE = tf.SparseTensorValue([[2, 1], [0, 0], [2, 0]], [5, 6, 7], [3, 2])
ROWS = [[6, 0], [0, 0], [7, 5]]


def test_slices_and_the_whole() -> None:
    dataset = tf.data.Dataset.from_tensor_slices({"s": SPARSE, "n": [1, 2, 3]})
    assert dataset.output_classes == {"n": tf.Tensor, "s": tf.SparseTensor}
    assert dataset.output_types == {"n": tf.int32, "s": tf.int32}
    found = elements(dataset)
    assert [dense(each["s"]) for each in found] == ROWS
    assert [int(each["n"]) for each in found] == [1, 2, 3]
    (whole,) = elements(tf.data.Dataset.from_tensors(SPARSE))
    assert dense(whole) == ROWS


def test_functions_take_and_give_sparse_tensors() -> None:
    dataset = tf.data.Dataset.from_tensor_slices(SPARSE)
    dataset = dataset.map(lambda s: (s, tf.SparseTensor(s.indices, s.values * 10, s.dense_shape)))
    dataset = dataset.filter(lambda s, _: tf.size(s.values) > 0)
    found = elements(dataset)
    assert [(dense(a), dense(b)) for a, b in found] == [([6, 0], [60, 0]), ([7, 5], [70, 50])]
    sums = dataset.flat_map(
        lambda a, b: tf.data.Dataset.from_tensors(tf.sparse_reduce_sum(tf.sparse_add(a, b)))
    )
    assert [int(n) for n in elements(sums)] == [66, 132]


def test_batches_are_as_large_as_their_largest() -> None:
    dataset = tf.data.Dataset.range(4).map(
        lambda n: tf.SparseTensor(tf.stack([[n]]), tf.stack([n]), tf.stack([n + 1]))
    )
    assert dataset.output_shapes.as_list() == [None]
    found = elements(dataset.batch(3))
    assert found[0].dense_shape.tolist() == [3, 3]
    assert dense(found[0]) == [[0, 0, 0], [0, 1, 0], [0, 0, 2]]
    assert dense(found[1]) == [[0, 0, 0, 3]]
    again = elements(dataset.batch(3).apply(tf.contrib.data.unbatch()))
    assert [dense(each) for each in again] == [[0, 0, 0], [0, 1, 0], [0, 0, 2], [0, 0, 0, 3]]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.prefetch(2),
        lambda d: d.shuffle(1),
        lambda d: d.cache().repeat(1),
        lambda d: d.take(3).skip(0).shard(1, 0),
        lambda d: d.concatenate(d).take(3),
        lambda d: tf.data.Dataset.zip((d, d)).map(lambda a, _: a),
        lambda d: d.enumerate().map(lambda _, a: a),
        lambda d: d.map(lambda a: a, num_parallel_calls=2),
        lambda d: d.interleave(lambda a: tf.data.Dataset.from_tensors(a), 1),
        lambda d: d.apply(tf.contrib.data.ignore_errors()),
        lambda d: d.apply(
            tf.contrib.data.group_by_window(lambda _: tf.constant(0, tf.int64), lambda _, w: w, 3)
        ),
        lambda d: d.apply(tf.contrib.data.scan(0, lambda s, a: (s + 1, a))),
    ],
)
def test_other_transformations_leave_them_alone(change: Any) -> None:
    dataset = change(tf.data.Dataset.from_tensor_slices(SPARSE))
    assert dataset.output_classes is tf.SparseTensor
    assert [dense(each) for each in elements(dataset)] == ROWS


def test_caches_in_files(tmp_path: Path) -> None:
    dataset = tf.data.Dataset.from_tensor_slices(SPARSE).cache(str(tmp_path / "cache"))
    for _ in range(2):
        assert [dense(each) for each in elements(dataset)] == ROWS


def test_iterators_of_a_structure() -> None:
    dataset = tf.data.Dataset.from_tensor_slices(SPARSE)
    iterator = tf.data.Iterator.from_structure(
        dataset.output_types, dataset.output_shapes, output_classes=dataset.output_classes
    )
    initializer, following = iterator.make_initializer(dataset), iterator.get_next()
    assert isinstance(following, tf.SparseTensor)
    with tf.Session() as session:
        session.run(initializer)
        assert dense(session.run(following)) == ROWS[0]
    with pytest.raises(TypeError, match="Expected output classes"):
        iterator.make_initializer(tf.data.Dataset.from_tensors([1]))


def test_what_cannot_be_done() -> None:
    dataset = tf.data.Dataset.from_tensor_slices(SPARSE)
    with pytest.raises(TypeError, match="padded sparse tensors is not currently supported"):
        dataset.padded_batch(2, [None])
    with pytest.raises(TypeError, match="different types"):
        dataset.concatenate(tf.data.Dataset.from_tensors([1, 2]))


def test_parsed_examples(tmp_path: Path) -> None:
    path = tmp_path / "examples"
    tags = [[b"a", b"b"], [], [b"c"]]
    path.write_bytes(
        b"".join(
            records.framed(example({"tags": ("bytes", each), "n": ("int64", [number])}))
            for number, each in enumerate(tags)
        )
    )
    features = {"tags": tf.VarLenFeature(tf.string), "n": tf.FixedLenFeature([], tf.int64)}
    dataset = tf.data.TFRecordDataset(str(path))
    one = dataset.map(lambda s: tf.parse_single_example(s, features)).batch(3)
    many = dataset.batch(3).map(lambda s: tf.parse_example(s, features))
    for kind in (one, many):
        (found,) = elements(kind)
        assert found["n"].tolist() == [0, 1, 2]
        assert found["tags"].indices.tolist() == [[0, 0], [0, 1], [2, 0]]
        assert found["tags"].values.tolist() == [b"a", b"b", b"c"]
        assert found["tags"].dense_shape.tolist() == [3, 2]
