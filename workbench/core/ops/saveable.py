"""What a `Saver` can save: the tensors that make up an object, and how it takes them back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph.dtypes import DType
from workbench.core.graph.tensor import Tensor


class SaveSpec:
    """One tensor to save: the tensor (or a function that makes it), its part and its name."""

    def __init__(
        self,
        tensor: Tensor | Callable[[], Tensor],
        slice_spec: str,
        name: str,
        dtype: DType | None = None,
    ) -> None:
        self._tensor = tensor
        self.slice_spec = slice_spec
        self.name = name
        if dtype is None and isinstance(tensor, Tensor):
            dtype = tensor.dtype.base_dtype
        self._dtype = dtype

    @property
    def tensor(self) -> Tensor:
        """The tensor."""
        return self._tensor if isinstance(self._tensor, Tensor) else self._tensor()

    @property
    def dtype(self) -> DType:
        """The type of the tensor's elements."""
        return self.tensor.dtype.base_dtype if self._dtype is None else self._dtype


class SaveableObject:
    """An object that is saved as one tensor or several.

    Subclasses define `restore`; instances are added to the collection
    `tf.GraphKeys.SAVEABLE_OBJECTS`, or given to a `Saver`.
    """

    def __init__(self, op: Any, specs: Sequence[SaveSpec], name: str) -> None:
        self.op = op
        self.specs = specs
        self.name = name

    @property
    def device(self) -> str:
        """The device of the first tensor."""
        return self.specs[0].tensor.device

    def restore(self, restored_tensors: Sequence[Tensor], restored_shapes: Any) -> Any:
        """An operation that gives the object the tensors' values.

        `restored_shapes` are the shapes to give them first, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define 'restore'")
