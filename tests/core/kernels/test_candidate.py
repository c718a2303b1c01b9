"""Candidate samplers: their counts, and the frequencies of what they draw."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.core.errors import InvalidArgumentError, NotFoundError
from workbench.core.kernels import candidate
from workbench.core.kernels.random import generator

TRUE = np.array([[0, 2], [3, 3], [1, 0]], np.int64)
WEIGHTS = (1.0, 2.0, 3.0, 4.0, 6.0)
CHANCES = {
    "uniform": [0.2] * 5,
    "log_uniform": [math.log((k + 2) / (k + 1)) / math.log(6) for k in range(5)],
    "fixed_unigram": [w / 16 for w in WEIGHTS],
    "learned_unigram": [0.2] * 5,
}


def draw(name: str, seed: int = 0, **changes: Any) -> Any:
    attributes: dict[str, Any] = {
        "num_true": 2,
        "num_sampled": 3,
        "unique": False,
        "range_max": 5,
        "generator": generator((seed, 1), 0),
        **changes,
    }
    if name == "fixed_unigram":
        attributes.setdefault("unigrams", WEIGHTS)
    if name == "learned_unigram":
        attributes.setdefault("state", candidate.UnigramCounts(attributes["range_max"]))
    true = attributes.pop("true", TRUE)
    return getattr(candidate, f"{name}_candidate_sampler")(true, **attributes)


@pytest.mark.parametrize("name", CHANCES)
def test_draws_with_repetition(name: str) -> None:
    sampled, true, drawn = draw(name, num_sampled=20000)
    chances = np.array(CHANCES[name])
    assert sampled.dtype == np.int64 and true.dtype == drawn.dtype == np.float32
    np.testing.assert_allclose(np.bincount(sampled) / 20000, chances, atol=0.02)
    np.testing.assert_allclose(true, 20000 * chances[TRUE], rtol=1e-6)
    np.testing.assert_allclose(drawn, 20000 * chances[sampled], rtol=1e-6)


@pytest.mark.parametrize("name", CHANCES)
def test_distinct_draws(name: str) -> None:
    chances = np.array(CHANCES[name])
    firsts = np.zeros(5)
    for seed in range(300):
        sampled, true, drawn = draw(name, seed, unique=True)
        assert len(set(sampled.tolist())) == 3 and set(sampled.tolist()) <= set(range(5))
        firsts[sampled[0]] += 1
        # One count of tries explains all the expectations: 1 - (1 - p)^tries, or p * 3 for 3 tries.
        for tries in range(3, 400):
            one = chances * 3 if tries == 3 else 1 - (1 - chances) ** tries
            if np.allclose(drawn, one[sampled], rtol=1e-5):
                np.testing.assert_allclose(true, one[TRUE], rtol=1e-5)
                break
        else:
            pytest.fail(f"no count of tries gives {drawn}")
    np.testing.assert_allclose(firsts / 300, chances, atol=0.12)


def test_tries_are_counted_up_to_the_last_new_class() -> None:
    stream = iter([[4, 4, 1, 4, 4, 4], [1, 4, 1, 0, 2, 3, 3, 3, 3, 3, 3, 3]])
    found, tries = candidate._draw_distinct(lambda count: np.array(next(stream)[:count]), 3)
    assert found.tolist() == [4, 1, 0] and tries == 6 + 4


def test_equal_streams_draw_equal_classes() -> None:
    for name in CHANCES:
        np.testing.assert_array_equal(draw(name, 5)[0], draw(name, 5)[0])
        assert sorted(draw(name, num_sampled=5, unique=True)[0]) == [0, 1, 2, 3, 4]


def test_a_learned_sampler_counts_what_was_true() -> None:
    state = candidate.UnigramCounts(5)
    first = draw("learned_unigram", state=state)
    np.testing.assert_allclose(first[1], np.full(TRUE.shape, 0.6))
    np.testing.assert_array_equal(state.weights, [3, 2, 2, 3, 1])
    second = draw("thread_unsafe_unigram", state=state)
    np.testing.assert_allclose(second[1], 3 * np.array([3, 2, 2, 3, 1])[TRUE] / 11, rtol=1e-6)


def test_fixed_unigrams_from_a_file_reserved_and_distorted(tmp_path: Path) -> None:
    vocabulary = tmp_path / "words.csv"
    vocabulary.write_text("the,4\na,9\nodd,word,16\n")
    _, true, _ = draw(
        "fixed_unigram", vocab_file=str(vocabulary), unigrams=(), distortion=0.5, num_reserved_ids=2
    )
    np.testing.assert_allclose(true, 3 * np.array([0, 0, 2, 3, 4])[TRUE] / 9, rtol=1e-6)
    sampled, _, _ = draw(
        "fixed_unigram", unigrams=(1.0, 2.0, 3.0), num_reserved_ids=2, num_sampled=500
    )
    assert sampled.min() == 2
    vocabulary.write_text("the,4\na,9\nodd,word,16\nnew,1\nnewer,1\n")
    assert draw("fixed_unigram", vocab_file=str(vocabulary), unigrams=())[0].shape == (3,)


@pytest.mark.parametrize(("shard", "kept"), [(0, (1.0, 3.0, 5.0)), (1, (2.0, 4.0))])
def test_fixed_unigrams_of_a_shard(shard: int, kept: tuple[float, ...]) -> None:
    true = np.zeros((1, 1), np.int64)
    _, expected, _ = draw(
        "fixed_unigram", unigrams=(1.0, 2.0, 3.0, 4.0, 5.0), num_shards=2, shard=shard,
        range_max=len(kept), num_true=1, true=true,
    )  # fmt: skip
    np.testing.assert_allclose(expected, [[3 * kept[0] / sum(kept)]], rtol=1e-6)


def test_all_candidates() -> None:
    sampled, true, drawn = candidate.all_candidate_sampler(TRUE, num_true=2, num_sampled=4)
    assert sampled.tolist() == [0, 1, 2, 3] and sampled.dtype == np.int64
    np.testing.assert_array_equal(true, np.ones((3, 2), np.float32))
    np.testing.assert_array_equal(drawn, np.ones(4, np.float32))


def test_accidental_hits() -> None:
    true, sampled = np.array([[1, 2], [3, 1], [7, 7]]), np.array([2, 1, 5, 1, 7])
    rows, ids, weights = candidate.compute_accidental_hits(true, sampled, num_true=2)
    assert rows.dtype == np.int32 and ids.dtype == np.int64 and weights.dtype == np.float32
    assert rows.tolist() == [0, 0, 1, 2, 2] and ids.tolist() == [3, 0, 3, 4, 4]
    assert (weights == -np.finfo(np.float32).max).all()
    for nothing in (np.array([9]), np.zeros(0, np.int64)):
        rows, ids, weights = candidate.compute_accidental_hits(true, nothing, num_true=2)
        assert rows.shape == ids.shape == weights.shape == (0,)


ERRORS = [
    (lambda: draw("uniform", num_sampled=6, unique=True), "Sampler's range is too small"),
    (lambda: draw("uniform", true=TRUE + 4), "`true_candidate` out of range [0, 5), received 6"),
    (lambda: draw("log_uniform", true=TRUE - 1), "received -1"),
    (lambda: draw("uniform", true=TRUE[0]), "must be a matrix"),
    (lambda: draw("uniform", num_true=1), "expected: 1 was: 2"),
    (lambda: draw("fixed_unigram", unigrams=()), "Must provide either"),
    (lambda: draw("fixed_unigram", vocab_file="x"), "Must only provide one of"),
    (lambda: draw("fixed_unigram", unigrams=(1.0, 2.0)), "there are 2 weights"),
    (lambda: draw("fixed_unigram", unigrams=(0.0,) * 5), "positive sum"),
    (lambda: draw("fixed_unigram", unigrams=(-1.0,) * 5), "not negative"),
    (lambda: draw("fixed_unigram", num_shards=2, shard=2), "shard must be in [0, 2), got 2"),
    (lambda: draw(
        "fixed_unigram", unigrams=(1.0,) * 4, num_reserved_ids=1, num_sampled=5, unique=True),
     "Only 4 classes can be drawn"),
    (lambda: candidate.compute_accidental_hits(TRUE, TRUE[0], num_true=1), "num_true = 1"),
    (lambda: candidate.compute_accidental_hits(TRUE, TRUE, num_true=2), "must be a vector"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)


def test_vocabulary_errors(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere"):
        draw("fixed_unigram", vocab_file=str(tmp_path / "nowhere.csv"), unigrams=())
    vocabulary = tmp_path / "words.csv"
    vocabulary.write_text("the,4\na,many\n")
    with pytest.raises(InvalidArgumentError, match="line 2"):
        draw("fixed_unigram", vocab_file=str(vocabulary), unigrams=())
