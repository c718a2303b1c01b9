"""States and outputs of recurrent cells: their sizes, zeros, and what stays past a sequence's end.

A cell is anything that is called with (inputs, state), and that has `state_size`, `output_size` and
`zero_state(batch_size, dtype)`.
"""

from __future__ import annotations

from typing import Any

from workbench.core.graph import nest
from workbench.core.graph.constants import constant_value
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


def is_cell(value: Any) -> bool:
    """True for what can be used as a cell.

    The class is asked, too: properties of a cell may need what it learns in its first call.
    """
    if isinstance(value, type) or not callable(value):
        return False
    names = ("output_size", "state_size", "zero_state")
    return all(hasattr(type(value), name) or hasattr(value, name) for name in names)


def check_cell(value: Any, problem: str = "cell must be an instance of RNNCell") -> None:
    """TypeError that says `problem` unless the value is a cell."""
    if not is_cell(value):
        hint = ": make an instance of the class" if isinstance(value, type) else ""
        raise TypeError(f"{problem}, got {value!r}{hint}")


def zeros_of(state_size: Any, batch_size: Any, dtype: Any) -> Any:
    """Zeros [batch_size, *size] for each size (an int or a TensorShape) of a structure.

    `batch_size` is an int, a scalar or a vector of one element; it is known statically in the
    result where it can be. `dtype` is one for all, or a structure like `state_size`.
    """
    sizes = nest.flatten(state_size)
    if nest.is_sequence(dtype):
        dtypes = nest.flatten(dtype)
    else:
        dtypes = [dtype] * len(sizes)
    made = [batch_zeros(batch_size, s, d) for s, d in zip(sizes, dtypes, strict=True)]
    return nest.pack_sequence_as(state_size, made)


def batch_zeros(batch_size: Any, size: Any, dtype: Any) -> Tensor:
    """Zeros [batch_size, *size], where `size` is an int, a TensorShape or a tensor of sizes."""
    known = known_batch_size(batch_size)
    if isinstance(size, Tensor):
        value = constant_value(size)
        if value is None:
            return _zeros_of_tensor(batch_size, size, dtype)
        size = value.tolist()
    entries = as_shape(size)
    if not entries.is_fully_defined():
        raise ValueError(f"The sizes of a state or output must be known, got {entries}")
    sizes = entries.as_list()
    if known is not None:
        zeros: Tensor = api.zeros([known, *sizes], dtype)
        return zeros
    batch = api.reshape(api.to_int32(batch_size), [])
    zeros = api.zeros(api.stack([batch, *sizes]), dtype)
    zeros.set_shape([None, *sizes])
    return zeros


def _zeros_of_tensor(batch_size: Any, size: Tensor, dtype: Any) -> Tensor:
    parts = [api.reshape(api.to_int32(batch_size), [1]), api.reshape(api.to_int32(size), [-1])]
    zeros: Tensor = api.zeros(api.concat(parts, 0), dtype)
    if size.shape.is_fully_defined():
        count = size.shape.num_elements() or 0
        zeros.set_shape([known_batch_size(batch_size), *[None] * count])
    return zeros


def known_batch_size(batch_size: Any) -> int | None:
    """The batch size where it is known when the graph is made."""
    if batch_size is None or not isinstance(batch_size, Tensor):
        size = getattr(batch_size, "value", batch_size)
        return None if size is None else int(size)
    value = constant_value(batch_size)
    if value is None:
        return None
    if value.size != 1:
        raise ValueError(
            f"A batch size must be a scalar, {batch_size.name!r} has the shape {batch_size.shape}"
        )
    return int(value.reshape(()))


def full_shape(leading: list[int | None], size: Any) -> TensorShape:
    """The static shape [*leading, *size] for a size of a cell."""
    if isinstance(size, Tensor):
        size = constant_value(size)
        if size is None:
            return as_shape(None)
    return TensorShape([*leading, *as_shape(size).as_list()])


def dtype_of(explicit: Any, state: Any) -> DType:
    """`explicit`, or the one dtype that all tensors of a state have.

    Raises ValueError where the state is empty or has several.
    """
    if explicit is not None and not nest.is_sequence(explicit):
        return as_dtype(explicit).base_dtype
    found = {as_dtype(tensor.dtype).base_dtype for tensor in nest.flatten(state)}
    if not found:
        raise ValueError("Unable to infer dtype from empty state.")
    if len(found) > 1:
        names = ", ".join(sorted(dtype.name for dtype in found))
        raise ValueError(
            "State has tensors of different inferred_dtypes. Unable to infer a single "
            f"representative dtype: got {names}; say dtype=..."
        )
    return found.pop()


def start_state(cell: Any, initial_state: Any, batch_size: Any, dtype: Any, what: str) -> Any:
    """`initial_state`, or zeros of `dtype`; ValueError saying `what` where neither is given."""
    if initial_state is not None:
        return initial_state
    if dtype is None:
        raise ValueError(what)
    return cell.zero_state(batch_size, dtype)


def as_values(structure: Any) -> Any:
    """A structure whose values are tensors, or arrays of them, which loops can hand on."""
    return nest.map_structure(
        lambda value: value if hasattr(value, "_to_components") else convert_to_tensor(value),
        structure,
    )


def known_or_dynamic_batch_size(tensors: list[Any]) -> Any:
    """The first size of tensors: an int where one knows it, else a tensor.

    Raises ValueError where they differ.
    """
    batch = TensorShape([None])
    for tensor in tensors:
        batch = batch.merge_with(tensor.shape[:1])
    known = batch.as_list()[0]
    return api.shape(tensors[0])[0] if known is None else known


def keep_finished(finished: Tensor, old: Any, new: Any) -> Any:
    """`old` in the rows where `finished`, else `new`; in the form of `new`.

    Scalars and arrays of tensors belong to no row and are taken from `new`.
    """
    pairs = zip(nest.flatten(old), nest.flatten(new), strict=True)
    return nest.pack_sequence_as(new, [_keep(finished, a, b) for a, b in pairs])


def _keep(finished: Tensor, old: Any, new: Any) -> Any:
    if hasattr(new, "_to_components") or (isinstance(new, Tensor) and new.shape.ndims == 0):
        return new
    new = convert_to_tensor(new)
    chosen = api.where(finished, old, new)
    chosen.set_shape(new.shape)
    return chosen
