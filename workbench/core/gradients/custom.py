"""Functions with a gradient of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from workbench.core.gradients.registry import register_local
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import create


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for a function that returns its result and the function of its gradient.

    `f(*x)` returns `(y, grad)`; `grad(*dy)` gives the gradients of `x`. Use it where the gradient
    that follows from the operations is unstable or not the one that is wanted.

    >>> import workbench as tf
    >>> @tf.custom_gradient
    ... def log1pexp(x):
    ...     e = tf.exp(x)
    ...     return tf.log(1.0 + e), lambda dy: dy * (1.0 - 1.0 / (1.0 + e))
    >>> x = tf.constant(100.0)
    >>> tf.gradients(log1pexp(x), x)[0].eval()
    np.float32(1.0)
    """

    @functools.wraps(function)
    def decorated(*args: Any, **keywords: Any) -> Any:
        if keywords:
            raise ValueError(
                "custom_gradient passes keyword arguments to no gradient: bind them first, got "
                + ", ".join(keywords)
            )
        inputs = [convert_to_tensor(a) for a in args]
        result, gradient = function(*inputs)
        is_sequence = isinstance(result, (list, tuple))
        results = [convert_to_tensor(r) for r in (result if is_sequence else [result])]
        outputs = _gate(results, inputs, gradient)
        if not is_sequence:
            return outputs[0]
        return type(result)(outputs) if isinstance(result, list) else tuple(outputs)

    return decorated


def _gate(results: list[Tensor], inputs: list[Tensor], gradient: Callable[..., Any]) -> list[Any]:
    """The results behind an operation whose inputs' gradients are what `gradient` gives.

    The operation is an IdentityN of results and inputs; the path through the results themselves
    is closed, the one through the inputs is the given function.
    """
    count = len(results)

    def function(op: Any, *output_gradients: Any) -> list[Any]:
        given = gradient(*output_gradients[:count])
        values = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(values) != len(inputs):
            raise ValueError(
                f"The gradient function gave {len(values)} gradients for {len(inputs)} inputs"
            )
        return [None] * count + values

    name = register_local(function)
    with get_default_graph()._attr_scope({"_gradient_function": name}):
        op = create("IdentityN", None, input=[*results, *inputs])
    return list(op.outputs[:count])
