"""Runs products whose operands end where memory ends: a program that a test starts."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

from tests.core.codegen.product_cases import EXPRESSIONS, Array, assert_is_product, describe
from tests.core.codegen.running import run
from workbench.core.codegen.products import lower_product
from workbench.core.codegen.target import AVX2, AVX512

_maps: list[mmap.mmap] = []


def at_the_end(values: Array, at_start: bool = False) -> Array:
    """A copy with no accessible memory behind it, or before it."""
    page = mmap.PAGESIZE
    inside = -(-values.nbytes // page) * page
    area = mmap.mmap(-1, inside + page)
    _maps.append(area)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    forbidden = address if at_start else address + inside
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(forbidden), ctypes.c_size_t(page), 0):
        raise OSError(ctypes.get_errno(), "mprotect")
    start = page if at_start else inside - values.nbytes
    copy = np.frombuffer(area, values.dtype, values.size, start).reshape(values.shape)
    copy[...] = values
    return copy


def main() -> None:
    numbers = np.random.default_rng(0)
    for at_start in (False, True):
        for target in (AVX512, AVX2):
            for m, n, k in [
                (1, 10, 17),
                (7, 21, 5),
                (40, 10, 33),
                (20, 100, 35),
                (3, 1, 4),
                (9, 1, 37),
            ]:
                for transposed in (False, True):
                    left = numbers.standard_normal((k, m) if transposed else (m, k))
                    right = numbers.standard_normal((n, k) if transposed else (k, n))
                    a = at_the_end(left.astype("float32"), at_start)
                    b = at_the_end(right.astype("float32"), at_start)
                    a, b = (a.T, b.T) if transposed else (a, b)
                    result = at_the_end(np.zeros((m, n), "float32"), at_start)
                    run(lower_product(describe([a, b, result]), target), a, b, result)
                    assert_is_product(result, a, b)
                    arrays = [a, b, result]
                    steps = EXPRESSIONS["update"]
                    run(lower_product(describe(arrays, steps), target), *arrays)
    print("untouched")


if __name__ == "__main__":
    main()
