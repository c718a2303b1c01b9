"""Operations that pass their inputs on."""

from __future__ import annotations

from typing import Any, NoReturn

from workbench.core.graph.composite import IndexedSlices, SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _pass_on(input: Any) -> Any:
    return input


def _pass_on_all(input: Any) -> Any:
    return tuple(input)


def _refuse_gradient(op: Any, grad: Any) -> NoReturn:
    reason = op.attrs.get("message") or "no reason was given"
    raise LookupError(f"Gradient explicitly disabled at {op.name!r}. Reason: {reason}")


declare(
    "Identity",
    inputs="input: T",
    outputs="output: T",
    attrs="T: type",
    shape=shape_rules.first,
    kernel=_pass_on,
    gradient=lambda op, grad: grad,
    aliases_input=True,
    samples=[sample([1.0, 2.0], want=[1.0, 2.0]), sample([b"a"], want=[b"a"])],
)
declare(
    "RefIdentity",
    inputs="input: Ref(T)",
    outputs="output: Ref(T)",
    attrs="T: type",
    shape=shape_rules.first,
    kernel=_pass_on,
    gradient=lambda op, grad: grad,
    aliases_input=True,
    samples=[sample([1.0, 2.0], want=[1.0, 2.0], gradient=())],
)
declare(
    "IdentityN",
    inputs="input: T",
    outputs="output: T",
    attrs="T: list(type) >= 1",
    shape=lambda op: [t.entries for t in op.inputs],
    kernel=_pass_on_all,
    gradient=lambda op, *grads: grads,
    aliases_input=True,
    samples=[sample(([1.0, 2.0], [[3.0]]), want=([1.0, 2.0], [[3.0]]))],
)
declare(
    "StopGradient",
    inputs="input: T",
    outputs="output: T",
    attrs="T: type",
    shape=shape_rules.first,
    kernel=_pass_on,
    gradient=NOT_DIFFERENTIABLE,
    aliases_input=True,
    samples=[sample([1.0, 2.0], want=[1.0, 2.0])],
)
declare(
    "PreventGradient",
    inputs="input: T",
    outputs="output: T",
    attrs="T: type, message: string = ''",
    shape=shape_rules.first,
    kernel=_pass_on,
    gradient=_refuse_gradient,
    aliases_input=True,
    samples=[sample([1.0, 2.0], want=[1.0, 2.0], gradient=())],
)


def identity(input: Any, name: str | None = None) -> Any:
    """A tensor with the value of `input`.

    Each part of an IndexedSlices or a SparseTensor is passed on.

    >>> import workbench as tf
    >>> tf.identity([1, 2]).eval().tolist()
    [1, 2]
    """
    if isinstance(input, IndexedSlices):
        with name_scope(name, "Identity", [input.values]):
            shape = input.dense_shape
            return IndexedSlices(
                identity(input.values),
                identity(input.indices),
                None if shape is None else identity(shape),
            )
    if isinstance(input, SparseTensor):
        with name_scope(name, "Identity", list(input)):
            return SparseTensor(*(identity(part) for part in input))
    return call("Identity", name, input=input)


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """Tensors with the values of the tensors in the list `input`."""
    return list(create("IdentityN", name, input=input).outputs)


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """A tensor with the value of `input`, which counts as a constant for gradients.

    >>> import workbench as tf
    >>> x = tf.constant(3.0)
    >>> tf.gradients(x * tf.stop_gradient(x), x)[0].eval()
    np.float32(3.0)
    """
    return call("StopGradient", name, input=input)


def prevent_gradient(
    input: Any,
    message: str = "",
    name: str | None = None,
) -> Tensor:
    """A tensor with the value of `input`; asking for a gradient through it raises LookupError."""
    return call("PreventGradient", name, input=input, message=message)
