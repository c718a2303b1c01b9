"""What gradients and composite functions ask of static shapes, to keep their graphs small."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.constants import constant_value
from workbench.core.graph.shapes import Entries, Entry, count_entries, merge_entries
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


def sizes_or_none(tensor: Tensor) -> list[int] | None:
    """The sizes of a fully known shape, or None."""
    entries = tensor.entries
    if entries is None:
        return None
    sizes = [e for e in entries if isinstance(e, int)]
    return sizes if len(sizes) == len(entries) else None


def target_shape(tensor: Tensor) -> Any:
    """What to give `reshape` for the shape of `tensor`: a list with at most one -1, or a tensor."""
    entries = tensor.entries
    if entries is not None:
        sizes = [e if isinstance(e, int) else -1 for e in entries]
        # With a size of 0 beside it, -1 could stand for anything.
        if sizes.count(-1) == 0 or (sizes.count(-1) == 1 and 0 not in sizes):
            return sizes
    return api.shape(tensor)


def reshape_like(value: Any, tensor: Tensor) -> Any:
    """`value` in the shape of `tensor`; `value` itself where it is known to have that shape."""
    if isinstance(value, Tensor) and same_shape(value.entries, tensor.entries):
        return value
    return api.reshape(value, target_shape(tensor))


def same_shape(a: Entries, b: Entries) -> bool:
    """True when two shapes are known to be equal."""
    return a is not None and a == b and None not in a


def size_or_dynamic(tensor: Tensor, axis: int, out_type: Any = "int32") -> Any:
    """The size along `axis`: an int where it is known, else a scalar tensor."""
    entry: Entry = None if tensor.entries is None else tensor.entries[axis]
    if isinstance(entry, int):
        return entry
    return api.shape(tensor, out_type=out_type)[axis]


def known_elements(tensor: Tensor) -> np.ndarray[Any, Any] | None:
    """The elements of a tensor of ints, None for those known in a run only; None for no shape."""
    value = constant_value(tensor)
    if value is not None:
        return value.astype(object)
    sizes = sizes_or_none(tensor)
    if sizes is None:
        return None
    elements = np.full(sizes, None, object)
    if tensor.op.type == "Pack":
        lines = np.moveaxis(elements, tensor.op.attrs["axis"], 0)
        for i, part in enumerate(tensor.op.inputs):
            known = known_elements(part)
            if known is not None:
                lines[i, ...] = known
    return elements


def reshaped_entries(source: Entries, target: Entries) -> Entries:
    """The shape that `reshape` gives, from what is known of its input and of its target.

    One unknown entry of the target is worked out from the number of elements; where the input has
    one unknown size too and the rest agree, it is the same size, so that a symbol survives.
    Raises ValueError where the numbers of elements cannot agree.
    """
    if target is None:
        return None
    unknown = [i for i, e in enumerate(target) if not isinstance(e, int)]
    known = count_entries([e for e in target if isinstance(e, int)]) or 0
    total = None if source is None else count_entries(source)
    if not unknown:
        if total is not None and total != known:
            raise ValueError(
                f"Cannot reshape a tensor with {total} elements to shape "
                f"{bracketed(target)} ({known} elements)"
            )
        return target
    if len(unknown) > 1 or source is None or known == 0:
        return target
    entry: Entry = None
    if total is not None:
        if total % known:
            raise ValueError(
                f"Dimension size must be evenly divisible by {known} but is {total}: cannot "
                f"reshape a tensor with {total} elements to shape {bracketed(target)}"
            )
        entry = total // known
    else:
        open_sizes = [e for e in source if not isinstance(e, int)]
        rest = count_entries([e for e in source if isinstance(e, int)])
        if len(open_sizes) == 1 and rest == known:
            entry = open_sizes[0]
    if entry is None:
        return target
    index = unknown[0]
    return (*target[:index], entry, *target[index + 1 :])


def bracketed(entries: Entries) -> str:
    """The shape as TensorFlow's errors write it: "[?,784]"."""
    if entries is None:
        return "<unknown>"
    return "[" + ",".join("?" if e is None else str(e) for e in entries) + "]"


def equal_shapes(a: Entries, b: Entries) -> Entries:
    """What is known of two shapes that must be equal; ValueError in TensorFlow's words."""
    if a is None or b is None:
        return b if a is None else a
    if len(a) != len(b):
        raise ValueError(f"Shapes must be equal rank, but are {len(a)} and {len(b)}")
    return tuple(equal_entries(x, y, i, a, b) for i, (x, y) in enumerate(zip(a, b, strict=True)))


def equal_entries(x: Entry, y: Entry, axis: int, a: Entries, b: Entries) -> Entry:
    """What is known of the sizes of `a` and `b` along an axis, which must be equal."""
    try:
        return merge_entries(x, y)
    except ValueError:
        raise ValueError(
            f"Dimension {axis} in both shapes must be equal, but are {x} and {y}. "
            f"Shapes are {bracketed(a)} and {bracketed(b)}."
        ) from None


def check_listed(listed: Entry, rank: Entry, what: str) -> None:
    """ValueError unless an argument lists as many sizes as the tensor has axes."""
    if isinstance(listed, int) and isinstance(rank, int) and listed != rank:
        raise ValueError(f"Shape must be rank {listed} but is rank {rank}: {what}")


def check_scatter_nd(indices: Entries, updates: Entries, target: Entries, name: str) -> None:
    """ValueError unless `updates` fit the slices of `target`, called `name`, at `indices`."""
    if indices is None or updates is None:
        return
    given = count_entries(indices) != 0 or count_entries(updates) != 0
    if given and target is not None and count_entries(target) == 0:
        raise ValueError("Indices and updates specified for empty output shape")
    outer = len(indices) - 1
    if not _fits(indices[:-1], updates[:outer]):
        raise ValueError(
            f"The outer {outer} dimensions of indices.shape={bracketed(indices)} must match the "
            f"outer {outer} dimensions of updates.shape={bracketed(updates)}"
        )
    depth = indices[-1] if indices else None
    if target is None or not isinstance(depth, int):
        return
    if depth > len(target):
        raise ValueError(
            f"The last dimension of indices, {depth}, exceeds the rank of {name}, {len(target)}"
        )
    inner = len(target) - depth
    if not _fits(target[depth:], updates[outer:]):
        raise ValueError(
            f"The inner {inner} dimensions of {name}.shape={bracketed(target)} must match the "
            f"inner {inner} dimensions of updates.shape={bracketed(updates)}"
        )


def _fits(a: Entries, b: Entries) -> bool:
    try:
        equal_shapes(a, b)
    except ValueError:
        return False
    return True
