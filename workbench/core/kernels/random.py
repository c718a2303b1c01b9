"""Counter-based random numbers: streams that depend on a key and a step, and on nothing else.

Philox is a function of a key and a counter. The two seeds of an operation are the key, the step
stands in the upper half of the counter, and the draws of one step count in the lower half. So equal
seeds give equal numbers whatever else runs, in whatever order, thread or worker; and no two steps
share a number.
"""

from __future__ import annotations

import math
import sys
import threading
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from workbench.core.kernels.support import INT64, invalid

_WORD = (1 << 64) - 1
_FEW = 4096


class _NoSeed(ISeedSequence):
    """Spares a new Philox the system's entropy, which its state would overwrite at once."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray:
        return np.zeros(n_words, dtype)


_NO_SEED = _NoSeed()
_EMPTY_BUFFER = (0, 0, 0, 0)


def generator(key: tuple[int, int], step: int) -> np.random.Generator:
    """The random numbers of one step of one operation; ``key`` holds its two seeds.

    A new object (about 5 microseconds) every time: nothing is shared, so any thread may use it.

    >>> generator((1, 2), 7).random() == generator((1, 2), 7).random()
    True
    """
    philox = _new_philox()
    philox.state = _state(key, step)
    return np.random.Generator(philox)


def brief_generator(key: tuple[int, int], step: int) -> np.random.Generator:
    """The same for numbers that are drawn at once: it is the thread's own, and serves until the
    thread asks for the next one.

    >>> brief_generator((1, 2), 7).random() == generator((1, 2), 7).random()
    True
    """
    own = _thread.generator
    own.bit_generator.state = _state(key, step)
    return own


def _new_philox() -> np.random.Philox:
    return np.random.Philox(_NO_SEED)  # type: ignore[arg-type]


class _Thread(threading.local):
    """The generator of each thread."""

    def __init__(self) -> None:
        self.generator = np.random.Generator(_new_philox())


_thread = _Thread()


def _state(key: tuple[int, int], step: int) -> Any:
    """What makes a Philox begin a step. NumPy takes tuples for its arrays: they are made faster."""
    return {
        "bit_generator": "Philox",
        "state": {
            "counter": (0, 0, step & _WORD, 0),
            "key": (key[0] & _WORD, key[1] & _WORD),
        },
        "buffer": _EMPTY_BUFFER,
        "buffer_pos": 4,
        "has_uint32": 0,
        "uinteger": 0,
    }


def random_uniform(
    shape: np.ndarray, *, generator: np.random.Generator, dtype: np.dtype[Any]
) -> np.ndarray:
    """Floats from [0, 1), all equally spaced values of the dtype being equally likely.

    >>> random_uniform(np.array([2, 3]), generator=generator((0, 1), 0), dtype=np.dtype("f4")).shape
    (2, 3)
    """
    sizes = _sizes(shape)
    if dtype == np.float64:
        return generator.random(sizes)
    count = math.prod(sizes)
    if dtype == np.float32 and not sizes and sys.byteorder == "little":
        # A single number is mostly one of many draws: the same, without arrays.
        low = int(generator.bit_generator.random_raw()) & 0xFFFFFFFF
        return np.array((low >> 9) * 2.0**-23, np.float32)
    if dtype == np.float32:
        # The bits of a float in [1, 2): faster than NumPy's own draw, and the same for all sizes.
        bits = _bits(generator, count, 4)
        np.right_shift(bits, 9, out=bits)
        np.bitwise_or(bits, 0x3F800000, out=bits)
        floats: np.ndarray = bits.view(np.float32)
        floats -= np.float32(1)
        return floats.reshape(sizes)
    # Only as many bits as the dtype has digits: rounding more of them could give one.
    digits = 8 if dtype.name == "bfloat16" else 11
    integers = _bits(generator, count, 2) >> (16 - digits)
    return (integers.astype(np.float32) * np.float32(2.0**-digits)).astype(dtype).reshape(sizes)


def random_uniform_int(
    shape: np.ndarray,
    minval: np.ndarray,
    maxval: np.ndarray,
    *,
    generator: np.random.Generator,
) -> np.ndarray:
    """Integers from [minval, maxval), all equally likely.

    >>> random_uniform_int(np.array([2]), np.array(5), np.array(6), generator=generator((0, 1), 0))
    array([5, 5])
    """
    low, high = int(minval), int(maxval)
    if low >= high:
        raise invalid(f"Need minval < maxval, got {low} >= {high}")
    dtype = np.asarray(minval).dtype
    return np.asarray(generator.integers(low, high, _sizes(shape), dtype=dtype.type))


def random_standard_normal(
    shape: np.ndarray, *, generator: np.random.Generator, dtype: np.dtype[Any]
) -> np.ndarray:
    """Floats from the normal distribution of mean 0 and standard deviation 1."""
    return _normal(_sizes(shape), generator, dtype).astype(dtype, copy=False)


def truncated_normal(
    shape: np.ndarray, *, generator: np.random.Generator, dtype: np.dtype[Any]
) -> np.ndarray:
    """Standard normal floats; what is two or more away from zero is drawn again."""
    sizes = _sizes(shape)
    values = _normal((math.prod(sizes),), generator, dtype)
    outside = np.flatnonzero(np.abs(values) >= 2)
    while outside.size:
        again = _normal(outside.shape, generator, dtype)
        values[outside] = again
        outside = outside[np.abs(again) >= 2]
    return values.astype(dtype, copy=False).reshape(sizes)


def parameterized_truncated_normal(
    shape: np.ndarray,
    means: np.ndarray,
    stdevs: np.ndarray,
    minvals: np.ndarray,
    maxvals: np.ndarray,
    *,
    generator: np.random.Generator,
    dtype: np.dtype[Any],
) -> np.ndarray:
    """Normal floats between bounds, with parameters for each row: scalars or as many as rows."""
    sizes = _sizes(shape)
    if not sizes:
        raise invalid("Shape tensor must not be empty: its first size counts the rows")
    rows, samples = sizes[0], math.prod(sizes[1:])
    mean, deviation, low, high = (
        _per_row(values, rows, name)
        for name, values in (
            ("means", means),
            ("stdevs", stdevs),
            ("minvals", minvals),
            ("maxvals", maxvals),
        )
    )
    known = np.isfinite(mean) & np.isfinite(deviation)
    wrong = np.flatnonzero(~(known & (deviation > 0) & (low < high)))
    if wrong.size:
        row = int(wrong[0])
        raise invalid(
            "Invalid parameters: a row needs a finite mean, a finite stdev > 0 and minval < "
            f"maxval; row {row} has mean {mean[row]}, stdev {deviation[row]}, minval {low[row]} "
            f"and maxval {high[row]}"
        )
    a, b = (low - mean) / deviation, (high - mean) / deviation
    standard = _between(np.repeat(a, samples), np.repeat(b, samples), generator)
    values = standard.reshape(rows, samples) * deviation[:, np.newaxis] + mean[:, np.newaxis]
    values = np.clip(values, low[:, np.newaxis], high[:, np.newaxis])
    return np.asarray(values, dtype).reshape(sizes)


def random_gamma(
    shape: np.ndarray, alpha: np.ndarray, *, generator: np.random.Generator
) -> np.ndarray:
    """Samples of the gamma distribution of each ``alpha`` and rate 1; shape + alpha's shape.

    A negative ``alpha`` gives NaN.
    """
    alpha = np.asarray(alpha)
    wide = alpha.astype(np.float64)
    missing = ~(wide >= 0)
    samples = generator.standard_gamma(np.where(missing, 1.0, wide), (*_sizes(shape), *alpha.shape))
    return np.asarray(np.where(missing, np.nan, samples)).astype(alpha.dtype)


def random_poisson(
    shape: np.ndarray, rate: np.ndarray, *, generator: np.random.Generator, dtype: np.dtype[Any]
) -> np.ndarray:
    """Samples of the Poisson distribution of each ``rate``; shape + rate's shape.

    A rate that is negative or not finite gives NaN, and is an error where the dtype has none.
    """
    rate = np.asarray(rate).astype(np.float64)
    sizes = (*_sizes(shape), *rate.shape)
    wrong = ~((rate >= 0) & (rate < np.inf))
    if wrong.any() and dtype.kind in "iu":
        raise invalid(f"rate must be finite and not negative, but it holds {rate[wrong].flat[0]}")
    # Beyond what the integers of the generator hold, the normal limit is exact to all digits.
    huge = (rate > 1e15) & ~wrong
    samples = generator.poisson(np.where(wrong | huge, 1.0, rate), sizes).astype(np.float64)
    if huge.any():
        limit = np.where(huge, rate, 1.0)
        samples = np.where(huge, limit + np.sqrt(limit) * generator.standard_normal(sizes), samples)
    return np.asarray(np.where(wrong, np.nan, samples)).astype(dtype)


random_poisson_v2 = random_poisson


def random_shuffle(value: np.ndarray, *, generator: np.random.Generator) -> np.ndarray:
    """The rows of ``value`` in random order; a scalar as it is."""
    value = np.asarray(value)
    if not value.ndim:
        return value
    return np.asarray(value.take(generator.permutation(value.shape[0]), axis=0))


def multinomial(
    logits: np.ndarray,
    num_samples: np.ndarray,
    *,
    generator: np.random.Generator,
    output_dtype: np.dtype[Any] = INT64,
) -> np.ndarray:
    """Classes drawn, row by row, with the unnormalised log-probabilities ``logits``.

    A class whose logit is not finite is never drawn.

    >>> multinomial(np.array([[-np.inf, 0.0]]), np.array(3), generator=generator((0, 1), 0))
    array([[1, 1, 1]])
    """
    logits, count = np.asarray(logits), int(num_samples)
    if logits.ndim != 2:
        raise invalid(f"logits should be a matrix (batch, classes), got shape {logits.shape}")
    if count < 0:
        raise invalid(f"num_samples should be nonnegative, got {count}")
    batch, classes = logits.shape
    if batch and not classes:
        raise invalid("num_classes should be positive, got 0")
    if not batch or not count:
        return np.zeros((batch, count), output_dtype)
    wide = np.where(np.isfinite(logits), logits, -np.inf).astype(np.float64)
    possible = wide > -np.inf
    impossible = np.flatnonzero(~possible.any(axis=1))
    if impossible.size:
        raise invalid(f"logits[{impossible[0]}] has no finite value, so there is no class to draw")
    weights = np.exp(wide - wide.max(axis=1, keepdims=True))
    cumulative = np.cumsum(weights, axis=1)
    drawn = generator.random((batch, count)) * cumulative[:, -1:]
    found = _count_not_above(cumulative, drawn)
    last = classes - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
    return np.asarray(np.minimum(found, last[:, np.newaxis]), output_dtype)


def _count_not_above(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How many entries of a sorted row are <= each value: a binary search in all rows at once."""
    low = np.zeros(values.shape, np.intp)
    high = np.full(values.shape, rows.shape[1], np.intp)
    for _ in range(rows.shape[1].bit_length()):
        middle = (low + high) // 2
        inside = np.minimum(middle, rows.shape[1] - 1)
        right = (middle < high) & (np.take_along_axis(rows, inside, axis=1) <= values)
        low = np.where(right, middle + 1, low)
        high = np.where(right, high, middle)
    return low


