"""Batches in which classes have given shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.input.pipeline import all_results, numbers, running

stratified_sample = tf.contrib.training.stratified_sample

#: The class of an example by its number: six, three and one of ten.
CLASSES = np.array([0, 1, 0, 0, 2, 1, 0, 0, 1, 0])
OWN, TARGET = np.array([0.6, 0.3, 0.1]), np.array([0.25, 0.25, 0.5])
COUNT = 6000


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(4)
        yield graph


def drawn(init_probs: Any, batch_size: int = 1, **options: Any) -> tuple[Any, Any]:
    """The examples and classes that come out of `COUNT`, one batch after another."""
    number = numbers(COUNT)
    label = tf.gather(tf.constant(CLASSES), number % 10)
    (kept,), classes = stratified_sample([number], label, TARGET, batch_size, init_probs, **options)
    found = all_results([kept, classes], COUNT)
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))


def assert_shares(counts: Any, total: Any, shares: Any) -> None:
    """Within five standard errors of the binomial distribution."""
    errors = np.sqrt(shares * (1 - shares) * total)
    assert (np.abs(counts - shares * total) <= 5 * errors).all(), (counts, shares * total)


@pytest.mark.parametrize("threads", [1, 3])
def test_classes_have_the_shares_that_are_wanted(threads: int) -> None:
    kept, classes = drawn(OWN, threads_per_queue=threads)
    np.testing.assert_array_equal(classes, CLASSES[kept % 10])
    counts = np.bincount(classes, minlength=3)
    # All of the class that is rarest by what is wanted, and of others as many as go with it.
    assert counts[2] == COUNT / 10 and len(set(kept.tolist())) == len(kept)
    assert_shares(counts[:2], OWN[:2] * COUNT, TARGET[:2] / OWN[:2] / 5)
    if threads == 1:
        assert (np.diff(kept) > 0).all()


def test_without_shares_of_the_input_they_are_learned_of_it() -> None:
    _, classes = drawn(None, batch_size=4)
    # In the beginning they are taken for equal.
    later = classes[len(classes) // 4 :]
    assert_shares(np.bincount(later, minlength=3), len(later), TARGET)


def test_each_example_is_counted_once() -> None:
    number = numbers(40)
    label = tf.gather(tf.constant(CLASSES), number % 10)
    batches = stratified_sample([number], label, TARGET, 1, name="drawn")
    (seen,) = tf.global_variables()
    assert seen.op.name == "drawn/class_count" and not tf.trainable_variables()
    with running() as session:
        with pytest.raises(tf.errors.OutOfRangeError):
            while True:
                session.run(batches)
        assert session.run(seen).tolist() == [10 + 24, 10 + 12, 10 + 4]


def test_what_is_not_wanted_never_comes() -> None:
    number = numbers(12)
    rows = tf.stack([number, -number])
    parts, classes = stratified_sample([number, rows], number % 3, [0, 1, 0], 2, [0.3, 0.3, 0.4])
    assert [each.shape.as_list() for each in (*parts, classes)] == [[2], [2, 2], [2]]
    found = all_results([*parts, classes])
    assert [one.tolist() for one, _, _ in found] == [[1, 4], [7, 10]]
    assert [both.tolist() for _, both, _ in found] == [[[n, -n] for n in o] for o, _, _ in found]
    assert all(label.tolist() == [1, 1] for _, _, label in found)


@pytest.mark.parametrize("init_probs", [None, [0.5, 0.5]])
def test_many_examples_at_once(init_probs: Any) -> None:
    first = numbers(6) * 3
    rows = first + tf.range(3)
    (kept,), classes = stratified_sample(
        [rows], rows % 2, [0.0, 1.0], 3, init_probs, enqueue_many=True
    )
    found = all_results([kept, classes])
    assert [each.tolist() for each, _ in found] == [[1, 3, 5], [7, 9, 11], [13, 15, 17]]
    assert all(label.tolist() == [1, 1, 1] for _, label in found)


@pytest.mark.parametrize(
    ("shares", "is_told"), [([0.25, 0.75], False), ([0.9, 0.1], True)], ids=["few", "most"]
)
def test_it_is_told_where_most_is_left_out(shares: Any, is_told: bool, capfd: Any) -> None:
    number = numbers(40)
    all_results(stratified_sample([number], number % 2, [0.5, 0.5], 1, shares))
    text = capfd.readouterr().err
    assert text.count("Most examples are left out") == (10 if is_told else 0)
    assert ("[0.11111" in text and " 1]" in text) == is_told, text


ROWS, LABELS = [[1.0, 2.0], [3.0, 4.0]], [0, 1]


@pytest.mark.parametrize(
    ("tensors", "labels", "target", "own", "many", "words"),
    [
        (tf.no_op, 0, [1.0], None, False, "must be a list of tensors"),
        ([ROWS], [[0], [1]], [0.5, 0.5], None, True, "rank"),
        ([ROWS], 0, [0.5, 0.5], None, True, "rank"),
        ([ROWS], LABELS, [0.5, 0.5], None, False, "rank"),
        ([ROWS, [1.0]], LABELS, [0.5, 0.5], None, True, "not compatible"),
        ([1.0], LABELS, [0.5, 0.5], None, True, "rank"),
        ([2.0], LABELS, 1.0, None, True, "must be a vector"),
        ([ROWS], LABELS, [0.5, 0.5], [1.0], True, "as many classes, but got 1 and 2"),
        ([ROWS], LABELS, [0.5, 0.6], None, True, "target_probs must be shares that sum to one"),
        ([ROWS], LABELS, [0.5, 0.5], [0.1, 0.8], True, "init_probs must be shares .* is 0.9"),
        ([ROWS], LABELS, [-0.5, 1.5], None, True, r"got \[-0.5, 1.5\]"),
        ([ROWS], LABELS, [0.5, 0.5], [0.0, 1.0], True, "the input has not, .* class 0"),
    ],
)
def test_wrong_arguments_are_refused_at_once(
    tensors: Any, labels: Any, target: Any, own: Any, many: bool, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        stratified_sample(tensors, labels, target, 2, own, enqueue_many=many)


def test_how_many_classes_there_are_is_known_and_they_are_numbers() -> None:
    with pytest.raises(ValueError, match="of a length that is known"):
        stratified_sample([ROWS], LABELS, tf.placeholder(tf.float32, [None]), 2, enqueue_many=True)
    with pytest.raises(TypeError):
        stratified_sample([ROWS], [0.0, 1.0], [0.5, 0.5], 2, enqueue_many=True)


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("label", 3),
        ("label", -1),
        ("target", [0.5, 0.6, 0.1]),
        ("target", [-0.5, 0.5, 1.0]),
        ("own", [0.5, 0.4, 0.0]),
        # Wanted, and not there.
        ("own", [0.0, 0.5, 0.5]),
    ],
)
def test_what_no_constant_tells_ends_the_input(what: str, value: Any) -> None:
    given = {"label": [1], "target": [0.3, 0.3, 0.4], "own": [0.3, 0.3, 0.4], what: value}
    held = {
        name: tf.Variable(number, dtype=tf.int32 if name == "label" else tf.float32, name=name)
        for name, number in given.items()
    }
    label = tf.reshape(held["label"], [])
    batches = stratified_sample([label], label, held["target"], 1, held["own"])
    # Who waits for a batch hears that none comes; the threads, why.
    ended, none = tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError
    with pytest.raises(ended), running() as session, pytest.raises(none):
        session.run(batches)
