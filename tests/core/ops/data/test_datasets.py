"""The transformations of datasets, each against a list written out or made by plain Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


Dataset = tf.data.Dataset


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def elements(dataset: Any, limit: int = 100, feed: dict[Any, Any] | None = None) -> list[Any]:
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    found = []
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(iterator.initializer, feed)
        for _ in range(limit):
            try:
                found.append(plain(session.run(following)))
            except tf.errors.OutOfRangeError:
                break
    return found


def numbers(*arguments: int) -> Any:
    return Dataset.range(*arguments)


CASES: dict[str, tuple[Callable[[], Any], list[Any]]] = {
    "range": (lambda: numbers(10, 0, -3), [10, 7, 4, 1]),
    "slices": (
        lambda: Dataset.from_tensor_slices({"a": [1, 2], "b": ([[1.0], [2.0]], ["x", "y"])}),
        [{"a": 1, "b": ([1.0], b"x")}, {"a": 2, "b": ([2.0], b"y")}],
    ),
    "tensors": (lambda: Dataset.from_tensors(([1, 2], {"k": "v"})), [([1, 2], {"k": b"v"})]),
    "sparse slices": (
        lambda: Dataset.from_sparse_tensor_slices(
            tf.SparseTensor([[0, 1], [1, 0]], [5, 6], [2, 2])
        ),
        [([[1]], [5], [2]), ([[0]], [6], [2])],
    ),
    "map of a tuple": (
        lambda: Dataset.from_tensor_slices(([1, 2], [3, 4])).map(
            lambda a, b: (a + b, {"p": a * b})
        ),
        [(4, {"p": 3}), (6, {"p": 8})],
    ),
    "map of a dict": (
        lambda: Dataset.from_tensor_slices({"x": [1, 2]}).map(lambda d: d["x"] * 2),
        [2, 4],
    ),
    "map to a list": (lambda: numbers(2).map(lambda n: [n, n + 1]), [(0, 1), (1, 2)]),
    "map in parallel": (
        lambda: numbers(20).map(lambda n: n * n, num_parallel_calls=3),
        [n * n for n in range(20)],
    ),
    "flat_map": (
        lambda: Dataset.from_tensor_slices([[1, 2], [3, 4]]).flat_map(Dataset.from_tensor_slices),
        [1, 2, 3, 4],
    ),
    "interleave blocks": (
        lambda: numbers(1, 6).interleave(lambda n: Dataset.from_tensors(n).repeat(n), 2, 2),
        [1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 4, 4, 5, 5, 5],
    ),
    "interleave with empty ones": (
        lambda: numbers(8).interleave(lambda n: numbers(n * 10, n * 10 + n % 3), 3, 2),
        [10, 20, 21, 40, 50, 51, 70],
    ),
    "filter": (lambda: numbers(10).filter(lambda n: tf.equal(n % 3, 0)), [0, 3, 6, 9]),
    "batch": (lambda: numbers(7).batch(3), [[0, 1, 2], [3, 4, 5], [6]]),
    "batch without the rest": (
        lambda: numbers(7).batch(3, drop_remainder=True),
        [[0, 1, 2], [3, 4, 5]],
    ),
    "padded_batch": (
        lambda: (
            numbers(1, 4)
            .map(lambda n: (tf.fill([n], n), n))
            .padded_batch(2, padded_shapes=([None], []))
        ),
        [([[1, 0], [2, 2]], [1, 2]), ([[3, 3, 3]], [3])],
    ),
    "padded_batch with values": (
        lambda: (
            numbers(1, 3)
            .map(lambda n: tf.fill([n], n))
            .padded_batch(2, [4], tf.constant(-1, tf.int64))
        ),
        [[[1, -1, -1, -1], [2, 2, -1, -1]]],
    ),
    "repeat": (lambda: numbers(2).repeat(3), [0, 1] * 3),
    "repeat nothing": (lambda: numbers(0).repeat(), []),
    "repeat never": (lambda: numbers(2).repeat(0), []),
    "take": (lambda: numbers(5).take(2), [0, 1]),
    "take all": (lambda: numbers(3).take(-1), [0, 1, 2]),
    "skip": (lambda: numbers(5).skip(3), [3, 4]),
    "skip all": (lambda: numbers(5).skip(-1), []),
    "shard": (lambda: numbers(10).shard(3, 1), [1, 4, 7]),
    "zip": (lambda: Dataset.zip((numbers(2), {"a": numbers(5)})), [(0, {"a": 0}), (1, {"a": 1})]),
    "concatenate": (lambda: numbers(2).concatenate(numbers(5, 7)), [0, 1, 5, 6]),
    "cache": (lambda: numbers(3).cache().repeat(2), [0, 1, 2] * 2),
    "prefetch": (lambda: numbers(5).prefetch(2), [0, 1, 2, 3, 4]),
    "enumerate": (
        lambda: Dataset.from_tensor_slices(["a", "b"]).enumerate(start=5),
        [(5, b"a"), (6, b"b")],
    ),
    "apply": (lambda: numbers(3).apply(lambda d: d.map(tf.negative)), [0, -1, -2]),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_elements(name: str) -> None:
    build, want = CASES[name]
    assert elements(build()) == want


def test_repeat_for_ever() -> None:
    assert elements(numbers(2).repeat(), limit=5) == [0, 1, 0, 1, 0]


def test_static_types_and_shapes() -> None:
    dataset = Dataset.from_tensor_slices((np.zeros((4, 3), np.float32), ["a", "b", "c", "d"]))
    assert dataset.output_types == (tf.float32, tf.string)
    batched = dataset.batch(2)
    assert [s.as_list() for s in batched.output_shapes] == [[None, 3], [None]]
    dropped = dataset.batch(2, drop_remainder=True)
    assert [s.as_list() for s in dropped.output_shapes] == [[2, 3], [2]]
    joined = Dataset.from_tensors([1, 2]).concatenate(Dataset.from_tensors([1, 2, 3]))
    assert joined.output_shapes.as_list() == [None]
    assert batched.make_one_shot_iterator().get_next()[0].shape.as_list() == [None, 3]


# -- shuffling -------------------------------------------------------------------------------------


def test_shuffles_are_permutations_and_differ_from_pass_to_pass() -> None:
    found = elements(numbers(50).shuffle(10, seed=7).repeat(2))
    first, second = found[:50], found[50:]
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert first != list(range(50))
    # The k-th element comes out no earlier than the buffer reaches it.
    assert all(n < place + 10 for place, n in enumerate(first))


def test_equal_seeds_give_equal_streams() -> None:
    runs = [elements(numbers(30).shuffle(30, seed=3)) for _ in range(2)]
    assert runs[0] == runs[1] != elements(numbers(30).shuffle(30, seed=4))
    tf.set_random_seed(1)
    seeded = elements(numbers(30).shuffle(30, seed=3))
    assert seeded != runs[0]


def test_the_same_order_each_time() -> None:
    dataset = numbers(30).shuffle(30, seed=3, reshuffle_each_iteration=False).repeat(2)
    found = elements(dataset)
    assert found[:30] == found[30:]


# -- what functions see ----------------------------------------------------------------------------


def test_functions_capture_tensors_variables_and_fed_values() -> None:
    place = tf.placeholder(tf.int64, [])
    variable = tf.Variable(100, dtype=tf.int64)
    constant = tf.constant(7, tf.int64)
    dataset = numbers(2).map(lambda n: n + constant + place + variable)
    with tf.Session() as session:
        iterator = dataset.make_initializable_iterator()
        following = iterator.get_next()
        session.run(variable.initializer)
        session.run(iterator.initializer, {place: 1000})
        assert session.run(following) == 1107
        assert session.run(following) == 1108


@pytest.mark.parametrize("parallel", [None, 3])
def test_functions_assign_to_variables_of_the_session(parallel: int | None) -> None:
    counter = tf.Variable(0, dtype=tf.int64)
    dataset = numbers(40).map(lambda _: counter.assign_add(2), num_parallel_calls=parallel)
    iterator = dataset.make_initializable_iterator()
    following = iterator.get_next()
    for _ in range(2):
        with tf.Session() as session:
            session.run(iterator.initializer)
            with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value"):
                session.run(following)
            # It ends the functions that run ahead, which would count as well.
            session.run(iterator.initializer)
            session.run(counter.initializer)
            found = [session.run(following) for _ in range(40)]
            assert sorted(found) == list(range(2, 82, 2))
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run(following)
            # The variable is not the functions' to forget.
            session.run(iterator.initializer)
            assert session.run(counter) >= 80


def test_arguments_may_be_tensors() -> None:
    count = tf.placeholder(tf.int64, [])
    values = tf.placeholder(tf.float32, [None])
    dataset = Dataset.from_tensor_slices(values).repeat(count).batch(count).take(count)
    assert elements(dataset, feed={count: 2, values: [1.0, 2.0, 3.0]}) == [[1.0, 2.0], [3.0, 1.0]]


def test_after_an_error_the_next_element_can_be_had() -> None:
    for parallel in (None, 2):
        for ahead in (False, True):
            dataset = Dataset.from_tensor_slices([1.0, 0.0, 2.0]).map(
                lambda x: tf.check_numerics(1 / x, "not finite"), num_parallel_calls=parallel
            )
            following = (
                (dataset.prefetch(1) if ahead else dataset).make_one_shot_iterator().get_next()
            )
            with tf.Session() as session:
                assert session.run(following) == 1.0
                with pytest.raises(tf.errors.InvalidArgumentError, match="not finite"):
                    session.run(following)
                assert session.run(following) == 0.5
                for _ in range(2):
                    with pytest.raises(tf.errors.OutOfRangeError, match="End of sequence"):
                        session.run(following)


# -- generators ------------------------------------------------------------------------------------


def test_generators() -> None:
    def pairs() -> Iterator[Any]:
        for i in range(3):
            yield i, [1.0] * i

    shapes = (tf.TensorShape([]), tf.TensorShape([None]))
    dataset = Dataset.from_generator(pairs, (tf.int64, tf.float32), shapes)
    assert elements(dataset.repeat(2)) == [(0, []), (1, [1.0]), (2, [1.0, 1.0])] * 2
    assert dataset.output_shapes[1].as_list() == [None]
    counted = Dataset.from_generator(lambda n: iter(range(n)), tf.int64, args=(3,))
    assert elements(counted) == [0, 1, 2]
    dicts = Dataset.from_generator(
        lambda: iter([{"a": 1, "b": "x"}]), {"a": tf.int32, "b": tf.string}
    )
    assert elements(dicts) == [{"a": 1, "b": b"x"}]


@pytest.mark.parametrize(
    ("values", "types", "shapes", "message"),
    [
        ([[1]], tf.int32, tf.TensorShape([2]), r"shape \(1,\) where an element of shape \(2,\)"),
        (["x"], tf.int32, None, "could not be converted to int32"),
        ([1], (tf.int32, tf.int32), None, "did not match the expected structure"),
    ],
)
def test_what_a_generator_may_not_yield(
    values: list[Any], types: Any, shapes: Any, message: str
) -> None:
    dataset = Dataset.from_generator(lambda: iter(values), types, shapes)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        elements(dataset)


def test_a_generator_that_fails() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise KeyError("lost")

    dataset = Dataset.from_generator(failing, tf.int32)
    with pytest.raises(tf.errors.UnknownError, match="`generator` failed: KeyError: 'lost'"):
        elements(dataset)
    with pytest.raises(TypeError, match="`generator` must be callable"):
        Dataset.from_generator([1, 2], tf.int32)


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "kind", "message"),
    [
        (lambda: Dataset.from_tensor_slices(([1, 2], [1, 2, 3])), ValueError, "2 and 3 are not"),
        (lambda: Dataset.from_tensor_slices(3), ValueError, "at least 1"),
        (lambda: numbers(3).filter(lambda n: n), ValueError, "scalar boolean tensor.*int64"),
        (lambda: numbers(3).flat_map(lambda n: n), TypeError, "must return a `Dataset`"),
        (lambda: numbers(3).shard(2, 2), ValueError, r"index must be in \[0, 2\)"),
        (lambda: numbers(3).shard(0, 0), ValueError, "num_shards must be >= 1"),
        (lambda: Dataset.zip([numbers(3)]), TypeError, "lists are not supported"),
        (lambda: numbers(2).concatenate(Dataset.from_tensors("x")), TypeError, "different types"),
        (lambda: numbers(3).apply(lambda d: 3), TypeError, "must return a Dataset"),
        (lambda: Dataset.from_tensors([1]).padded_batch(2, [1, 1]), ValueError, "ranks differ"),
    ],
)
def test_errors_of_making(build: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        build()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: numbers(3).batch(0), "batch_size must be greater than zero, got 0"),
        (lambda: numbers(3).shuffle(0), "buffer_size must be greater than zero, got 0"),
        (
            lambda: numbers(3).interleave(lambda n: numbers(n), 0),
            "cycle_length must be greater than zero",
        ),
    ],
)
def test_wrong_sizes_fail_where_the_iterator_starts(build: Callable[[], Any], message: str) -> None:
    iterator = build().make_initializable_iterator()
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match=message):
        session.run(iterator.initializer)


def test_elements_that_do_not_stack_or_fit() -> None:
    ragged = numbers(1, 4).map(lambda n: tf.fill([n], n))
    with pytest.raises(tf.errors.InvalidArgumentError, match="Cannot batch tensors with different"):
        elements(ragged.batch(2))
    with pytest.raises(tf.errors.DataLossError, match="pad to a smaller size"):
        elements(ragged.padded_batch(3, [2]))


# -- caches in files -------------------------------------------------------------------------------


def test_a_cache_in_a_file_serves_the_next_session(tmp_path: Path) -> None:
    calls = []

    def counted() -> Iterator[Any]:
        for i in range(3):
            calls.append(i)
            yield i, f"text {i}"

    path = str(tmp_path / "cache")
    want = [(i, f"text {i}".encode()) for i in range(3)]
    for _ in range(2):
        dataset = Dataset.from_generator(counted, (tf.int32, tf.string), ((), ())).cache(path)
        assert elements(dataset) == want
    assert calls == [0, 1, 2]
