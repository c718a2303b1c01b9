"""A linear map of several inputs with variables of the open variable scope."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.initializers import constant_initializer
from workbench.core.ops.state.scopes import get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variable_scope import variable_scope


class Linear:
    """The map `concat(arguments, 1) @ kernel + bias`, whose variables are made once."""

    def __init__(
        self,
        arguments: Any,
        output_size: int,
        bias: bool,
        bias_initializer: Any = None,
        kernel_initializer: Any = None,
    ) -> None:
        tensors = _as_list(arguments)
        dtype = tensors[0].dtype.base_dtype
        depth = sum(_depth(tensor, tensors) for tensor in tensors)
        self.bias: Any = None
        scope = get_variable_scope()
        with variable_scope(scope) as opened:
            self.kernel = get_variable(
                "kernel", [depth, output_size], dtype=dtype, initializer=kernel_initializer
            )
            if bias:
                # A bias is too small to be kept in parts.
                opened.set_partitioner(None)
                if bias_initializer is None:
                    bias_initializer = constant_initializer(0.0, dtype=dtype)
                self.bias = get_variable(
                    "bias", [output_size], dtype=dtype, initializer=bias_initializer
                )

    def __call__(self, arguments: Any) -> Tensor:
        """The output for tensors [batch, size] of the sizes that it was made for."""
        tensors = _as_list(arguments)
        joined = tensors[0] if len(tensors) == 1 else api.concat(tensors, 1)
        result: Tensor = api.matmul(joined, self.kernel)
        return result if self.bias is None else api.bias_add(result, self.bias)


def linear(
    arguments: Any,
    output_size: int,
    bias: bool,
    bias_initializer: Any = None,
    kernel_initializer: Any = None,
) -> Tensor:
    """`concat(arguments, 1) @ kernel + bias` with variables "kernel" and "bias" of the open scope.

    `arguments` is a tensor [batch, size] or a list of them. Raises ValueError where one has
    another rank or an unknown size.
    """
    made = Linear(arguments, output_size, bias, bias_initializer, kernel_initializer)
    return made(arguments)


def _as_list(arguments: Any) -> list[Any]:
    if arguments is None or (nest.is_sequence(arguments) and not arguments):
        raise ValueError("`args` must be specified")
    return list(arguments) if nest.is_sequence(arguments) else [arguments]


def _depth(tensor: Any, tensors: list[Any]) -> int:
    shape = tensor.get_shape()
    if shape.ndims != 2:
        shapes = [str(each.get_shape()) for each in tensors]
        raise ValueError(f"linear is expecting 2D arguments: {shapes}")
    if shape[1].value is None:
        raise ValueError(
            f"linear expects shape[1] to be provided for shape {shape}, but saw {shape[1]}"
        )
    return int(shape[1].value)
