"""Choosing between training and use of a layer, by a bool or by a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


def known_truth(training: Any) -> bool | None:
    """The value of `training` where it is known now, else None.

    Raises TypeError for what is neither a bool, 0 or 1, nor a boolean scalar tensor.
    """
    if isinstance(training, (bool, np.bool_)) or (
        isinstance(training, (int, np.integer)) and training in (0, 1)
    ):
        return bool(training)
    if training is None:
        return False
    if not hasattr(training, "get_shape"):
        raise TypeError(f"`training` must be a bool or a boolean tensor, got {training!r}")
    value = constant_value(convert_to_tensor(training))
    return None if value is None else bool(value)


def choice(training: Any, then: Any, otherwise: Any) -> Tensor:
    """`then` in training, `otherwise` else; tensors of one shape.

    Both are computed and one is selected: what is left out takes no part in the result or in the
    gradients, whatever its value.
    """
    condition = api.cast(training, "bool")
    chosen: Tensor = api.where(condition, then, otherwise)
    return chosen


def scalar_choice(training: Any, then: Any, otherwise: Any, dtype: Any) -> Tensor:
    """`choice` of two numbers."""
    return choice(
        training, convert_to_tensor(then, dtype=dtype), convert_to_tensor(otherwise, dtype=dtype)
    )
