"""How `tf.get_variable` asks an initializer for a value."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import scaled_initializers
from workbench.core.ops.initializers import Initializer, zeros_initializer


def default_initializer(name: str, dtype: Any) -> Any:
    """The initializer of a variable that names none: Glorot's, zeros for what is not floating."""
    if dtype.is_floating:
        return scaled_initializers.glorot_uniform_initializer()
    if dtype.is_integer or dtype.is_bool or dtype.name == "string":
        return zeros_initializer()
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
    parameters = _parameters(initializer)
    knows_its_shape = parameters is not None and not any(_is_required(p) for p in parameters)
    if parameters == [] or (shape.ndims is None and knows_its_shape):
        function: Callable[[], Any] = initializer
        return function
    if not shape.is_fully_defined():
        raise ValueError(
            f"Shape of a new variable ({name}) must be fully defined, but instead was {shape}."
        )
    sizes = shape.as_list()
    positional, keywords = _arguments(parameters or [], sizes, dtype, info)
    return lambda: initializer(*positional, **keywords)


def _parameters(function: Any) -> list[inspect.Parameter] | None:
    """The parameters of a function, or None of those that do not tell (some built-in ones)."""
    if isinstance(function, Initializer):
        # All of ours take the same; looking costs more than the rest of making a variable.
        kind: Any = type(function)
        return _initializer_parameters(kind)
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


@lru_cache(maxsize=256)
def _initializer_parameters(kind: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(kind.__call__).parameters.values())[1:]


def _is_required(parameter: inspect.Parameter) -> bool:
    variadic = (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and parameter.kind not in variadic


def _arguments(
    parameters: list[inspect.Parameter], sizes: list[int], dtype: Any, info: Any
) -> tuple[list[Any], dict[str, Any]]:
    """What to call an initializer with."""
    keywords: dict[str, Any] = {}
    if _takes(parameters, "dtype"):
        keywords["dtype"] = dtype
    if _takes(parameters, "partition_info"):
        keywords["partition_info"] = info
    by_position = [p for p in parameters if _is_required(p) and p.kind is not p.KEYWORD_ONLY]
    if "dtype" not in keywords and len(by_position) >= 2:
        return [sizes, dtype], keywords
    return [sizes], keywords


def _takes(parameters: list[inspect.Parameter], keyword: str) -> bool:
    return any(
        p.kind is p.VAR_KEYWORD or (p.name == keyword and p.kind is not p.POSITIONAL_ONLY)
        for p in parameters
    )


def accepts(function: Any, keyword: str) -> bool:
    """True when `function` may be called with this keyword argument."""
    return _takes(_parameters(function) or [], keyword)
