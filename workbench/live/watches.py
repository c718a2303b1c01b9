"""Watches: conditions on the value of a tensor that pause a run in the step that meets them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor

#: The conditions that go by a name.
CONDITIONS = ("not finite", "above", "below")


class Condition:
    """A watched tensor and what its value is compared with.

    Args:
      name: the watch's own name, unique in its run.
      tensor: whose value is looked at in every step.
      when: "not finite", "above", "below", or a function of the value.
      threshold: what a value is above or below of.

    Raises:
      ValueError: the condition is not known, or lacks its threshold.
      TypeError: the tensor holds no numbers.
    """

    def __init__(
        self, name: str, tensor: Tensor, when: str | Callable[[Any], Any], threshold: Any
    ) -> None:
        self.name = name
        self.tensor = tensor
        self.when = when
        self.threshold: float | None = None
        if callable(when):
            if threshold is not None:
                raise ValueError("A function decides by itself: it takes no threshold")
            self.meets: Callable[[Any], bool] = lambda value: bool(when(value))
            return
        if when not in CONDITIONS:
            listed = ", ".join(map(repr, CONDITIONS))
            raise ValueError(f"when must be {listed} or a function of the value, but got {when!r}")
        dtype = tensor.dtype.base_dtype
        if not (dtype.is_floating or dtype.is_integer or dtype.is_complex):
            raise TypeError(f"{tensor.name!r} is {dtype.name}, which has no numbers to watch")
        if when == "not finite":
            if threshold is not None:
                raise ValueError("'not finite' takes no threshold")
            self.meets = is_not_finite
            return
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float, np.number)):
            raise ValueError(f"{when!r} needs a number as threshold, but got {threshold!r}")
        self.threshold = limit = float(threshold)
        if when == "above":
            self.meets = lambda value: bool(np.any(value > limit))
        else:
            self.meets = lambda value: bool(np.any(value < limit))

    @property
    def finds_first(self) -> bool:
        """True where the first operation of a step that meets it is of interest."""
        return self.when == "not finite"

    def __str__(self) -> str:
        if callable(self.when):
            return f"{self.tensor.name} meets {getattr(self.when, '__name__', 'a function')}"
        limit = "" if self.threshold is None else f" {self.threshold:g}"
        return f"{self.tensor.name} is {self.when}{limit}"


def is_not_finite(value: Any) -> bool:
    """True where a number or an element of an array is NaN or infinite.

    >>> is_not_finite(np.float32(1)), is_not_finite(np.array([1.0, np.nan]))
    (False, True)
    """
    if not isinstance(value, np.ndarray):
        return not math.isfinite(abs(value))
    if value.dtype.kind not in "fcV":
        return False
    # A sum is finite where all terms are, unless it overflows: only then every element counts.
    with np.errstate(all="ignore"):
        if np.isfinite(value.sum()):
            return False
    return not bool(np.isfinite(value).all())
