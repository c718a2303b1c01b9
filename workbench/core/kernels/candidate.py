"""Candidate samplers: classes drawn for sampled losses, with the counts to expect of each class.

Every sampler returns the drawn classes, the expected count of each true class, and the expected
count of each drawn class. With ``unique`` classes are drawn until ``num_sampled`` different ones
are found, and the expected count is the chance to be among them in as many tries.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from workbench.core.files import translated_errors
from workbench.core.kernels.support import Floats, invalid

Candidates: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]

#: What a hit weighs: added to a logit, it leaves no probability.
_HIT = np.finfo(np.float32).min
_MOST_AT_ONCE = 1 << 16


class _Distribution(NamedTuple):
    """How to draw a number of classes, and the probabilities of given classes."""

    draw: Callable[[int], np.ndarray]
    probability: Callable[[np.ndarray], Floats]
    #: How many classes can be drawn at all.
    possible: int


def uniform_candidate_sampler(
    true_classes: np.ndarray,
    *,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    generator: np.random.Generator,
) -> Candidates:
    """Classes of [0, range_max), all equally likely.

    >>> true, stream = np.array([[0], [3]]), np.random.default_rng(0)
    >>> uniform_candidate_sampler(
    ...     true, num_true=1, num_sampled=2, unique=False, range_max=8, generator=stream
    ... )[1].tolist()
    [[0.25], [0.25]]
    """
    distribution = _Distribution(
        lambda count: generator.integers(0, range_max, count),
        lambda classes: np.full(classes.shape, 1.0 / range_max),
        range_max,
    )
    return _sample(true_classes, num_true, num_sampled, unique, range_max, distribution)


def log_uniform_candidate_sampler(
    true_classes: np.ndarray,
    *,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    generator: np.random.Generator,
) -> Candidates:
    """Classes by Zipf's law: class k has the probability log((k + 2) / (k + 1)) / log(range + 1).

    Meant for classes in the order of decreasing frequency.
    """
    logarithm = np.log1p(range_max)

    def draw(count: int) -> np.ndarray:
        drawn = np.floor(np.exp(generator.random(count) * logarithm)).astype(np.int64) - 1
        return np.asarray(np.minimum(drawn, range_max - 1))

    def probability(classes: np.ndarray) -> Floats:
        return np.asarray(np.log1p(1.0 / (classes + 1.0)) / logarithm, np.float64)

    distribution = _Distribution(draw, probability, range_max)
    return _sample(true_classes, num_true, num_sampled, unique, range_max, distribution)


def fixed_unigram_candidate_sampler(
    true_classes: np.ndarray,
    *,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    generator: np.random.Generator,
) -> Candidates:
    """Classes with probabilities in proportion to given counts, each to the power ``distortion``.

    The counts are ``unigrams`` or the last column of the lines of ``vocab_file``. The first
    ``num_reserved_ids`` classes are never drawn. With shards, every ``num_shards``-th is used.
    """
    if not 0 <= shard < num_shards:
        raise invalid(f"shard must be in [0, {num_shards}), got {shard}")
    if bool(vocab_file) == bool(unigrams):
        which = "only provide one of" if vocab_file else "provide either"
        raise invalid(f"Must {which} vocab_file and unigrams.")
    counts = _counts_in(vocab_file) if vocab_file else tuple(unigrams)
    weights = _shard_weights(counts, distortion, num_reserved_ids, num_shards, shard)
    if weights.size != range_max:
        raise invalid(f"range_max is {range_max}, but there are {weights.size} weights")
    distribution = _weighted(weights, generator)
    return _sample(true_classes, num_true, num_sampled, unique, range_max, distribution)


class UnigramCounts:
    """What a learned sampler has seen: how often each class was true, counted from one."""

    def __init__(self, range_max: int) -> None:
        self.weights = np.ones(range_max)
        # Steps that run side by side share the counts.
        self.lock = threading.Lock()

    def saved(self) -> dict[str, Any]:
        """A copy of the counts."""
        with self.lock:
            return {"weights": self.weights.copy()}

    def restore(self, saved: dict[str, Any]) -> None:
        """Counts on from what was saved."""
        with self.lock:
            self.weights = np.array(saved["weights"])


def learned_unigram_candidate_sampler(
    true_classes: np.ndarray,
    *,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    generator: np.random.Generator,
    state: UnigramCounts,
) -> Candidates:
    """Classes in proportion to how often they were true so far; ``state`` then counts these too.

    >>> state, true = UnigramCounts(4), np.array([[2], [2]])
    >>> stream = np.random.default_rng(0)
    >>> result = learned_unigram_candidate_sampler(
    ...     true,
    ...     num_true=1,
    ...     num_sampled=2,
    ...     unique=False,
    ...     range_max=4,
    ...     generator=stream,
    ...     state=state,
    ... )
    >>> state.weights
    array([1., 1., 3., 1.])
    """
    with state.lock:
        distribution = _weighted(state.weights, generator)
        result = _sample(true_classes, num_true, num_sampled, unique, range_max, distribution)
        np.add.at(state.weights, np.asarray(true_classes).reshape(-1), 1.0)
        return result


thread_unsafe_unigram_candidate_sampler = learned_unigram_candidate_sampler


def all_candidate_sampler(
    true_classes: np.ndarray, *, num_true: int, num_sampled: int, unique: bool = True
) -> Candidates:
    """All classes of [0, num_sampled), each once: the exact loss in a sampled loss's place.

    >>> all_candidate_sampler(np.array([[1]]), num_true=1, num_sampled=3)[0]
    array([0, 1, 2])
    """
    classes = _checked(true_classes, num_true, num_sampled)
    ones = np.ones(num_sampled, np.float32)
    return np.arange(num_sampled, dtype=np.int64), np.ones(classes.shape, np.float32), ones


def compute_accidental_hits(
    true_classes: np.ndarray, sampled_candidates: np.ndarray, *, num_true: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a true class was drawn too: rows, positions among the drawn, and a weight to mask it.

    Of a class drawn more than once the last position counts.

    >>> compute_accidental_hits(np.array([[7], [5]]), np.array([5, 6, 7]), num_true=1)[:2]
    (array([0, 1], dtype=int32), array([2, 0]))
    """
    true, sampled = np.asarray(true_classes), np.asarray(sampled_candidates)
    if true.ndim != 2 or true.shape[1] != num_true:
        raise invalid(
            f"true_candidates must be a batch_size * num_true matrix with num_true = {num_true}; "
            f"got shape {true.shape}"
        )
    if sampled.ndim != 1:
        raise invalid(f"sampled_candidates must be a vector, got shape {sampled.shape}")
    order = np.argsort(sampled, kind="stable")
    flat = true.reshape(-1)
    end = np.searchsorted(sampled, flat, side="right", sorter=order)
    known = np.flatnonzero(end > 0)
    last = order[end[known] - 1]
    equal = sampled[last] == flat[known]
    rows, ids = known[equal] // max(num_true, 1), last[equal]
    return rows.astype(np.int32), ids.astype(np.int64), np.full(ids.shape, _HIT, np.float32)


