"""Reference kernels, bound to the attributes of one operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from workbench.core.graph.dtypes import DType
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops import registry
from workbench.core.ops.schema import Argument, Schema

Kernel = Callable[..., Any]


def kernel_value(value: Any) -> Any:
    """An attribute in the form kernels take it: NumPy dtypes, tuples, plain values."""
    if isinstance(value, DType):
        return value.numpy_dtype
    if isinstance(value, TensorShape):
        return value.entries
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return tuple(kernel_value(v) for v in value)
    return value


def bind_kernel(type_name: str, attrs: dict[str, Any], input_count: int) -> Kernel | None:
    """The kernel of an operation as a function of its input tensors in order, or None.

    Attributes are bound, and tensors that form one list input are gathered into a tuple.
    """
    declaration = registry.lookup(type_name)
    if declaration is None or declaration.kernel is None:
        return None
    kernel: Kernel = declaration.kernel
    wanted = declaration.kernel_attributes
    if wanted:
        kernel = partial(
            kernel, **{k: kernel_value(_attribute(declaration, attrs, k)) for k in wanted}
        )
    if any(a.number_attr or a.is_type_list for a in declaration.schema.inputs):
        kernel = _gather(kernel, declaration.schema.split_inputs(attrs, input_count))
    elif isinstance(kernel, np.ufunc):
        return kernel
    if _gives_list_of_one(declaration.schema, attrs):
        kernel = _unwrap(kernel)
    return kernel


def _gives_list_of_one(schema: Schema, attrs: dict[str, Any]) -> bool:
    """True when the kernel gives a tuple for its output list, which has a single tensor."""
    if len(schema.outputs) != 1:
        return False
    (output,) = schema.outputs
    if output.number_attr:
        return bool(attrs.get(output.number_attr) == 1)
    return output.is_type_list and len(attrs.get(output.type_attr or "") or ()) == 1


def _unwrap(kernel: Kernel) -> Kernel:
    def single(*arrays: Any, **keywords: Any) -> Any:
        result = kernel(*arrays, **keywords)
        return result[0] if isinstance(result, (tuple, list)) else result

    return single


def _attribute(declaration: Any, attrs: dict[str, Any], name: str) -> Any:
    if name in attrs:
        return attrs[name]
    attribute = declaration.schema.attributes.get(name)
    if attribute is None:
        raise KeyError(
            f"The kernel of {declaration.type} asks for attribute {name!r}, which is not declared"
        )
    return attribute.default


def _gather(kernel: Kernel, parts: list[tuple[Argument, int]]) -> Kernel:
    plan: list[tuple[bool, int, int]] = []
    start = 0
    for argument, count in parts:
        is_list = bool(argument.number_attr or argument.is_type_list)
        plan.append((is_list, start, start + count))
        start += count
    if len(plan) == 1:
        return lambda *arrays, **keywords: kernel(arrays, **keywords)

    def gathered(*arrays: Any, **keywords: Any) -> Any:
        grouped = [arrays[i:j] if is_list else arrays[i] for is_list, i, j in plan]
        return kernel(*grouped, **keywords)

    return gathered
