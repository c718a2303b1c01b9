"""How large a model is: `slim.model_analyzer`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def tensor_description(var: Any) -> str:
    """The type and shape of a tensor or variable, such as "(float32 3x4)"."""
    sizes = "x".join(str(size) for size in var.get_shape().as_list())
    return f"({var.dtype.base_dtype.name} {sizes})"


def analyze_ops(graph: Any, print_info: bool = False) -> int:
    """The number of elements of all outputs of all operations, as far as it is known."""
    total = 0
    if print_info:
        print("---------\nOperations: name -> (type shapes) [size]\n---------")
    for operation in graph.get_operations():
        size = sum(output.shape.num_elements() or 0 for output in operation.outputs)
        if print_info:
            shapes = [tensor_description(each) for each in operation.outputs if each.shape.ndims]
            print(operation.name, "\t->", ", ".join(shapes), f"[{size}]")
        total += size
    return total


def analyze_vars(variables: Iterable[Any], print_info: bool = False) -> tuple[int, int]:
    """The number of elements of all variables, and of their bytes.

    >>> import workbench as tf
    >>> analyze_vars([tf.get_variable("w", [3, 4])])
    (12, 48)
    """
    total = total_bytes = 0
    if print_info:
        print("---------\nVariables: name (type shape) [size]\n---------")
    for variable in variables:
        size = variable.get_shape().num_elements() or 0
        used = size * variable.dtype.base_dtype.size
        if print_info:
            print(variable.name, tensor_description(variable), f"[{size}, bytes: {used}]")
        total += size
        total_bytes += used
    if print_info:
        print(f"Total size of variables: {total}\nTotal bytes of variables: {total_bytes}")
    return total, total_bytes
