"""Metrics over several batches, against the same numbers counted by NumPy over all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf

pytestmark = pytest.mark.usefixtures("graph")


BATCHES = 3


def run(build: Callable[..., Any], batches: dict[str, list[Any]]) -> tuple[Any, Any, list[Any]]:
    """The value before the first batch, the value after the last, and what the updates gave."""
    places = {
        name: tf.placeholder(tf.as_dtype(values[0].dtype), [None, *values[0].shape[1:]])
        for name, values in batches.items()
    }
    value, update = build(**places)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        before = session.run(value)
        updates = [
            session.run(update, {places[name]: values[i] for name, values in batches.items()})
            for i in range(BATCHES)
        ]
        return before, session.run(value), updates


def draw(weighted: bool, *shape: int, classes: int = 0) -> dict[str, list[Any]]:
    random = np.random.default_rng(5)
    names = ("labels", "predictions")
    if classes:
        values = {n: [random.integers(0, classes, shape) for _ in range(BATCHES)] for n in names}
    else:
        values = {n: [random.random(shape, np.float32) for _ in range(BATCHES)] for n in names}
    if weighted:
        choices = np.array([0.0, 0.5, 2.0], np.float32)
        values["weights"] = [random.choice(choices, shape) for _ in range(BATCHES)]
    return values


def joined(batches: dict[str, list[Any]]) -> tuple[Any, Any, Any]:
    labels, predictions = (np.concatenate(batches[n]) for n in ("labels", "predictions"))
    weights = np.concatenate(batches["weights"]) if "weights" in batches else np.ones(labels.shape)
    return labels, predictions, weights


MEANS = {
    "mean_absolute_error": lambda y, p: np.abs(y - p),
    "mean_squared_error": lambda y, p: (y - p) ** 2,
    "root_mean_squared_error": lambda y, p: (y - p) ** 2,
    "accuracy": lambda y, p: y == p,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", sorted(MEANS))
def test_means(name: str, weighted: bool) -> None:
    batches = draw(weighted, 4, 3, classes=3 if name == "accuracy" else 0)
    before, after, updates = run(getattr(tf.metrics, name), batches)
    labels, predictions, weights = joined(batches)
    want = np.average(MEANS[name](labels, predictions), weights=weights)
    want = np.sqrt(want) if name.startswith("root") else want
    assert before == 0
    assert after == updates[-1] == pytest.approx(want, rel=1e-5)
    assert after.dtype == np.float32


def test_mean_percentage_and_tensor() -> None:
    values = [np.array([[1.0, 2.0], [3.0, 6.0]], np.float32) * (i + 1) for i in range(BATCHES)]
    assert run(tf.metrics.mean, {"values": values})[1] == pytest.approx(6.0)
    below = run(lambda values: tf.metrics.percentage_below(values, 3.0), {"values": values})[1]
    assert below == pytest.approx(3 / 12)
    tensor = tf.constant([[1.0, 2.0]])
    value, update = tf.metrics.mean_tensor(tensor, weights=[[0.0, 2.0]])
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(value).tolist() == [[0.0, 0.0]]
        assert session.run(update).tolist() == session.run(update).tolist() == [[0.0, 2.0]]


def test_relative_error_passes_over_zeros_and_cosine_distance() -> None:
    value, update = tf.metrics.mean_relative_error([2.0, 1.0], [1.0, 5.0], [4.0, 0.0])
    close, closer = tf.metrics.mean_cosine_distance([[1.0, 0.0]], [[0.6, 0.8]], dim=1)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(update) == pytest.approx(0.125)
        assert session.run(close) == 1.0
        assert session.run(closer) == pytest.approx(0.4)


COUNTS = {
    "true_positives": lambda y, p: y & p,
    "false_positives": lambda y, p: ~y & p,
    "true_negatives": lambda y, p: ~y & ~p,
    "false_negatives": lambda y, p: y & ~p,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", sorted(COUNTS))
def test_counts(name: str, weighted: bool) -> None:
    batches = draw(weighted, 8, classes=2)
    before, after, _ = run(getattr(tf.metrics, name), batches)
    labels, predictions, weights = joined(batches)
    hits = COUNTS[name](labels.astype(bool), predictions.astype(bool))
    assert before == 0
    assert after == pytest.approx(np.sum(weights * hits))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "beside"), [("precision", 1), ("recall", 0)])
def test_precision_and_recall(name: str, beside: int, weighted: bool) -> None:
    batches = draw(weighted, 8, classes=2)
    before, after, _ = run(getattr(tf.metrics, name), batches)
    labels, predictions, weights = joined(batches)
    whole = (labels, predictions)[beside]
    assert before == 0
    assert after == pytest.approx(
        np.sum(weights * labels * predictions) / np.sum(weights * whole), rel=1e-5
    )


THRESHOLDS = [0.0, 0.25, 0.5, 1.0]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [*sorted(COUNTS), "precision", "recall"])
def test_thresholds(name: str, weighted: bool) -> None:
    batches = draw(weighted, 9)
    batches["labels"] = [b > 0.4 for b in batches["labels"]]

    def build(**given: Any) -> Any:
        return getattr(tf.metrics, f"{name}_at_thresholds")(thresholds=THRESHOLDS, **given)

    _, after, _ = run(build, batches)
    labels, scores, weights = joined(batches)
    for threshold, found in zip(THRESHOLDS, after, strict=True):
        above = scores > threshold
        counts = {k: np.sum(weights * f(labels, above)) for k, f in COUNTS.items()}
        other = {"precision": "false_positives", "recall": "false_negatives"}.get(name)
        want = counts[name] if other is None else counts["true_positives"]
        if other is not None:
            want = want / (want + counts[other]) if want else 0.0
        assert found == pytest.approx(want, rel=1e-5, abs=1e-6)


def test_predictions_out_of_range() -> None:
    _, update = tf.metrics.auc([True, False], tf.constant([0.5, 1.5]))
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"must be in \[0, 1\]"):
            session.run(update)


def test_area_under_the_roc_curve_is_the_share_of_ordered_pairs() -> None:
    batches = draw(False, 40)
    batches["labels"] = [b > 0.5 for b in batches["labels"]]
    # Scores on the grid of the thresholds, halfway between two: then the sum is exact.
    batches["predictions"] = [(np.floor(b * 199) + 0.5) / 199 for b in batches["predictions"]]
    batches["predictions"] = [b.astype(np.float32) for b in batches["predictions"]]
    before, after, _ = run(tf.metrics.auc, batches)
    labels, scores, _ = joined(batches)
    pairs = scores[labels][:, None] - scores[~labels][None, :]
    assert before == 0
    assert after == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)), abs=1e-4)


@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_summation_methods_bound_the_area(curve: str) -> None:
    labels, scores = [0.0, 1.0, 1.0, 0.0, 1.0], [0.35, 0.7, 0.35, 0.4, 0.9]
    areas = {}
    for method in ("minoring", "trapezoidal", "majoring"):
        _, areas[method] = tf.metrics.auc(
            labels, scores, num_thresholds=11, curve=curve, summation_method=method
        )
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        low, middle, high = session.run(list(areas.values()))
    assert low < middle < high
    assert middle == pytest.approx((low + high) / 2, rel=1e-5)


def test_the_area_between_thresholds_is_that_of_a_curve() -> None:
    labels = np.array([0, 1, 1, 0, 1, 0, 1, 0, 0, 1], bool)
    scores = np.array([0.35, 0.7, 0.35, 0.4, 0.9, 0.75, 0.15, 0.15, 0.55, 0.55])
    _, update = tf.metrics.auc(
        labels, scores, num_thresholds=6, curve="PR", summation_method="careful_interpolation"
    )
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        found = session.run(update)
    # Both counts change evenly from one threshold to the next; the precision is summed finely.
    thresholds = [-1e-7, 0.2, 0.4, 0.6, 0.8, 1.0 + 1e-7]
    true = [(labels & (scores > t)).sum() for t in thresholds]
    false = [(~labels & (scores > t)).sum() for t in thresholds]
    steps = (np.arange(100_000) + 0.5) / 100_000
    area = 0.0
    for i in range(5):
        tp = true[i + 1] + (true[i] - true[i + 1]) * steps
        fp = false[i + 1] + (false[i] - false[i + 1]) * steps
        if true[i] + false[i]:
            area += (tp / (tp + fp)).mean() * (true[i] - true[i + 1]) / labels.sum()
    assert found == pytest.approx(area, rel=1e-4)


def test_sensitivity_and_specificity() -> None:
    labels = tf.constant([False] * 4 + [True] * 4)
    scores = tf.constant([0.1, 0.2, 0.3, 0.8, 0.25, 0.6, 0.7, 0.9])
    _, sensitivity = tf.metrics.sensitivity_at_specificity(labels, scores, 0.75)
    _, specificity = tf.metrics.specificity_at_sensitivity(labels, scores, 0.75)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(sensitivity) == pytest.approx(0.75)
        assert session.run(specificity) == pytest.approx(0.75)


@pytest.mark.parametrize("weighted", [False, True])
def test_mean_iou_and_class_accuracy(weighted: bool) -> None:
    batches = draw(weighted, 9, classes=4)
    labels, predictions, weights = joined(batches)
    unions, shares = [], []
    for c in range(5):
        common = np.sum(weights * ((labels == c) & (predictions == c)))
        union = np.sum(weights * ((labels == c) | (predictions == c)))
        own = np.sum(weights * (labels == c))
        unions.append(common / union if union else None)
        shares.append(common / own if own else 0.0)
    before, after, updates = run(lambda **g: tf.metrics.mean_iou(num_classes=5, **g), batches)
    assert before == 0
    assert after == pytest.approx(np.mean([u for u in unions if u is not None]), rel=1e-5)
    assert updates[-1].shape == (5, 5)
    _, after, updates = run(
        lambda **g: tf.metrics.mean_per_class_accuracy(num_classes=5, **g), batches
    )
    assert after == pytest.approx(np.mean(shares), rel=1e-5)
    assert updates[-1] == pytest.approx(shares, rel=1e-5)


SCORES = [[0.5, 0.4, 0.3, 0.2], [0.1, 0.2, 0.3, 0.4]]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    ("name", "arguments", "want"),
    [
        ("recall_at_k", {"k": 1}, 1 / 4),
        ("recall_at_k", {"k": 2}, 2 / 4),
        ("recall_at_k", {"k": 2, "class_id": 2}, 1.0),
        ("recall_at_k", {"k": 2, "weights": [0.0, 1.0]}, 1 / 2),
        ("sparse_precision_at_k", {"k": 1}, 1 / 2),
        ("sparse_precision_at_k", {"k": 2}, 2 / 4),
        ("sparse_precision_at_k", {"k": 2, "class_id": 1}, 0.0),
        ("sparse_precision_at_k", {"k": 2, "weights": [0.0, 1.0]}, 1 / 2),
        # The first example: 1 at place 1; the second: 1/2 at place 2. Each has two labels.
        ("sparse_average_precision_at_k", {"k": 2}, (1 / 2 + 1 / 4) / 2),
        ("sparse_average_precision_at_k", {"k": 2, "weights": [3.0, 1.0]}, (3 / 2 + 1 / 4) / 4),
    ],
)
def test_rankings(name: str, arguments: dict[str, Any], want: float, sparse: bool) -> None:
    labels: Any = tf.constant([[0, 3], [2, 1]], tf.int64)
    if sparse:
        where = [[0, 0], [0, 1], [1, 0], [1, 1]]
        labels = tf.SparseTensor(where, tf.constant([0, 3, 1, 2], tf.int64), [2, 2])
    value, update = getattr(tf.metrics, name)(labels, tf.constant(SCORES), **arguments)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        if "average" not in name:
            assert np.isnan(session.run(value))
        assert session.run(update) == session.run(update) == pytest.approx(want)
        assert session.run(value) == pytest.approx(want)


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize(
    ("name", "class_id", "want"),
    [
        ("recall_at_top_k", None, 3 / 5),
        ("recall_at_top_k", 2, 0.0),
        ("precision_at_top_k", None, 3 / 4),
        ("precision_at_top_k", 3, 1.0),
    ],
)
def test_rankings_of_classes_themselves(
    name: str, class_id: int | None, want: float, k: int | None
) -> None:
    # Of the first example one of three labels is found, of the second both; one label comes twice.
    labels = tf.constant([[0, 1, 2], [3, 4, 4]], tf.int64)
    best = tf.constant([[1, 7], [4, 3]])
    value, update = getattr(tf.metrics, name)(labels, best, k, class_id)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(update) == pytest.approx(want)
        assert session.run(value) == pytest.approx(want)
    number = "k" if k is None else k
    expected = f"_at_{number}" if class_id is None else f"_at_{number}_class{class_id}"
    assert all(v.op.name.endswith(expected) for v in tf.local_variables())


def test_one_label_for_each_example() -> None:
    _, update = tf.metrics.recall_at_k(tf.constant([1, 0], tf.int64), tf.constant(SCORES), 2)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(update) == 0.5


def test_names_and_collections() -> None:
    tf.metrics.accuracy([1], [1], metrics_collections="values", updates_collections=["a", "b"])
    tf.metrics.precision([1], [1])
    tf.metrics.recall_at_k(tf.constant([1], tf.int64), tf.constant([[0.1, 0.9]]), 1, class_id=1)
    assert [v.op.name for v in tf.local_variables()] == [
        "accuracy/total",
        "accuracy/count",
        "precision/true_positives/count",
        "precision/false_positives/count",
        "recall_at_1_class1/true_positive_at_1_class1",
        "recall_at_1_class1/false_negative_at_1_class1",
    ]
    assert not tf.trainable_variables() and not tf.global_variables()
    assert [t.name for t in tf.get_collection("values")] == ["accuracy/value:0"]
    assert tf.get_collection("a") == tf.get_collection("b") != []


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: tf.metrics.auc([1], [0.5], curve="nonsense"), "curve must be either ROC or PR"),
        (lambda: tf.metrics.auc([1], [0.5], summation_method="?"), "Invalid summation_method"),
        (lambda: tf.metrics.sensitivity_at_specificity([1], [0.5], 1.5), r"range \[0, 1\]"),
        (lambda: tf.metrics.mean([1.0, 2.0], weights=[1.0, 2.0, 3.0]), "weights can not be broad"),
        (lambda: tf.metrics.accuracy([1, 2], [1, 2, 3]), "incompatible"),
    ],
)
def test_wrong_arguments(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
