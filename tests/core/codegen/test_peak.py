"""What the machine can do, as measured."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.codegen.small_kernels import call
from workbench.core.codegen import driver, host, peak
from workbench.core.codegen.table import Table
from workbench.core.codegen.target import AVX2, AVX512, NEON, Target


def test_rates_are_those_of_a_computer() -> None:
    measured = peak.peak()
    assert 1e9 < measured.flops_one < 1e12
    assert 1e8 < measured.bytes_one < 1e12
    assert measured.flops_all > 0 and measured.bytes_all > 0
    assert peak.peak() is measured


@pytest.mark.parametrize("target", [AVX2, AVX512, NEON], ids=lambda target: target.name)
def test_the_kernels_do_what_is_counted(target: Target) -> None:
    if target not in (host.target(), AVX2):
        pytest.skip("another processor's")
    a, b, c = np.arange(256, dtype=np.float32), np.full(256, 3, np.float32), np.zeros(256, "f")
    driver.run(Table([call(peak._triad(target), a, b, c, units=256, chunk=64)]))
    np.testing.assert_array_equal(c, a + b / 2)
    table = Table([call(peak._arithmetic(target), units=40, chunk=40)])
    driver.run(table)
    # 0.5, then x / 2 + 1 / 2 again and again: towards 1.
    results = table._scratch.view(np.float32)[: 12 * target.lanes("float32")]
    np.testing.assert_allclose(results, 1, rtol=1e-6)
