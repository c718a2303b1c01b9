"""`tf.user_ops`: the place for a user's own operations, and TensorFlow's example of one."""

from __future__ import annotations

from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

declare(
    "Fact",
    outputs="fact: string",
    shape=shape_rules.scalar,
    kernel=lambda: b"0! == 1",
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample(want=b"0! == 1")],
)


def my_fact() -> Tensor:
    """A fact about factorials.

    >>> import workbench as tf
    >>> tf.user_ops.my_fact().eval()
    b'0! == 1'
    """
    return call("Fact")
