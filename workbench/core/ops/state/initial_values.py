"""How `tf.get_variable` asks an initializer for a value."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from workbench.core.graph.shapes import TensorShape


def default_initializer(name: str, dtype: Any) -> Any:
    """The initializer of a variable for which none is given: Glorot's, or zeros for integers."""
    from workbench.core.ops import initializers, scaled_initializers

    if dtype.is_floating:
        return scaled_initializers.glorot_uniform_initializer()
    if dtype.is_integer or dtype.is_bool:
        return initializers.zeros_initializer()
    raise ValueError(f"An initializer for variable {name} of {dtype} is required")


def value_maker(
    name: str, initializer: Any, shape: TensorShape, dtype: Any, info: Any
) -> Callable[[], Any]:
    """A function without arguments that gives the initial value.

    `initializer` is None, a class, or a function of the shape, and of `dtype` and `partition_info`
    where it takes them; a function without arguments knows its own shape.
    """
    if initializer is None:
        initializer = default_initializer(name, dtype)
    elif isinstance(initializer, type):
        initializer = initializer()
    try:
        parameters = list(inspect.signature(initializer).parameters.values())
    except (TypeError, ValueError):  # some built-in functions do not tell
        parameters = []
    else:
        if not parameters:
            function: Callable[[], Any] = initializer
            return function
    if not shape.is_fully_defined():
        raise ValueError(
            f"Shape of a new variable ({name}) must be fully defined, but instead was {shape}."
        )
    keywords: dict[str, Any] = {}
    if accepts(initializer, "dtype"):
        keywords["dtype"] = dtype
    if accepts(initializer, "partition_info"):
        keywords["partition_info"] = info
    positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    if (
        "dtype" not in keywords
        and len(positional) >= 2
        and positional[1].default is positional[1].empty
    ):
        return lambda: initializer(shape.as_list(), dtype, **keywords)
    return lambda: initializer(shape.as_list(), **keywords)


def accepts(function: Any, keyword: str) -> bool:
    """True when `function` may be called with this keyword argument."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return True
    found = parameters.get(keyword)
    return found is not None and found.kind is not found.POSITIONAL_ONLY
