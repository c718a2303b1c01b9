"""Pads and tiles against the mirror of an index, and their gradients by transposition."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import padding

rng = np.random.default_rng(22)
OFFSETS = {"REFLECT": 1, "SYMMETRIC": 0}


def mirrored(size: int, before: int, after: int, mode: str) -> list[int]:
    """The source of every position along one padded dimension."""
    offset = OFFSETS[mode]
    left = [offset + i for i in range(before)][::-1]
    right = [size - 1 - offset - i for i in range(after)]
    return [*left, *range(size), *right]


@st.composite
def mirror_cases(draw: Any) -> Any:
    mode = draw(st.sampled_from(sorted(OFFSETS)))
    shape = draw(st.lists(st.integers(1, 4), max_size=3))
    pads = [[draw(st.integers(0, size - OFFSETS[mode])) for _ in range(2)] for size in shape]
    return mode, shape, pads


@settings(max_examples=100, deadline=None)
@given(mirror_cases())
def test_mirror_pad_and_its_gradient(case: Any) -> None:
    mode, shape, pads = case
    x = rng.normal(size=shape)
    pairs = np.array(pads, np.int32).reshape(len(shape), 2)
    sources = [mirrored(n, *pair, mode) for n, pair in zip(shape, pads, strict=True)]
    result = padding.mirror_pad(x, pairs, mode=mode)
    expected = x[np.ix_(*sources)] if shape else x
    np.testing.assert_array_equal(result, expected)

    dy = rng.normal(size=result.shape)
    gradient = padding.mirror_pad_grad(dy, pairs, mode=mode)
    assert gradient.shape == tuple(shape)
    np.testing.assert_allclose((gradient * x).sum(), (dy * result).sum())


@pytest.mark.parametrize(
    "dtype", [np.float16, ml_dtypes.bfloat16, np.int64, np.complex64, np.bool_]
)
def test_constant_pads(dtype: Any) -> None:
    x = rng.integers(0, 2, (2, 3)).astype(dtype)
    pairs = np.array([[1, 0], [0, 2]])
    expected = np.zeros((3, 5), dtype)
    expected[1:, :3] = x
    result = padding.pad(x, pairs)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, expected)
    ones = padding.pad_v2(x, pairs, np.ones((), dtype))
    assert ones.dtype == dtype and ones[0].all() and ones[:, 3:].all()
    np.testing.assert_array_equal(ones[1:, :3], x)


def test_pads_of_scalars_and_strings() -> None:
    assert padding.pad(np.array(3), np.zeros((0, 2), int)) == 3
    words = padding.pad(np.array([b"a"], object), np.array([[0, 1]]))
    assert words.tolist() == [b"a", b""]
    words = padding.pad_v2(np.array([b"a"], object), np.array([[1, 0]]), np.array(b"z", object))
    assert words.tolist() == [b"z", b"a"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=3))
def test_tile_and_its_gradient(pairs: Any) -> None:
    shape, counts = tuple(size for size, _ in pairs), np.array([count for _, count in pairs], int)
    x = rng.normal(size=shape)
    result = padding.tile(x, counts)
    sources = [[i % size for i in range(size * count)] for size, count in pairs]
    np.testing.assert_array_equal(result, x[np.ix_(*sources)] if shape else x)
    if counts.all():
        dy = rng.normal(size=result.shape)
        gradient = padding.tile_grad(dy, counts)
        np.testing.assert_allclose((gradient * x).sum(), (dy * result).sum())


X = np.zeros((2, 3))
ERRORS = [
    (lambda: padding.pad(X, np.array([[0, 0]])),
     "The first dimension of paddings must be the rank of inputs: expected shape [2,2], got"),
    (lambda: padding.pad(X, np.array([[0, 0], [-1, 0]])), "Paddings must be non-negative: -1 0"),
    (lambda: padding.mirror_pad(X, np.array([[2, 0], [0, 0]]), mode="REFLECT"),
     "paddings must be less than the dimension size for a REFLECT pad: 2, 0 of dimension 0,"),
    (lambda: padding.mirror_pad(X, np.array([[0, 0], [0, 4]]), mode="SYMMETRIC"),
     "paddings must be no greater than the dimension size for a SYMMETRIC pad: 0, 4 of"),
    (lambda: padding.mirror_pad(X, np.array([[0, 0], [0, 0]]), mode="WRAP"), "'WRAP'"),
    (lambda: padding.mirror_pad_grad(X, np.array([[2, 2], [0, 0]]), mode="REFLECT"), "wider than"),
    (lambda: padding.tile(X, np.array([1])),
     "Expected multiples argument to be a vector of length 2 but got length 1"),
    (lambda: padding.tile(X, np.array([1, -1])), "Expected multiples[1] >= 0, but got -1"),
    (lambda: padding.tile_grad(X, np.array([1, 2])), "not a multiple"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)
