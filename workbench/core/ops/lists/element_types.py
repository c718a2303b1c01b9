"""What is known, while a graph is built, of the elements of the lists that tensors hold."""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from workbench.core.graph.constants import constant_entries
from workbench.core.graph.dtypes import DType
from workbench.core.graph.shapes import Entries, merge_shapes
from workbench.core.graph.tensor import Tensor


class ElementType(NamedTuple):
    """The dtype and the static shape of a list's elements."""

    dtype: DType
    entries: Entries
    #: True for the elements of a TensorArray, which checks them by itself, in a run.
    is_array: bool = False


_known: WeakKeyDictionary[Tensor, ElementType] = WeakKeyDictionary()


def element_type(handle: Tensor) -> ElementType | None:
    """The type of the elements of the list a variant tensor holds, or None where it is unknown.

    >>> import workbench as tf
    >>> from workbench.core.ops.lists.creation import reserve
    >>> element_type(reserve([2, None], 3, tf.float32))
    ElementType(dtype=tf.float32, entries=(2, None), is_array=False)
    """
    return _known.get(handle)


def set_element_type(handle: Tensor, found: ElementType | None) -> None:
    """Says what the elements of a list are: for what stands for it in another graph."""
    if found is not None:
        _known[handle] = found


def same_list(op: Any) -> list[Entries]:
    """The shape rule of operations whose output has elements like those of their first input."""
    set_element_type(op.outputs[0], element_type(op.inputs[0]))
    return [()]


def new_list(op: Any, shape_input: int) -> list[Entries]:
    """The shape rule of operations that make a list: one of their inputs is its element shape."""
    dtype = op.attrs["element_dtype"]
    set_element_type(op.outputs[0], ElementType(dtype, constant_entries(op.inputs[shape_input])))
    return [()]


def element_entries(op: Any, shape_input: int) -> Entries:
    """What the list and the input `element_shape` know of an element's shape."""
    known = element_type(op.inputs[0])
    check_element_dtype(op)
    asked = constant_entries(op.inputs[shape_input])
    return asked if known is None or known.is_array else merge_shapes(known.entries, asked)


def check_element_dtype(op: Any) -> None:
    """Raises ValueError where an operation takes elements of another dtype than the list has."""
    known = element_type(op.inputs[0])
    if known is None or known.is_array:
        return
    if known.dtype is not op.attrs["element_dtype"]:
        raise ValueError(
            f"Invalid data types; op elements {op.attrs['element_dtype'].name} but list elements "
            f"{known.dtype.name}"
        )


def is_differentiable(handle: Tensor) -> bool:
    """True for lists of floats or of lists: those that a loop finds the gradient of."""
    known = element_type(handle)
    if known is None:
        return handle.dtype.name == "variant"
    return known.dtype.is_floating or known.dtype.is_complex or known.dtype.name == "variant"


def elements_are_differentiable(op: Any) -> bool:
    """True where the elements that an operation reads or writes can have gradients."""
    dtype: DType = op.attrs["element_dtype"]
    return dtype.is_integer or dtype.is_floating or dtype.is_complex or dtype.name == "variant"
