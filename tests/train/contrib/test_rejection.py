"""Batches of examples that are kept with a probability."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.train.input.pipeline import all_results, numbers

rejection_sample = tf.contrib.training.rejection_sample


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.mark.parametrize("threads", [1, 3])
def test_what_has_no_chance_is_left_out(threads: int) -> None:
    number = numbers(12)
    pair = [number, tf.stack([number, -number])]
    one, two = rejection_sample(pair, lambda parts: parts[0] % 2, 3, queue_threads=threads)
    assert (one.shape.as_list(), two.shape.as_list()) == ([3], [3, 2])
    found = all_results([one, two])
    assert sorted(int(n) for each, _ in found for n in each) == [1, 3, 5, 7, 9, 11]
    for each, both in found:
        assert both.tolist() == [[n, -n] for n in each]


def test_others_are_kept_as_often_as_is_said() -> None:
    tf.set_random_seed(4)
    count = 4000
    (kept,) = rejection_sample([numbers(count) % 4], lambda parts: parts[0] / 4, 1)
    counts = np.bincount(np.concatenate(all_results(kept, 4000)), minlength=4)
    expected = np.arange(4) / 4
    # Within five standard errors of the binomial distribution.
    errors = np.sqrt(expected * (1 - expected) * count / 4)
    assert (np.abs(counts - expected * count / 4) <= 5 * errors).all()


def test_many_examples_at_once() -> None:
    first = numbers(4) * 3
    rows = [first + tf.range(3), tf.fill([3, 2], first)]
    one, two = rejection_sample(rows, lambda parts: parts[0] % 2, 2, enqueue_many=True)
    found = all_results([one, two])
    assert [each.tolist() for each, _ in found] == [[1, 3], [5, 7], [9, 11]]
    assert [both[:, 0].tolist() for _, both in found] == [[0, 3], [3, 6], [9, 9]]


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_probabilities_are_checked_on_demand(wrong: float, graph: tf.Graph) -> None:
    given = tf.placeholder(tf.float32, [])
    rejection_sample([tf.zeros([])], lambda _: given, 2, runtime_checks=True, name="drawn")
    checked = graph.get_tensor_by_name("drawn/prob_with_checks:0")
    with tf.Session() as session:
        assert session.run(checked, {given: 0.25}) == 0.25
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(checked, {given: wrong})


@pytest.mark.parametrize("shapes", [[[]], [[5, 1], [4, 1]]])
def test_many_examples_have_one_number(shapes: Any) -> None:
    with pytest.raises(ValueError):
        rejection_sample([tf.zeros(s) for s in shapes], lambda _: 1.0, 2, enqueue_many=True)