def _between(a: np.ndarray, b: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Standard normal values in [a, b], by the rejection that suits each interval."""
    flipped = b < -a
    a, b = np.where(flipped, -b, a), np.where(flipped, -a, b)
    # Now the right bound is the farther one, and a > 0 means the interval lies in the tail.
    positive = np.maximum(a, 0.0)
    rate = (positive + np.hypot(positive, 2.0)) / 2.0
    # Where an exponential proposal would waste more than a flat one (Robert 1995).
    narrow_tail = np.exp(0.5 - positive / (2.0 * rate)) / rate
    uniform = b - a < np.where(a > 0, narrow_tail, math.sqrt(2 * math.pi))
    tail = ~uniform & (a > 0)
    result = np.empty_like(a)
    pending = np.arange(a.size)
    while pending.size:
        low, high = a[pending], b[pending]
        flat, steep = uniform[pending], tail[pending]
        proposal = generator.standard_normal(pending.size)
        chance = generator.random(pending.size)
        fraction = generator.random(pending.size)
        width = np.where(flat, high - low, 0.0)
        proposal = np.where(flat, low + fraction * width, proposal)
        proposal = np.where(steep, low - np.log1p(-fraction) / rate[pending], proposal)
        nearest = np.where(steep, rate[pending], positive[pending])
        exponent = np.where(steep, (proposal - nearest) ** 2, proposal**2 - nearest**2)
        accepted = (proposal >= low) & (proposal <= high)
        accepted &= (~flat & ~steep) | (chance <= np.exp(-0.5 * exponent))
        result[pending[accepted]] = proposal[accepted]
        pending = pending[~accepted]
    return np.where(flipped, -result, result)


def _normal(
    sizes: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype[Any]
) -> np.ndarray:
    if dtype == np.float64:
        return generator.standard_normal(sizes)
    return generator.standard_normal(sizes, dtype=np.float32)


def _bits(generator: np.random.Generator, count: int, bytes_each: int) -> np.ndarray:
    """``count`` random unsigned integers of 2 or 4 bytes, cut out of whole words."""
    words = -(-count * bytes_each // 8)
    if words < _FEW:
        drawn = generator.bit_generator.random_raw(words)
    else:
        # The same numbers; slower to begin, but other threads can run meanwhile.
        drawn = generator.integers(0, _WORD, words, dtype=np.uint64, endpoint=True)
    return drawn.view(f"u{bytes_each}")[:count]


def _sizes(shape: np.ndarray) -> tuple[int, ...]:
    sizes = tuple(np.asarray(shape).reshape(-1).tolist())
    if sizes and min(sizes) < 0:
        raise invalid(f"Dimension {min(sizes)} must be >= 0: the shape is {list(sizes)}")
    return sizes


def _per_row(values: np.ndarray, rows: int, name: str) -> np.ndarray:
    values = np.asarray(values).astype(np.float64).reshape(-1)
    if values.size not in (1, rows):
        raise invalid(
            f"Input {name} should have length 1 or shape[0], which is {rows}; got {values.size}"
        )
    return np.broadcast_to(values, (rows,))
