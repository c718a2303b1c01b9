"""Operations on strings."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.constants import constant_value
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import broadcast_entries, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import text
from workbench.core.kernels.scalars import as_array
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import declare, sample

Array = np.ndarray[Any, Any]


def plain(value: Any) -> Any:
    """A result as programs pass it on: a single string is no array."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def on_strings(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel for arguments and results as programs pass them on."""

    @functools.wraps(kernel)
    def with_single_strings(*inputs: Any, **attributes: Any) -> Any:
        arrays = (
            tuple(map(as_array, value)) if isinstance(value, tuple) else as_array(value)
            for value in inputs
        )
        found = kernel(*arrays, **attributes)
        return tuple(map(plain, found)) if isinstance(found, tuple) else plain(found)

    return with_single_strings


# -- declarations --------------------------------------------------------------------------------


def _joined_shape(op: Any) -> list[Any]:
    entries: Any = ()
    for tensor in op.inputs:
        if tensor.entries == ():
            continue
        if tensor.entries is None:
            return [None]
        entries = tensor.entries if entries == () else merge_shapes(entries, tensor.entries)
    return [entries]


def _reduced_shape(op: Any) -> list[Any]:
    entries = op.inputs[0].entries
    axes = constant_value(op.inputs[1])
    if entries is None or axes is None:
        return [None]
    rank = len(entries)
    reduced: set[int] = set()
    for axis in axes.reshape(-1).tolist():
        if not -rank <= axis < rank:
            raise ValueError(f"Invalid reduction dimension {axis} for input with {rank} dimensions")
        if axis % rank in reduced:
            raise ValueError(f"Duplicate reduction dimension {axis % rank}")
        reduced.add(axis % rank)
    if op.attrs["keep_dims"]:
        return [tuple(1 if i in reduced else e for i, e in enumerate(entries))]
    return [tuple(e for i, e in enumerate(entries) if i not in reduced)]


def _split_shape(op: Any) -> list[Any]:
    shape_rules.with_rank(op.inputs[0].entries, 1, "input")
    shape_rules.with_rank(op.inputs[1].entries, 0, "delimiter")
    return [(None, 2), (None,), (2,)]


def _substr_shape(op: Any) -> list[Any]:
    position = merge_shapes(op.inputs[1].entries, op.inputs[2].entries)
    return [broadcast_entries(op.inputs[0].entries, position)]


declare(
    "StringJoin",
    inputs="inputs: N * string",
    outputs="output: string",
    attrs="N: int >= 1, separator: string = ''",
    shape=_joined_shape,
    kernel=on_strings(text.string_join),
    samples=[
        sample([[b"a", b"b"], b"c"], separator="-", want=[b"a-c", b"b-c"]),
        sample([b"a\0", b"\0"], want=b"a\0\0"),
    ],
)
declare(
    "ReduceJoin",
    inputs="inputs: string, reduction_indices: int32",
    outputs="output: string",
    attrs="keep_dims: bool = false, separator: string = ''",
    shape=_reduced_shape,
    kernel=on_strings(text.reduce_join),
    samples=[
        sample([[b"a", b"b"], [b"c", b"d"]], [0], want=[b"ac", b"bd"]),
        sample([[b"a", b"b"], [b"c", b"d"]], [-2, -1], separator=".", want=b"a.c.b.d"),
        sample([[b"a", b"b"]], [1], keep_dims=True, want=[[b"ab"]]),
    ],
)
declare(
    "StringSplit",
    inputs="input: string, delimiter: string",
    outputs="indices: int64, values: string, shape: int64",
    attrs="skip_empty: bool = true",
    shape=_split_shape,
    kernel=on_strings(text.string_split),
    samples=[
        sample(
            [b"hello world", b"a b c"],
            b" ",
            want=(
                [[0, 0], [0, 1], [1, 0], [1, 1], [1, 2]],
                [b"hello", b"world", b"a", b"b", b"c"],
                [2, 3],
            ),
        ),
        sample([b",a"], b",", skip_empty=False, want=([[0, 0], [0, 1]], [b"", b"a"], [1, 2])),
    ],
)
declare(
    "Substr",
    inputs="input: string, pos: T, len: T",
    outputs="output: string",
    attrs="T: {int32, int64}",
    shape=_substr_shape,
    kernel=on_strings(text.substr),
    samples=[
        sample([b"Hello", b"World"], 1, 3, want=[b"ell", b"orl"]),
        sample(b"thirteen", -4, 4, want=b"teen"),
    ],
)

# -- functions -----------------------------------------------------------------------------------


def string_join(inputs: Any, separator: str | None = None, name: str | None = None) -> Tensor:
    """The strings at each position of several tensors joined; scalars go to every position.

    >>> import workbench as tf
    >>> tf.string_join([["a", "b"], "c"], "-").eval().tolist()
    [b'a-c', b'b-c']
    """
    return call("StringJoin", name, inputs=inputs, separator=separator)


def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: bool = False,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
) -> Tensor:
    """The strings along some axes joined: all axes, the last one first, where `axis` is None.

    >>> import workbench as tf
    >>> tf.reduce_join([["a", "b"], ["c", "d"]], axis=0).eval().tolist()
    [b'ac', b'bd']
    """
    if axis is not None and reduction_indices is not None:
        raise ValueError("Can't specify both 'axis' and 'reduction_indices'.")
    tensor = convert_to_tensor(inputs, name="inputs")
    axes = reduction_indices if axis is None else axis
    if axes is None:
        rank = tensor.shape.ndims
        axes = (
            np.arange(rank - 1, -1, -1, dtype=np.int32)
            if rank is not None
            else api.range(api.rank(tensor) - 1, -1, -1)
        )
    return call(
        "ReduceJoin",
        name,
        inputs=tensor,
        reduction_indices=axes,
        keep_dims=keep_dims,
        separator=separator,
    )


def string_split(source: Any, delimiter: Any = " ", skip_empty: bool = True) -> SparseTensor:
    """The pieces of each string of a vector, as the rows of a sparse matrix.

    Every byte of `delimiter` splits; an empty one splits into single bytes. `skip_empty` leaves
    out empty pieces.

    >>> import workbench as tf
    >>> tf.string_split(["a b", "c"]).eval().values.tolist()
    [b'a', b'b', b'c']
    """
    op = create("StringSplit", None, input=source, delimiter=delimiter, skip_empty=bool(skip_empty))
    return SparseTensor(*op.outputs)


def substr(input: Any, pos: Any, len: Any, name: str | None = None) -> Tensor:
    """`len` bytes of each string from `pos` on; a negative `pos` counts from the end.

    >>> import workbench as tf
    >>> tf.substr(["hello", "world"], 1, 3).eval().tolist()
    [b'ell', b'orl']
    """
    return call("Substr", name, input=input, pos=pos, len=len)
