"""Embeddings, candidate samplers and the losses made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import assert_gradients, evaluate
from tests.core.ops.numeric import Array

RANDOM = np.random.RandomState(0)


def cross_entropy(logits: Array, labels: Array) -> Array:
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    result: Array = -(labels * np.log(p)).sum(-1)
    return result


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("strategy", ["mod", "div"])
@pytest.mark.parametrize("known", [True, False])
def test_embeddings_in_parts(count: int, strategy: str, known: bool) -> None:
    table = RANDOM.standard_normal((10, 3))
    ids = np.array([[1, 9, 3], [3, 0, 7]])
    if strategy == "mod":
        parts = [table[i::count] for i in range(count)]
    else:
        parts = np.array_split(table, count)
    params = [tf.placeholder(tf.float64, p.shape if known else [None, 3]) for p in parts]
    feeds = dict(zip(params, parts, strict=True))
    rows = tf.nn.embedding_lookup(params, ids, strategy)
    assert rows.shape.as_list() == [2, 3, 3]
    np.testing.assert_array_equal(evaluate(rows, feeds), table[ids])
    if known:
        assert_gradients(lambda *p: tf.nn.embedding_lookup(list(p), ids, strategy), *parts)


def test_embeddings_of_variables() -> None:
    table = tf.get_variable(
        "table",
        [10, 2],
        initializer=tf.ones_initializer(),
        partitioner=tf.fixed_size_partitioner(3),
    )
    rows = tf.nn.embedding_lookup(table, [0, 9], "div")
    assert evaluate(rows).tolist() == [[1, 1], [1, 1]]
    single = tf.get_variable("single", [4, 2])
    (gradient,) = tf.gradients(tf.nn.embedding_lookup(single, [1, 1]), single)
    assert isinstance(gradient, tf.IndexedSlices)


def test_embeddings_are_clipped() -> None:
    table = np.array([[3.0, 4.0], [0.3, 0.4]])
    found = evaluate(tf.nn.embedding_lookup(table, [0, 1], max_norm=1.0))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.3, 0.4]])


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
@pytest.mark.parametrize("weighted", [False, True])
def test_combined_embeddings(combiner: str, weighted: bool) -> None:
    table = RANDOM.standard_normal((5, 2))
    where = [[0, 0], [0, 1], [1, 0], [2, 0], [2, 1], [2, 2]]
    ids, weights = [1, 3, 4, 0, 0, 2], np.array([1.0, 2.0, 0.5, 1.0, 3.0, 2.0])
    used = weights if weighted else np.ones(6)
    expected = np.zeros((3, 2))
    for row in range(3):
        picked = [i for i, (r, _) in enumerate(where) if r == row]
        total = sum(table[ids[i]] * used[i] for i in picked)
        divisor = {
            "sum": 1.0,
            "mean": used[picked].sum(),
            "sqrtn": np.sqrt((used[picked] ** 2).sum()),
        }[combiner]
        expected[row] = total / divisor

    def combine(params: Any) -> Any:
        sparse_ids = tf.SparseTensor(where, ids, [3, 3])
        sparse_weights = tf.SparseTensor(where, weights, [3, 3]) if weighted else None
        return tf.nn.embedding_lookup_sparse(params, sparse_ids, sparse_weights, combiner=combiner)

    np.testing.assert_allclose(evaluate(combine(tf.constant(table))), expected)
    # The means of sparse segments have no second derivative, as in TensorFlow.
    assert_gradients(combine, table, orders=2 if weighted or combiner == "sum" else 1)


def test_embedding_errors() -> None:
    with pytest.raises(ValueError, match="Need at least one param"):
        tf.nn.embedding_lookup([], [0])
    with pytest.raises(ValueError, match="Unrecognized partition strategy"):
        tf.nn.embedding_lookup([tf.ones([2, 2])] * 2, [0], "hash")
    ids = tf.SparseTensor([[0, 0]], [0], [1, 1])
    with pytest.raises(ValueError, match="'mean', 'sqrtn' or 'sum'"):
        tf.nn.embedding_lookup_sparse(tf.ones([2, 2]), ids, None, combiner="max")
    with pytest.raises(TypeError, match="sp_ids must be SparseTensor"):
        tf.nn.embedding_lookup_sparse(tf.ones([2, 2]), [0], None)
    with pytest.raises(TypeError, match="sp_weights must be either None or SparseTensor"):
        tf.nn.embedding_lookup_sparse(tf.ones([2, 2]), ids, [1.0])


# -- sampled losses ------------------------------------------------------------------------------


@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize(
    "name", ["uniform", "log_uniform", "learned_unigram", "fixed_unigram", "all"]
)
def test_samplers(name: str, unique: bool) -> None:
    options: dict[str, Any] = {"range_max": 20}
    if name == "fixed_unigram":
        options["unigrams"] = list(range(1, 21))
    if name == "all":
        options = {}
    sampler = getattr(tf.nn, f"{name}_candidate_sampler")
    drawn = sampler([[1, 2], [3, 4]], 2, 8, unique, seed=7, **options)
    assert [t.shape.as_list() for t in drawn] == [[8], [2, 2], [8]]
    sampled, true_count, sampled_count = evaluate(list(drawn))
    assert sampled.dtype == np.int64 and sampled.min() >= 0 and sampled.max() < 20
    if unique:
        assert len(set(sampled.tolist())) == 8
    assert np.all(true_count > 0) and np.all(sampled_count > 0)
    again = sampler([[1, 2], [3, 4]], 2, 8, unique, seed=7, **options)
    assert evaluate(again.sampled_candidates).tolist() == sampled.tolist()


def test_accidental_hits() -> None:
    hits = tf.nn.compute_accidental_hits([[7, 6], [5, 9]], [5, 6, 7], num_true=2)
    rows, places, weights = evaluate(list(hits))
    assert sorted(zip(rows.tolist(), places.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 0)]
    assert np.all(weights < -1e38)


def everything(count: int, rows: int) -> Any:
    """Samples of all classes with the expectation 1: the sampled losses are exact then."""
    return (
        tf.constant(np.arange(count)),
        tf.ones([rows, 1], tf.float64),
        tf.ones([count], tf.float64),
    )


def test_sampled_softmax_of_all_classes_is_the_softmax() -> None:
    w, b, x = RANDOM.standard_normal((6, 3)), RANDOM.standard_normal(6), RANDOM.randn(4, 3)
    labels = np.array([[0], [5], [2], [2]])
    expected = cross_entropy(x @ w.T + b, np.eye(6)[labels[:, 0]])

    def loss(weights: Any, biases: Any, inputs: Any) -> Any:
        return tf.nn.sampled_softmax_loss(
            weights, biases, labels, inputs, 6, 6, sampled_values=everything(6, 4)
        )

    np.testing.assert_allclose(evaluate(loss(w, b, x)), expected, rtol=1e-6)
    inputs = tf.constant(x)
    (found,) = tf.gradients(loss(w, b, inputs), inputs)
    logits = x @ w.T + b
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(
        evaluate(found), (p - np.eye(6)[labels[:, 0]]) @ w, rtol=1e-6, atol=1e-9
    )


def test_noise_contrast_of_all_classes() -> None:
    w, b, x = RANDOM.standard_normal((5, 3)), RANDOM.standard_normal(5), RANDOM.randn(2, 3)
    labels = np.array([[1], [4]])
    logits = x @ w.T + b
    true = np.take_along_axis(logits, labels, 1)
    expected = np.log1p(np.exp(-true)).sum(1) + np.log1p(np.exp(logits)).sum(1)
    found = tf.nn.nce_loss(w, b, labels, x, 5, 5, sampled_values=everything(5, 2))
    np.testing.assert_allclose(evaluate(found), expected)


def test_nce_draws_for_itself() -> None:
    w = tf.get_variable("w", [50, 4])
    b = tf.get_variable("b", [50], initializer=tf.zeros_initializer())
    loss = tf.nn.nce_loss(w, b, [[1], [2]], tf.ones([2, 4]), 10, 50)
    gradients = tf.gradients(loss, [w, b])
    assert all(isinstance(g, tf.IndexedSlices) for g in gradients)
    value, first = evaluate([loss, gradients[0]])
    assert value.shape == (2,) and np.all(np.isfinite(value))
    assert first.indices.shape == (12,)
