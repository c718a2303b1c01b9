"""Declares operations on two tensors, element by element with broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.broadcast_gradient import sum_to_shapes
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, Declaration, declare


def binary(
    type_name: str,
    kernel: Callable[..., Any],
    partials: Callable[[Any, Tensor], tuple[Any, Any]] | None,
    types: str,
    *,
    commutative: bool = False,
    samples: Any = (),
) -> Declaration:
    """Declares z = f(x, y) with broadcasting; `partials(op, dz)` gives both full-size gradients."""

    def gradient(op: Any, dz: Tensor) -> Any:
        x, y = op.inputs
        for_x, for_y = partials(op, dz)  # type: ignore[misc]
        return sum_to_shapes(x, y, for_x, for_y)

    return declare(
        type_name,
        inputs="x: T, y: T",
        outputs="z: T",
        attrs=f"T: {types}",
        shape=shape_rules.broadcast,
        kernel=kernel,
        gradient=NOT_DIFFERENTIABLE if partials is None else gradient,
        elementwise=True,
        commutative=commutative,
        samples=samples,
    )


def is_integral(array: Any) -> bool:
    """True for whole numbers, as NumPy holds them."""
    return np.asarray(array).dtype.kind in "iu"
