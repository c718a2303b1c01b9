"""How arrays of several ranks become one. The order of the ranks is always the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError

Array = np.ndarray[Any, Any]

_COMBINE: dict[str, Callable[..., Any]] = {
    "sum": np.add,
    "mean": np.add,
    "min": np.minimum,
    "max": np.maximum,
}


class Reduction:
    """One of "sum", "mean", "min" and "max" over so many ranks."""

    def __init__(self, name: str, ranks: int) -> None:
        if name not in _COMBINE:
            raise InvalidArgumentError(
                None, None, f"There is no reduction {name!r}: it is one of {sorted(_COMBINE)}"
            )
        self.name = name
        self._combine = _COMBINE[name]
        self._ranks = ranks

    def check(self, array: Array) -> None:
        """InvalidArgumentError for arrays of what cannot be reduced."""
        # Types that others registered with NumPy, as bfloat16, are of no kind of its own.
        if array.dtype.kind not in "iufc" and array.dtype.isbuiltin != 2:
            raise InvalidArgumentError(
                None, None, f"An array of {array.dtype} has no {self.name}: numbers are needed"
            )
        if self.name == "mean" and array.dtype.kind in "iu":
            raise InvalidArgumentError(
                None, None, f"The mean of {array.dtype} is no {array.dtype}: ask for the sum"
            )

    def combine(self, first: Array, second: Array, out: Array) -> None:
        """Two ranks' arrays, or results for several ranks, into `out`."""
        self._combine(first, second, out=out)

    def finish(self, total: Array) -> None:
        """Makes the result of what all ranks gave, in place."""
        if self.name == "mean" and self._ranks > 1:
            np.multiply(total, total.dtype.type(1 / self._ranks), out=total)

    def reduce(self, arrays: Sequence[Array], out: Array) -> None:
        """The result for the arrays of all ranks, in their order."""
        if len(arrays) == 1:
            np.copyto(out, arrays[0])
        else:
            self.combine(arrays[0], arrays[1], out)
        for array in arrays[2:]:
            self.combine(out, array, out)
        self.finish(out)
