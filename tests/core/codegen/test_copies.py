"""Copies between strides against NumPy: permutations, slices, sizes around those of tiles."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.codegen.running import Runner
from workbench.core.codegen.copies import lower_copy
from workbench.core.codegen.target import AVX2, AVX512, ITEM_BYTES, Target

Array = np.ndarray[Any, Any]


def strides(array: Array) -> tuple[int, ...]:
    """Strides in elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


def check(source: Array, destination: Array, target: Target) -> str:
    """Copies one view to another of its shape; gives the form of the copy."""
    base = destination if destination.base is None else destination.base
    want = base.copy()
    offset = destination.ctypes.data - base.ctypes.data
    view = np.ndarray(destination.shape, base.dtype, want.data, offset, destination.strides)
    view[...] = source
    dtype = str(source.dtype)
    lowered = lower_copy(source.shape, dtype, strides(source), strides(destination), target)
    Runner(lowered).run([source, destination])
    np.testing.assert_array_equal(base, want)
    return str(lowered.notes["form"])


def numbered(shape: tuple[int, ...], dtype: str) -> Array:
    """Elements that tell their places apart."""
    return np.random.default_rng(5).integers(0, 200, shape).astype(dtype)


@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda target: target.name)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8"])
def test_transposes_of_sizes_around_a_tile(target: Target, dtype: str) -> None:
    tile = min(16, target.lanes(dtype))
    for rows, columns in itertools.product((1, tile - 1, tile, 2 * tile + 3), (tile + 1, 50)):
        source = numbered((rows, columns), dtype)
        form = check(source.T, np.zeros((columns, rows), dtype), target)
        assert (form == f"tiles of {tile}") == (rows >= tile)


@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda target: target.name)
@pytest.mark.parametrize("axes", [*itertools.permutations(range(3))])
def test_permutations(target: Target, axes: tuple[int, ...]) -> None:
    source = numbered((18, 5, 33), "float32").transpose(axes)
    check(source, np.zeros(source.shape, np.float32), target)
    source = numbered((3, 40, 21), "bool").transpose(axes)
    check(source, np.zeros(source.shape, bool), target)


def test_an_image_changes_its_layout() -> None:
    source = numbered((2, 9, 7, 32), "float32").transpose(0, 3, 1, 2)
    assert check(source, np.zeros(source.shape, np.float32), AVX512) == "tiles of 16"


@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda target: target.name)
def test_the_last_chunk_may_be_shorter_than_a_tile(target: Target) -> None:
    source = numbered((67, 21), "float32")
    result = np.zeros((21, 67), np.float32)
    lowered = lower_copy((67, 21), "float32", (21, 1), (1, 67), target)
    calls = tuple(dataclasses.replace(call, chunk=32) for call in lowered.calls)
    Runner(dataclasses.replace(lowered, calls=calls)).run([source, result])
    np.testing.assert_array_equal(result, source.T)


def test_slices_and_reversals() -> None:
    source = numbered((50, 60), "int32")
    whole = np.full((70, 80), -1, np.int32)
    check(source[::2, 5:25], whole[3:28, 10:30], AVX512)
    check(source[::-1, 1::3], whole[:50, :20], AVX512)
    check(source[:40, :20].T, whole[5:25, 11:51], AVX512)
    check(source[3], whole[:60, 7], AVX512)
    check(np.broadcast_to(source[0], (30, 60)), whole[:30, :60], AVX512)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (0, 5), (5, 0), (1, 1, 1)])
def test_few_elements_or_none(shape: tuple[int, ...]) -> None:
    check(numbered(shape, "float64"), np.zeros(shape), AVX512)


def test_the_first_size_is_not_in_the_code() -> None:
    for columns in (3, 40):
        copies = [
            lower_copy((rows, columns), "float32", (1, 999), (columns, 1), AVX512)
            for rows in (2, 17, 900)
        ]
        assert len({copy.calls[0].code.name for copy in copies}) == 1


def test_bits_of_any_kind_are_kept() -> None:
    bits = np.array([0x7F800001, 0xFFC12345, 0x80000000, 1], np.uint32)
    source = np.tile(bits, (20, 10)).view(np.float32)
    result = np.zeros((40, 20), np.float32)
    Runner(lower_copy((40, 20), "float32", (1, 40), (20, 1), AVX512)).run([source, result])
    assert result.tobytes() == source.T.tobytes()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([1, 2, 4, 9, 17, 20]), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
    st.sampled_from(sorted(ITEM_BYTES)),
    st.sampled_from([AVX512, AVX2]),
)
def test_any_permutation_of_any_shape(
    shape: list[int], random: Any, dtype: str, target: Target
) -> None:
    dtype = "uint16" if dtype == "bfloat16" else dtype
    axes = list(range(len(shape)))
    random.shuffle(axes)
    source = numbered(tuple(shape), dtype).transpose(axes)
    random.shuffle(axes)
    order = np.argsort(axes)
    destination = np.zeros(np.array(source.shape)[axes], dtype).transpose(order)
    check(source, destination, target)
