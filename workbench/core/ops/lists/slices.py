"""Adding what was read of a list to the gradient of the list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph.composite import ListSlices
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call
from workbench.core.ops.lists.element_types import element_type, set_element_type
from workbench.core.ops.lists.items import add_item
from workbench.core.ops.lists.scattering import add_rows


def add_slices(handle: Any, slices: Sequence[ListSlices]) -> Tensor:
    """The list with all the slices added to its elements."""
    for part in slices:
        for index, value in part.items:
            if index.shape.ndims == 1:
                handle = add_rows(handle, value, index)
            else:
                handle = add_item(handle, index, value)
    tensor: Tensor = handle
    return tensor


def zeros_like(handle: Tensor, name: str | None = None) -> Tensor:
    """A list of zeros as long as another."""
    zeros = call("ZerosLike", name, x=handle)
    set_element_type(zeros, element_type(handle))
    return zeros
