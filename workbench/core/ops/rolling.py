"""Elements moved along axes, those that leave at one end coming in at the other: roll."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import reversal as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _roll_shape(op: Any) -> list[Any]:
    tensor, shift, axis = op.inputs
    shape_rules.at_least_rank(tensor.entries, 1, "input")
    shape_rules.at_most_rank(shift.entries, 1, "shift")
    shape_rules.at_most_rank(axis.entries, 1, "axis")
    known = None not in (shift.entries, axis.entries)
    if known and not shift.shape.is_compatible_with(axis.shape):
        raise ValueError(
            f"both shapes must be equal, but shift has {shift.shape} and axis has {axis.shape}"
        )
    return [tensor.entries]


declare(
    "Roll",
    inputs="input: T, shift: Tshift, axis: Taxis",
    outputs="output: T",
    attrs="T: type, Tshift: {int32, int64}, Taxis: {int32, int64}",
    shape=_roll_shape,
    kernel=kernels.roll,
    gradient=lambda op, grad: [roll(grad, -op.inputs[1], op.inputs[2]), None, None],
    samples=[
        sample([1.0, 2.0, 3.0, 4.0], 1, 0, want=[4.0, 1.0, 2.0, 3.0]),
        sample([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [1, -1], [0, 1], want=[[5, 6, 4], [2, 3, 1.0]]),
    ],
)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """`input` with its elements moved by `shift` along `axis`, around the end.

    `shift` and `axis` are whole numbers or vectors of them; an axis that is named several times
    moves by the sum.

    >>> import workbench as tf
    >>> tf.manip.roll([0, 1, 2, 3, 4], shift=2, axis=0).eval().tolist()
    [3, 4, 0, 1, 2]
    """
    return call("Roll", name, input=input, shift=shift, axis=axis)
