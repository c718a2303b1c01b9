"""When a result of a translation is that of the interpreter."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.dtypes import as_dtype

Array = np.ndarray[Any, Any]

#: Functions whose last digits are their own business.
INEXACT = frozenset(
    "exp expm1 log log1p tanh sigmoid erf erfc sin cos tan asin acos atan sinh cosh asinh acosh "
    "atanh atan2 power row_sum column_sum row_prod column_prod".split()
)
#: Sums in another order, and differences of powers, lose more.
_SUMS = frozenset("row_sum column_sum row_prod column_prod".split())
#: Of two zeros of different signs NumPy takes the one that its processor takes.
_SIGNLESS = frozenset("maximum minimum row_max row_min column_max column_min".split())


def assert_close(
    got: Array, want: Array, functions: set[str], about: str, ulp: float = 4.0
) -> None:
    """Bit for bit where no function is inexact, else within some units in the last place."""
    assert got.dtype == want.dtype, about
    got = got.reshape(want.shape)
    if want.dtype.kind in "iub":
        np.testing.assert_array_equal(got, want, about)
        return
    exact, found = want.astype(np.float64), got.astype(np.float64)
    if functions & INEXACT:
        loses = bool(functions & _SUMS) or {"power", "subtract"} <= functions
        single = np.float64 if want.dtype == np.float64 else np.float32
        limit = (64 if loses else 1) * ulp * float(np.finfo(single).eps)
        if want.dtype.itemsize == 2:
            limit = 2.0**-7 if as_dtype(want.dtype).name == "bfloat16" else 2.0**-10
        largest = np.max(np.abs(exact[np.isfinite(exact)]), initial=0.0)
        # Where terms cancel, the error is that of the terms.
        floor = limit * largest if loses else float(np.finfo(single).tiny)
        np.testing.assert_allclose(found, exact, rtol=limit, atol=floor, err_msg=about)
        return
    np.testing.assert_array_equal(found, exact, about)
    if not functions & _SIGNLESS:
        numbers = ~np.isnan(exact)
        np.testing.assert_array_equal(np.signbit(found[numbers]), np.signbit(exact[numbers]), about)
