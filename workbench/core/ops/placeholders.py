"""Placeholders: what a run is fed."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import TensorShape, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

declare(
    "Placeholder",
    outputs="output: dtype",
    attrs="dtype: type, shape: shape = None",
    shape=shape_rules.from_attribute(),
    kernel=None,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
)
declare(
    "PlaceholderV2",
    outputs="output: dtype",
    attrs="dtype: type, shape: shape",
    shape=shape_rules.from_attribute(),
    kernel=None,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
)


def _default_shape(op: Any) -> list[Any]:
    declared = op.attrs["shape"].entries
    merge_shapes(op.inputs[0].entries, declared)
    return [declared]


declare(
    "PlaceholderWithDefault",
    inputs="input: dtype",
    outputs="output: dtype",
    attrs="dtype: type, shape: shape",
    shape=_default_shape,
    kernel=lambda input: input,
    gradient=lambda op, grad: grad,
    aliases_input=True,
    samples=[sample([1.0, 2.0], shape=[None], want=[1.0, 2.0])],
)


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor whose value is fed to every run that needs it.

    Sizes in `shape` may be None (unknown) or a name (the same size wherever the name occurs);
    without `shape` any shape may be fed.

    >>> import workbench as tf
    >>> x = tf.placeholder(tf.float32, shape=[None, 3], name="x")
    >>> x
    <tf.Tensor 'x:0' shape=(?, 3) dtype=float32>
    """
    return call("Placeholder", name, dtype=as_dtype(dtype), shape=TensorShape(shape))


def placeholder_with_default(
    input: Any,
    shape: Any,
    name: str | None = None,
) -> Tensor:
    """A tensor that is `input` unless another value is fed.

    `shape` may know less than the shape of `input`, so that other sizes can be fed.

    >>> import workbench as tf
    >>> keep = tf.placeholder_with_default(1.0, shape=[])
    >>> float(keep.eval()), float(keep.eval({keep: 0.5}))
    (1.0, 0.5)
    """
    return call("PlaceholderWithDefault", name, input=input, shape=TensorShape(shape))
