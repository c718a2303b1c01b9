"""What a layer asks of its inputs, and the check that they comply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import as_shape
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor


class InputSpec:
    """What a layer asks of one input: dtype, shape, rank, sizes along axes; None asks nothing.

    >>> import workbench as tf
    >>> tf.layers.InputSpec(ndim=4, axes={3: 16})
    InputSpec(ndim=4, axes={3: 16})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[Any, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = shape
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})

    def __repr__(self) -> str:
        fields = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        given = [f"{f}={getattr(self, f)!r}" for f in fields if getattr(self, f)]
        return f"InputSpec({', '.join(given)})"

    def problem(self, tensor: Any) -> str | None:
        """What is wrong with a tensor, or None."""
        shape = tensor.get_shape()
        rank = shape.ndims
        limits = (self.ndim, self.min_ndim, self.max_ndim)
        if rank is None:
            asks_rank = any(limit is not None for limit in limits) or self.axes
            return (
                "its rank is undefined, but the layer requires a defined rank."
                if asks_rank
                else self._dtype_problem(tensor)
            )
        full = f" Full shape received: {shape.as_list()}"
        if self.ndim is not None and rank != self.ndim:
            return f"expected ndim={self.ndim}, found ndim={rank}.{full}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}.{full}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}.{full}"
        return self._dtype_problem(tensor) or self._size_problem(shape.as_list())

    def _dtype_problem(self, tensor: Any) -> str | None:
        found = tensor.dtype.base_dtype
        if self.dtype is not None and as_dtype(self.dtype).base_dtype is not found:
            return f"expected dtype={self.dtype}, found dtype={found.name}"
        return None

    def _size_problem(self, sizes: list[int | None]) -> str | None:
        for axis, wanted in self.axes.items():
            if wanted is not None and sizes[int(axis)] not in (wanted, None):
                return (
                    f"expected axis {axis} of input shape to have value {wanted} but received "
                    f"input with shape {sizes}"
                )
        if self.shape is not None:
            for wanted, size in zip(as_shape(self.shape).as_list(), sizes, strict=True):
                if None not in (wanted, size) and wanted != size:
                    return f"expected shape={self.shape}, found shape={sizes}"
        return None


def flatten(values: Any) -> list[Any]:
    """The leaves of nested lists, tuples and dicts, in order (dicts by their keys)."""
    return list(_leaves(values))


def _leaves(values: Any) -> Iterator[Any]:
    if isinstance(values, Mapping):
        values = [values[key] for key in sorted(values)]
    if isinstance(values, (list, tuple)):
        for value in values:
            yield from _leaves(value)
    else:
        yield values


def check_inputs(layer_name: str, spec: Any, inputs: Any) -> None:
    """Raises ValueError where `inputs` are not what the layer's `input_spec` asks for."""
    if not spec:
        return
    specs: Sequence[Any] = spec if isinstance(spec, (list, tuple)) else [spec]
    tensors = flatten(inputs)
    if len(tensors) != len(specs):
        raise ValueError(
            f"Layer {layer_name} expects {len(specs)} inputs, but it received {len(tensors)} input "
            f"tensors. Inputs received: {inputs}"
        )
    for index, (one, tensor) in enumerate(zip(specs, tensors, strict=True)):
        problem = None if one is None else one.problem(tensor)
        if problem is None:
            continue
        where = ""
        if isinstance(tensor, Tensor):
            line = user_line(tensor.op.frames)
            where = f"\n    input {index}: {tensor.name!r}" + (f", made at {line}" if line else "")
        raise ValueError(
            f"Input {index} of layer {layer_name} is incompatible with the layer: {problem}{where}"
        )
