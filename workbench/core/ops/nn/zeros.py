"""Telling zeros apart: gradients of outputs that nothing depends on."""

from __future__ import annotations

from workbench.core.graph.tensor import Tensor


def is_zeros(tensor: Tensor) -> bool:
    """True when a tensor is made as zeros, so that what it is multiplied with can be left out.

    >>> import workbench as tf
    >>> is_zeros(tf.zeros([2, 3])), is_zeros(tf.zeros_like(tf.placeholder(tf.float32)))
    (True, True)
    """
    op = tensor.op
    if op.type == "Fill":
        op = op.inputs[1].op
    return op.type == "ZerosLike" or (op.type == "Const" and not op.attrs["value"].any())
