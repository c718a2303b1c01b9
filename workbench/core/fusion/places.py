"""Where values lie: a piece of memory, and how an array lies in it."""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import Any, NamedTuple

import numpy as np

from workbench.core.codegen import array_layout
from workbench.core.codegen.array_layout import Layout
from workbench.core.codegen.target import ITEM_BYTES
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import Value


class Kind(Enum):
    """Who owns a piece of memory."""

    #: The region: a place in its arena.
    ARENA = auto()
    #: Whoever calls: an argument of the region, another one each time.
    ARGUMENT = auto()
    #: The plan: an array that never changes.
    CONSTANT = auto()


class Storage:
    """A piece of memory."""

    def __init__(
        self,
        kind: Kind,
        size: int = 0,
        argument: int = -1,
        array: np.ndarray[Any, Any] | None = None,
    ) -> None:
        self.kind = kind
        #: In bytes; 0 until it is known.
        self.size = size
        #: The number of the argument.
        self.argument = argument
        #: The constant.
        self.array = array


class Place(NamedTuple):
    """An array in a piece of memory; strides and offset are in elements."""

    storage: Storage
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    dtype: str

    @property
    def layout(self) -> Layout:
        """How it lies, whatever the memory."""
        return Layout(self.shape, self.strides, self.offset)

    def seen(self, layout: Layout) -> Place:
        """The same memory in another layout."""
        shape, strides, offset = layout
        return self._replace(shape=shape, strides=strides, offset=offset)

    @property
    def is_contiguous(self) -> bool:
        """True where the elements stand side by side in their order."""
        return self.layout.is_contiguous

    @property
    def byte_offset(self) -> int:
        """Where the first element is, in bytes from the start of the memory."""
        return self.offset * ITEM_BYTES[self.dtype]

    def element_bytes(self) -> int:
        """The bytes of all elements."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


class Use(NamedTuple):
    """An operand of a kernel: memory, and how the kernel's dimensions go through it."""

    storage: Storage
    offset: int
    strides: tuple[int, ...]
    dtype: str


def contiguous(storage: Storage, shape: tuple[int, ...], dtype: str) -> Place:
    """The place of an array that fills a piece of memory."""
    return Place(storage, shape, array_layout.contiguous(shape).strides, 0, dtype)


def shape_of(value: Value) -> tuple[int, ...]:
    """A shape that is known to be static."""
    shape = static_shape(value)
    if shape is None:
        raise Unsupported(f"the shape of {value.node.name} is not known before it runs")
    return shape


def dtype_of(value: Value) -> str:
    """The name of the element type."""
    return value.dtype.base_dtype.name
