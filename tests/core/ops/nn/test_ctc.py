"""The CTC loss and its decoders against sums over all alignments."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.evaluating import evaluate
from tests.core.ops.numeric import Array, derivative
from workbench.core.ops.creation import create

RANDOM = np.random.RandomState(0)
OPTIONS = [
    {},
    {"preprocess_collapse_repeated": True},
    {"ctc_merge_repeated": False},
    {"preprocess_collapse_repeated": True, "ctc_merge_repeated": False},
]


def without_repeats(labels: Any) -> list[int]:
    return [label for label, _ in itertools.groupby(labels)]


def alignments(steps: int, classes: int) -> Iterator[tuple[int, ...]]:
    return itertools.product(range(classes), repeat=steps)


def probabilities(logits: Array) -> Array:
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    result: Array = exponentials / exponentials.sum(-1, keepdims=True)
    return result


def expected_loss(
    logits: Array,
    labels: list[int],
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
) -> float:
    """Minus the log of the sum over all paths [time] that give the labels."""
    p = probabilities(logits)
    blank = logits.shape[1] - 1
    wanted = without_repeats(labels) if preprocess_collapse_repeated else labels
    total = 0.0
    for path in alignments(*logits.shape):
        seen = without_repeats(path) if ctc_merge_repeated else list(path)
        if [label for label in seen if label != blank] == list(wanted):
            total += float(np.prod([p[time, label] for time, label in enumerate(path)]))
    with np.errstate(divide="ignore"):
        return float(-np.log(total))


def sparse(labels: list[list[int]]) -> Any:
    indices = [[row, i] for row, own in enumerate(labels) for i in range(len(own))]
    values = [label for own in labels for label in own]
    return tf.SparseTensor(
        np.array(indices, np.int64),
        np.array(values, np.int32),
        [len(labels), max(map(len, labels))],
    )


LABELS = [[0, 1], [1, 1, 0], [2], [0, 0]]
LENGTHS = [4, 5, 3, 2]


@pytest.mark.parametrize("options", OPTIONS)
def test_loss_is_the_sum_over_all_alignments(options: dict[str, bool]) -> None:
    logits = RANDOM.standard_normal((5, 4, 4)) * 2
    found = evaluate(tf.nn.ctc_loss(sparse(LABELS), logits, LENGTHS, **options))
    for row, (labels, length) in enumerate(zip(LABELS, LENGTHS, strict=True)):
        expected = expected_loss(logits[:length, row], labels, **options)
        np.testing.assert_allclose(found[row], expected, rtol=1e-10)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("time_major", [True, False])
def test_gradient(options: dict[str, bool], time_major: bool) -> None:
    # The last row has too few steps for a blank between its labels: it has no path.
    labels, lengths = LABELS[:3], LENGTHS[:3]
    logits = RANDOM.standard_normal((5, 3, 4))
    logits = logits if time_major else logits.transpose(1, 0, 2)
    x = tf.placeholder(tf.float64, logits.shape)
    loss = tf.nn.ctc_loss(sparse(labels), x, lengths, time_major=time_major, **options)
    total = tf.reduce_sum(loss * [1.0, -2.0, 0.5])
    (gradient,) = tf.gradients(total, x)
    with tf.Session() as session:
        value = session.make_callable(total, [x])
        np.testing.assert_allclose(
            session.run(gradient, {x: logits}), derivative(value, logits), atol=1e-7
        )


def test_there_is_no_second_derivative() -> None:
    x = tf.placeholder(tf.float32, [2, 1, 2])
    (gradient,) = tf.gradients(tf.nn.ctc_loss(sparse([[0]]), x, [2]), x)
    with pytest.raises(LookupError, match="second derivative"):
        tf.gradients(gradient, x)
    op = create(
        "CTCLoss",
        inputs=x,
        labels_indices=[[0, 0]],
        labels_values=[0],
        sequence_length=[2],
    )
    with pytest.raises(LookupError, match="second derivative"):
        tf.gradients(op.outputs[1], x)


def test_rows_without_a_path() -> None:
    logits = np.zeros((2, 3, 3), np.float32)
    labels = sparse([[1, 1], [0, 1, 0], [0]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Not enough time"):
        evaluate(tf.nn.ctc_loss(labels, logits, [2, 2, 2]))
    x = tf.constant(logits)
    loss = tf.nn.ctc_loss(labels, x, [2, 2, 0], ignore_longer_outputs_than_inputs=True)
    (gradient,) = tf.gradients(loss, x)
    found, slopes = evaluate([loss, gradient])
    # Two labels fit into two steps, but not the blank between: the gradient moves off the blank.
    assert found.tolist() == [np.inf, 0.0, 0.0]
    np.testing.assert_allclose(slopes[:, 0], np.full((2, 3), 1 / 3), rtol=1e-6)
    assert not slopes[:, 1:].any()


@pytest.mark.parametrize(
    ("labels", "lengths", "problem"),
    [
        ([[0], [0]], [3, 4], r"sequence_length\(1\) = 4 is not between 0 and 3"),
        ([[0], [-1]], [3, 3], "nonnegative integers, batch: 1"),
        ([[0], [2, 0]], [3, 3], "following a null label, batch: 1"),
        ([[0], []], [3, 3], "Labels length is zero in batch 1"),
    ],
)
def test_errors_of_the_loss(labels: Any, lengths: list[int], problem: str) -> None:
    loss = tf.nn.ctc_loss(sparse(labels), np.zeros((3, 2, 3), np.float32), lengths)
    with pytest.raises(tf.errors.InvalidArgumentError, match=problem):
        evaluate(loss)


def test_arguments() -> None:
    logits = np.zeros((3, 2, 3), np.float32)
    with pytest.raises(TypeError, match="to be a SparseTensor, got list"):
        tf.nn.ctc_loss([[0], [1]], logits, [3, 3])
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 1"):
        tf.nn.ctc_loss(sparse([[0], [1]]), logits, [3])
    with pytest.raises(ValueError, match="rank 3 but is rank 2"):
        tf.nn.ctc_greedy_decoder(logits[0], [3, 3])
    decoded, scores = tf.nn.ctc_beam_search_decoder(logits, [3, 3], top_paths=2)
    assert [each.indices.shape.as_list() for each in decoded] == [[None, 2]] * 2
    assert scores.shape.as_list() == [2, 2]


# -- decoders ------------------------------------------------------------------------------------


def rows_of(decoded: Any) -> list[list[int]]:
    """The rows of a sparse tensor, which must be in order and without holes."""
    rows: list[list[int]] = [[] for _ in range(decoded.dense_shape[0])]
    for (row, place), value in zip(decoded.indices, decoded.values, strict=True):
        assert place == len(rows[row])
        rows[row].append(int(value))
    assert decoded.dense_shape[1] == max(map(len, rows))
    return rows


@pytest.mark.parametrize("merge", [True, False])
def test_greedy_decoding(merge: bool) -> None:
    logits = RANDOM.standard_normal((9, 5, 3))
    lengths = [9, 4, 1, 0, 7]
    (decoded,), scores = evaluate(list(tf.nn.ctc_greedy_decoder(logits, lengths, merge)))
    expected = []
    for row, length in enumerate(lengths):
        path = logits[:length, row].argmax(-1).tolist()
        np.testing.assert_allclose(scores[row], -logits[:length, row].max(-1).sum())
        expected.append([x for x in (without_repeats(path) if merge else path) if x != 2])
    assert rows_of(decoded) == expected


def all_sequences(logits: Array) -> list[tuple[float, list[int]]]:
    """Every label sequence with its log probability, the most probable first."""
    p = probabilities(logits)
    blank = logits.shape[1] - 1
    totals: dict[tuple[int, ...], float] = {}
    for path in alignments(*logits.shape):
        labels = tuple(x for x in without_repeats(path) if x != blank)
        mass = float(np.prod([p[time, label] for time, label in enumerate(path)]))
        totals[labels] = totals.get(labels, 0.0) + mass
    return sorted(((float(np.log(v)), list(k)) for k, v in totals.items()), reverse=True)


@pytest.mark.parametrize("merge", [True, False])
def test_a_wide_beam_finds_the_best_sequences(merge: bool) -> None:
    logits = RANDOM.standard_normal((5, 3, 3)) * 2 + 3
    lengths = [5, 3, 4]
    decoded, scores = evaluate(
        list(tf.nn.ctc_beam_search_decoder(logits, lengths, 200, top_paths=3, merge_repeated=merge))
    )
    for row, length in enumerate(lengths):
        best = all_sequences(logits[:length, row])[:3]
        np.testing.assert_allclose(scores[row], [score for score, _ in best], rtol=1e-10)
        for path, (_, labels) in zip(decoded, best, strict=True):
            assert rows_of(path)[row] == (without_repeats(labels) if merge else labels)


Prefix = tuple[int, ...]


def searched(logits: Array, width: int) -> list[tuple[float, list[int]]]:
    """Prefix beam search with a dict for the beam."""
    logs = np.log(probabilities(logits))
    blank = logits.shape[1] - 1
    beam: dict[Prefix, tuple[float, float]] = {(): (-np.inf, 0.0)}
    for step in logs:
        grown: dict[Prefix, tuple[float, float]] = {}
        for prefix, (by_label, by_blank) in beam.items():
            # A prefix whose last label is dropped must be in the beam to count.
            if prefix and prefix[:-1] in beam:
                shorter = beam[prefix[:-1]]
                same = prefix[-2:-1] == prefix[-1:]
                by_label = np.logaddexp(by_label, shorter[1] if same else np.logaddexp(*shorter))
            total = np.logaddexp(*beam[prefix])
            grown[prefix] = (
                by_label + step[prefix[-1]] if prefix else -np.inf,
                total + step[blank],
            )
            for label in range(blank):
                longer = (*prefix, label)
                if longer not in beam:
                    start = by_blank if prefix[-1:] == (label,) else total
                    grown[longer] = (start + step[label], -np.inf)
        best = sorted(grown, key=lambda key: -np.logaddexp(*grown[key]))[:width]
        beam = {prefix: grown[prefix] for prefix in best}
    return [(float(np.logaddexp(*score)), list(prefix)) for prefix, score in beam.items()]


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_a_narrow_beam(width: int) -> None:
    logits = RANDOM.standard_normal((12, 6, 4)) * 3
    lengths = [12, 3, 7, 12, 1, 9]
    paths = min(width, 2)
    decoded, scores = evaluate(
        list(tf.nn.ctc_beam_search_decoder(logits, lengths, width, paths, merge_repeated=False))
    )
    for row, length in enumerate(lengths):
        best = searched(logits[:length, row], width)[:paths]
        np.testing.assert_allclose(scores[row], [score for score, _ in best], rtol=1e-10)
        assert [rows_of(path)[row] for path in decoded] == [labels for _, labels in best]


@pytest.mark.parametrize(
    ("lengths", "width", "paths", "problem", "error"),
    [
        ([3, 3], 2, 3, "more paths than the beam width", tf.errors.InvalidArgumentError),
        ([3, 0], 4, 2, "Less leaves", tf.errors.InvalidArgumentError),
        ([3, 4], 4, 1, r"sequence_length\(1\) = 4", tf.errors.FailedPreconditionError),
    ],
)
def test_errors_of_the_search(
    lengths: list[int], width: int, paths: int, problem: str, error: type[Exception]
) -> None:
    logits = np.zeros((3, 2, 3), np.float32)
    _, scores = tf.nn.ctc_beam_search_decoder(logits, lengths, width, paths)
    with pytest.raises(error, match=problem):
        evaluate(scores)


def test_a_network_learns_unaligned_labels() -> None:
    """Inputs show labels at unknown times; the network finds them."""
    random = np.random.RandomState(1)
    labels = random.randint(0, 3, (16, 3))
    inputs = np.zeros((9, 16, 3), np.float32)
    for row, own in enumerate(labels):
        for label, time in zip(own, np.arange(0, 9, 3) + random.randint(0, 3, 3), strict=True):
            inputs[time, row, label] = 1.0
    x = tf.constant(inputs)
    weights = tf.get_variable("w", [3, 4], initializer=tf.zeros_initializer())
    bias = tf.get_variable("b", [4], initializer=tf.zeros_initializer())
    logits = tf.reshape(tf.matmul(tf.reshape(x, [-1, 3]), weights) + bias, [9, 16, 4])
    lengths = [9] * 16
    loss = tf.reduce_mean(tf.nn.ctc_loss(sparse(labels.tolist()), logits, lengths))
    step = tf.train.AdamOptimizer(0.3).minimize(loss)
    (decoded,), _ = tf.nn.ctc_greedy_decoder(logits, lengths)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(60):
            session.run(step)
        assert session.run(loss) < 0.1
        assert rows_of(session.run(decoded)) == labels.tolist()


def test_decoding_without_any_label() -> None:
    logits = np.zeros((3, 2, 1), np.float32)
    for decoder in (tf.nn.ctc_greedy_decoder, tf.nn.ctc_beam_search_decoder):
        (decoded,), scores = evaluate(list(decoder(logits, [3, 2])))
        assert rows_of(decoded) == [[], []] and not scores.any()
