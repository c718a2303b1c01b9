"""Functions of whole matrices, which are no functions of their elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.matrix_exponential import matrix_exponential as kernel
from workbench.core.ops import api, matrix_shapes
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample


def _gradient(op: Any, grad: Any) -> Any:
    """The derivative at A^H in the direction of `grad`: the upper right of the exponential of both.

    For [[A^H, grad], [0, A^H]] that is a part of the result, as products of such matrices show.
    """
    (matrix,) = op.inputs
    turned = matrix_shapes.adjoint(matrix)
    above = api.concat([turned, grad], -1)
    below = api.concat([api.zeros_like(turned), turned], -1)
    size = api.shape(matrix)[-1]
    return expm(api.concat([above, below], -2))[..., :size, size:]


declare(
    "MatrixExponential",
    inputs="input: T",
    outputs="output: T",
    attrs=f"T: {matrix_shapes.TYPES}",
    shape=matrix_shapes.square,
    kernel=kernel,
    gradient=_gradient,
    expensive=True,
    samples=[
        sample([[0.0, 1.0], [0.0, 0.0]], want=[[1.0, 1.0], [0.0, 1.0]]),
        sample([[[1.0, 0.0], [0.0, -2.0]]], want=[np.diag(np.exp([1.0, -2.0]))]),
        sample([[0.5, -1.0, 2.0], [0.25, 1.0, 0.0], [-1.5, 3.0, 0.75]]),
    ],
)


def expm(input: Any, name: str | None = None) -> Tensor:
    """The exponential of each innermost square matrix: 1 + A + A A / 2 + A A A / 6 + ...

    >>> import workbench as tf
    >>> tf.linalg.expm([[0.0, 1.0], [0.0, 0.0]]).eval().tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return call("MatrixExponential", name, input=input)