def _sample(
    true_classes: np.ndarray,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    distribution: _Distribution,
) -> Candidates:
    true = _checked(true_classes, num_true, range_max)
    if not unique:
        sampled, tries = distribution.draw(num_sampled), num_sampled
    elif distribution.possible < num_sampled:
        raise invalid(
            f"Sampler's range is too small. Only {distribution.possible} classes can be drawn, "
            f"and num_sampled asks for {num_sampled} different ones"
        )
    else:
        sampled, tries = _draw_distinct(distribution.draw, num_sampled)

    def expected(classes: np.ndarray) -> np.ndarray:
        chance = distribution.probability(classes)
        if tries == num_sampled:
            return np.asarray(chance * tries, np.float32)
        return np.asarray(-np.expm1(tries * np.log1p(-chance)), np.float32)

    with np.errstate(divide="ignore"):
        return sampled.astype(np.int64, copy=False), expected(true), expected(sampled)


def _draw_distinct(draw: Callable[[int], np.ndarray], count: int) -> tuple[np.ndarray, int]:
    """The first ``count`` different classes in the order they came, and how many draws it took."""
    found = np.zeros(0, np.int64)
    tries, size = 0, 2 * count
    while True:
        joined = np.concatenate([found, draw(size)])
        first = np.sort(np.unique(joined, return_index=True)[1])
        if first.size >= count:
            used = max(int(first[count - 1]) + 1 - found.size, 0) if count else 0
            return joined[first[:count]], tries + used
        found = joined[first]
        tries += size
        size = min(2 * size, _MOST_AT_ONCE)


def _weighted(weights: Floats, generator: np.random.Generator) -> _Distribution:
    cumulative = np.cumsum(weights)
    total = cumulative[-1]
    if not total > 0:
        raise invalid("the weights of the classes must have a positive sum")
    # Rounding could carry a draw past the last class that has any weight.
    last = int(np.flatnonzero(weights)[-1])

    def draw(count: int) -> np.ndarray:
        drawn = np.searchsorted(cumulative, generator.random(count) * total, side="right")
        return np.asarray(np.minimum(drawn, last), np.int64)

    shares = weights / total
    return _Distribution(draw, lambda classes: shares[classes], int(np.count_nonzero(weights)))


@lru_cache(maxsize=16)
def _shard_weights(
    counts: tuple[float, ...], distortion: float, num_reserved_ids: int, num_shards: int, shard: int
) -> Floats:
    reserved = len(range(shard, num_reserved_ids, num_shards))
    values = np.array(counts, np.float32).astype(np.float64)
    if (values < 0).any() or not np.isfinite(values).all():
        raise invalid("the counts of the classes must be finite and not negative")
    # TensorFlow numbers the counted classes from the reserved ones of this shard on.
    kept = values[(np.arange(values.size) + reserved) % num_shards == shard]
    weights = np.concatenate([np.zeros(reserved), kept**distortion])
    weights.setflags(write=False)
    return weights


def _counts_in(vocab_file: str) -> tuple[float, ...]:
    with translated_errors(vocab_file):
        status = Path(vocab_file).stat()
    return _read_counts(vocab_file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _read_counts(vocab_file: str, changed: int, size: int) -> tuple[float, ...]:
    """The last column of each line; the time and size make a changed file be read again."""
    counts = []
    with (
        translated_errors(vocab_file),
        open(vocab_file, encoding="utf-8", errors="surrogateescape") as lines,
    ):
        for number, line in enumerate(lines, 1):
            field = line.rstrip("\r\n").rpartition(",")[2]
            if not line.strip():
                continue
            try:
                counts.append(float(field))
            except ValueError:
                raise invalid(
                    f"line {number} of vocab_file {vocab_file!r} does not end in a count: {field!r}"
                ) from None
    return tuple(counts)


def _checked(true_classes: np.ndarray, num_true: int, range_max: int) -> np.ndarray:
    true = np.asarray(true_classes)
    if true.ndim != 2:
        raise invalid(f"true_classes must be a matrix, got shape {true.shape}")
    if true.shape[1] != num_true:
        raise invalid(
            f"true_classes must have num_true columns, expected: {num_true} was: {true.shape[1]}"
        )
    wrong = true[(true < 0) | (true >= range_max)]
    if wrong.size:
        raise invalid(f"`true_candidate` out of range [0, {range_max}), received {wrong[0]}")
    return true
