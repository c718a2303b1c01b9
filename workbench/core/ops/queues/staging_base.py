"""What staging areas with and without keys share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.control import no_op
from workbench.core.ops.identity import identity


class BaseStagingArea:
    """A place where tensors wait for a later step. Its parts are those of an element:

    Args:
      dtypes: the types of the components of each element.
      shapes: their shapes, or None where they may be any.
      names: names of the components: elements are dictionaries then.
      shared_name: areas of one shared name are one area of a session.
      capacity: the most elements it holds, 0 for any number.
      memory_limit: the most bytes it holds, 0 for any number.
    """

    def __init__(
        self,
        dtypes: Sequence[Any],
        shapes: Any = None,
        names: Sequence[str] | None = None,
        shared_name: str | None = None,
        capacity: int = 0,
        memory_limit: int = 0,
    ) -> None:
        if shared_name is not None and not isinstance(shared_name, str):
            raise ValueError(f"shared_name must be a string, got {shared_name!r}")
        graph = get_default_graph()
        self._name = shared_name or graph.unique_name(type(self).__name__)
        self._dtypes = [as_dtype(dtype) for dtype in dtypes]
        if shapes is not None and len(shapes) != len(self._dtypes):
            raise ValueError("StagingArea shapes must be the same length as dtypes")
        if names is not None and len(names) != len(self._dtypes):
            raise ValueError("StagingArea names must be the same length as dtypes")
        given = [None] * len(self._dtypes) if shapes is None else shapes
        self._shapes = [as_shape(shape) for shape in given]
        self._names = None if names is None else list(names)
        self._capacity = capacity
        self._memory_limit = memory_limit
        # All that is done with the area happens where this is placed.
        self._place = no_op(f"{self._name}_root")

    @property
    def name(self) -> str:
        """The name that the area is known by."""
        return self._name

    @property
    def dtypes(self) -> list[DType]:
        """The types of the components of each element."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shapes of the components of each element."""
        return self._shapes

    @property
    def names(self) -> list[str] | None:
        """The names of the components, or None."""
        return self._names

    @property
    def capacity(self) -> int:
        """The most elements it holds, 0 for any number."""
        return self._capacity

    @property
    def memory_limit(self) -> int:
        """The most bytes it holds, 0 for any number."""
        return self._memory_limit

    # -- parts -------------------------------------------------------------------------------

    def _attributes(self) -> dict[str, Any]:
        """What all operations on the area have."""
        return {
            "shared_name": self._name,
            "capacity": self._capacity,
            "memory_limit": self._memory_limit,
        }

    def _components(
        self, vals: Any, indices: Sequence[int] | None = None
    ) -> tuple[list[Tensor], list[int]]:
        """The tensors of what is to be put in, and the numbers of the components they are.

        Raises ValueError where they do not fit.
        """
        if isinstance(vals, dict):
            if not self._names:
                raise ValueError("Staging areas must have names to enqueue a dictionary")
            if not set(vals) <= set(self._names):
                raise ValueError(
                    "Keys in dictionary to put do not match names of staging area. Dictionary: "
                    f"{sorted(vals)}, staging area: {sorted(self._names)}"
                )
            indices = [i for i, name in enumerate(self._names) if name in vals]
            values = [vals[self._names[i]] for i in indices]
        else:
            if self._names:
                raise ValueError("You must enqueue a dictionary in a staging area with names")
            values = list(vals) if isinstance(vals, (list, tuple)) else [vals]
            if indices is None:
                raise ValueError("Indices must be supplied when inserting a list of tensors")
            if len(indices) != len(values):
                raise ValueError(
                    f"Number of indices {len(indices)} doesn't match number of values {len(values)}"
                )
        if len(values) > len(self._dtypes):
            raise ValueError(f"Unexpected number of inputs {len(values)} vs {len(self._dtypes)}")
        return [self._component(v, i) for v, i in zip(values, indices, strict=True)], list(indices)

    def _component(self, value: Any, index: int) -> Tensor:
        dtype, shape = self._dtypes[index], self._shapes[index]
        if isinstance(value, Tensor) and value.dtype.base_dtype is not dtype:
            raise ValueError(
                f"Datatypes do not match. Component {index} of staging area {self._name!r} is "
                f"{dtype.name}, but {value.name!r} is {value.dtype.base_dtype.name}"
            )
        tensor = convert_to_tensor(value, dtype=dtype, name=f"component_{index}")
        tensor.shape.assert_is_compatible_with(shape)
        return tensor

    def _brought(self, outputs: Sequence[Tensor]) -> list[Tensor]:
        """Outputs on the device of now, where that is not the area's."""
        if no_op().device == self._place.device:
            return list(outputs)
        return [identity(output) for output in outputs]

    def _element(self, outputs: Sequence[Tensor], indices: Sequence[int]) -> Any:
        """What is returned for the outputs of an operation, whose shapes are known here."""
        outputs = self._brought(outputs)
        for output, index in zip(outputs, indices, strict=True):
            output.set_shape(self._shapes[index])
        if self._names:
            return {self._names[i]: t for t, i in zip(outputs, indices, strict=True)}
        return list(outputs)
