"""Layers as functions: make a layer, call it once, keep only the output."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from workbench.core.graph.convert import convert_to_tensor
from workbench.train.layers.base import Layer


def as_function(layer: type[Layer], name: str, doc: str, shares: bool = True) -> Callable[..., Any]:
    """The function that makes a layer of this class and calls it on its first argument.

    It takes the arguments of the class behind `inputs`, and `reuse` where the layer has variables
    to share.
    """
    own = inspect.signature(layer.__init__).parameters.values()
    kept = [p for p in own if p.name != "self" and p.kind is p.POSITIONAL_OR_KEYWORD]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    first = inspect.Parameter("inputs", kind, annotation="Any")
    reuse = [inspect.Parameter("reuse", kind, default=None, annotation="Any")] if shares else []
    signature = inspect.Signature([first, *kept, *reuse], return_annotation="Tensor")

    def function(*arguments: Any, **keywords: Any) -> Any:
        try:
            given = signature.bind(*arguments, **keywords).arguments
        except TypeError as error:
            raise TypeError(f"tf.layers.{name}(): {error}") from None
        inputs = given.pop("inputs")
        sharing = given.pop("reuse", None)
        return apply_once(layer, inputs, given, sharing)

    function.__name__ = function.__qualname__ = name
    function.__module__ = layer.__module__
    function.__doc__ = doc
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def apply_once(
    layer: type[Layer],
    inputs: Any,
    arguments: dict[str, Any],
    reuse: Any = None,
    **call_arguments: Any,
) -> Any:
    """The output of a new layer, whose variables are in the scope `name` of the arguments."""
    if not hasattr(inputs, "get_shape"):
        inputs = convert_to_tensor(inputs)
    made = layer(
        **arguments,
        dtype=inputs.dtype.base_dtype,
        _scope=arguments.get("name"),
        _reuse=reuse,
    )
    return made(inputs, **call_arguments)
