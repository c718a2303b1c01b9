"""Logic on the bits of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

for _type_name, _kernel, _want in (
    ("BitwiseAnd", np.bitwise_and, [0b1000, 0]),
    ("BitwiseOr", np.bitwise_or, [0b1110, -1]),
    ("BitwiseXor", np.bitwise_xor, [0b0110, -1]),
):
    declare(
        _type_name,
        inputs="x: T, y: T",
        outputs="z: T",
        attrs="T: {integer}",
        shape=shape_rules.broadcast,
        kernel=_kernel,
        gradient=NOT_DIFFERENTIABLE,
        elementwise=True,
        commutative=True,
        samples=[sample([0b1100, 0], [0b1010, -1], want=_want)],
    )
declare(
    "Invert",
    inputs="x: T",
    outputs="y: T",
    attrs="T: {integer}",
    shape=shape_rules.first,
    kernel=np.invert,
    gradient=NOT_DIFFERENTIABLE,
    elementwise=True,
    samples=[
        sample([0, 5], want=[-1, -6]),
        sample([0, 5], dtype="uint8", want=[255, 250]),
    ],
)


def _population_count(x: Any) -> Any:
    array = np.asarray(x)
    # NumPy counts the bits of the magnitude; those of the number itself are meant.
    return np.bitwise_count(array.view(f"u{array.dtype.itemsize}"))


declare(
    "PopulationCount",
    inputs="x: T",
    outputs="y: uint8",
    attrs="T: {integer}",
    shape=shape_rules.first,
    kernel=_population_count,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([0, 7, -1], want=[0, 3, 32])],
)


def _shift(shift: Any) -> Any:
    """A shift by no less than 0 and less than all the bits, whatever is asked for."""

    def kernel(x: Any, y: Any) -> Any:
        most = np.asarray(x).dtype.itemsize * 8 - 1
        return shift(x, np.clip(y, 0, most))

    return kernel


for _type_name, _kernel, _want in (
    ("LeftShift", _shift(np.left_shift), [12, -40, 0, 5]),
    ("RightShift", _shift(np.right_shift), [0, -1, 0, 5]),
):
    declare(
        _type_name,
        inputs="x: T, y: T",
        outputs="z: T",
        attrs="T: {integer}",
        shape=shape_rules.broadcast,
        kernel=_kernel,
        gradient=NOT_DIFFERENTIABLE,
        samples=[sample([3, -5, 4, 5], [2, 3, 99, -1], want=_want)],
    )


def bitwise_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that are set in both.

    >>> import workbench as tf
    >>> tf.bitwise.bitwise_and(12, 10).eval()
    np.int32(8)
    """
    return call("BitwiseAnd", name, x=x, y=y)


def bitwise_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that are set in one or both."""
    return call("BitwiseOr", name, x=x, y=y)


def bitwise_xor(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits that are set in exactly one."""
    return call("BitwiseXor", name, x=x, y=y)


def invert(x: Any, name: str | None = None) -> Tensor:
    """Every bit the other way round."""
    return call("Invert", name, x=x)


def left_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits of `x` moved `y` places up, zeros after them.

    Places below 0 count as 0, and those beyond the last bit as the last.

    >>> import workbench as tf
    >>> tf.bitwise.left_shift(5, [0, 1, 2]).eval().tolist()
    [5, 10, 20]
    """
    return call("LeftShift", name, x=x, y=y)


def right_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The bits of `x` moved `y` places down; of negative numbers, ones come after them.

    Places below 0 count as 0, and those beyond the last bit as the last.

    >>> import workbench as tf
    >>> tf.bitwise.right_shift([20, -20], 2).eval().tolist()
    [5, -5]
    """
    return call("RightShift", name, x=x, y=y)


def population_count(x: Any, name: str | None = None) -> Tensor:
    """How many bits are set, as uint8."""
    return call("PopulationCount", name, x=x)
