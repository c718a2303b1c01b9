"""Reversals against NumPy's indexing and plain loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.core.kernels.machine_code import both_ways
from workbench.core.errors import InvalidArgumentError
from workbench.core.kernels import reversal

X = np.arange(24).reshape(2, 3, 4)


@pytest.mark.parametrize("axes", [[], [0], [-1], [1, 2], [2, -3, 1]])
def test_reverse(axes: list[int]) -> None:
    index = tuple(
        slice(None, None, -1 if axis in [a % 3 for a in axes] else 1) for axis in range(3)
    )
    np.testing.assert_array_equal(reversal.reverse_v2(X, np.array(axes, np.int32)), X[index])
    dims = np.array([axis in [a % 3 for a in axes] for axis in range(3)])
    np.testing.assert_array_equal(reversal.reverse(X, dims), X[index])


@pytest.mark.parametrize("seq_dim", [0, 1, 2, -1])
@pytest.mark.parametrize("batch_dim", [0, 1, 2])
def test_reverse_sequence(seq_dim: int, batch_dim: int) -> None:
    if seq_dim % 3 == batch_dim:
        return
    steps, batch = X.shape[seq_dim], X.shape[batch_dim]
    lengths = np.random.default_rng(5).integers(0, steps + 1, batch)
    result = reversal.reverse_sequence(X, lengths, seq_dim=seq_dim, batch_dim=batch_dim)
    rest = 3 - seq_dim % 3 - batch_dim
    order = (batch_dim, seq_dim % 3, rest)
    source, turned = X.transpose(order), result.transpose(order)
    for i, length in enumerate(lengths):
        expected = [*source[i, :length][::-1], *source[i, length:]]
        np.testing.assert_array_equal(turned[i], expected)


def test_reverse_sequence_of_strings() -> None:
    words = np.array([[b"a", b"b", b"c"]], object)
    result = reversal.reverse_sequence(words, np.array([2]), seq_dim=1)
    assert result.tolist() == [[b"b", b"a", b"c"]]


ERRORS = [
    (lambda: reversal.reverse_v2(X, np.array([0, -3])), "more than once"),
    (lambda: reversal.reverse_v2(X, np.array([3])),
     "'axis'[0] = 3 is out of valid range [-3, 3) for a tensor of shape [2,3,4]"),
    (lambda: reversal.reverse(X, np.array([True])),
     "'dims' must have the same number of values as 'input' has dimensions. 'input' has 3,"),
    (lambda: reversal.reverse_sequence(X, np.array([4, 1]), seq_dim=1),
     "seq_lens(0) > input.dims(1), which is 3: got 4"),
    (lambda: reversal.reverse_sequence(X, np.array([1]), seq_dim=1),
     "Length of seq_lengths != input.dims(0), ([1] vs. 2)"),
    (lambda: reversal.reverse_sequence(X, np.array([1, 1]), seq_dim=0), "must differ"),
    (lambda: reversal.reverse_sequence(X, np.array([1, 1]), seq_dim=3),
     "seq_dim must be < input rank (3 vs. 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS)
def test_errors(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
@pytest.mark.parametrize("channels", [1, 3, 40])
def test_images_are_mirrored_in_machine_code_as_well(axis: int, channels: int) -> None:
    images = np.random.default_rng(2).integers(0, 256, (2, 5, 7, channels), np.uint8)
    for part in (images, images[:, 1:4, 2:6], images[..., :1], images.transpose(0, 2, 1, 3)):
        for found in both_ways(lambda part=part: reversal.reverse_v2(part, np.array([axis]))):
            np.testing.assert_array_equal(found, np.flip(part, axis))
