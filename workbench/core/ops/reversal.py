"""Elements in the opposite order: reverse, reverse_sequence, inverted permutations."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import listing
from workbench.core.kernels import reversal as kernels
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample

_MATRIX = [[1.0, 2.0], [3.0, 4.0]]
declare(
    "Reverse",
    inputs="tensor: T, dims: bool",
    outputs="output: T",
    attrs="T: type",
    shape=shape_rules.first,
    kernel=kernels.reverse,
    gradient=lambda op, grad: [call("Reverse", None, tensor=grad, dims=op.inputs[1]), None],
    aliases_input=True,
    samples=[sample(_MATRIX, [False, True], want=[[2.0, 1.0], [4.0, 3.0]])],
)


def _reverse_shape(op: Any) -> list[Any]:
    entries, axes = op.inputs[0].entries, constant_value(op.inputs[1])
    shape_rules.with_rank(op.inputs[1].entries, 1, "axis")
    if entries is not None and axes is not None:
        seen: list[int] = []
        for i, axis in enumerate(axes.tolist()):
            if not -len(entries) <= axis < len(entries):
                raise ValueError(
                    f"'axis'[{i}] = {axis} is out of valid range [0, {len(entries) - 1}]"
                )
            if axis % len(entries) in seen:
                raise ValueError(f"axis {axis % len(entries)} specified more than once.")
            seen.append(axis % len(entries))
    return [entries]


declare(
    "ReverseV2",
    inputs="tensor: T, axis: Tidx",
    outputs="output: T",
    attrs="Tidx: {int32, int64} = DT_INT32, T: type",
    shape=_reverse_shape,
    kernel=kernels.reverse_v2,
    gradient=lambda op, grad: [reverse(grad, op.inputs[1]), None],
    aliases_input=True,
    samples=[
        sample(_MATRIX, [0], want=[[3.0, 4.0], [1.0, 2.0]]),
        sample(_MATRIX, [-1, 0], want=[[4.0, 3.0], [2.0, 1.0]]),
    ],
)


def _reverse_sequence_shape(op: Any) -> list[Any]:
    entries, lengths = op.inputs[0].entries, op.inputs[1].entries
    (count,) = shape_rules.with_rank(lengths, 1, "seq_lengths")
    if entries is None:
        return [None]
    for name in ("seq_dim", "batch_dim"):
        if not -len(entries) <= op.attrs[name] < len(entries):
            raise ValueError(f"{name} must be < input rank: {op.attrs[name]} vs. {len(entries)}")
    batch = op.attrs["batch_dim"] % len(entries)
    size = shape_rules.equal_sizes(entries[batch], count, "seq_lengths has one per batch element")
    return [(*entries[:batch], size, *entries[batch + 1 :])]


def _reverse_sequence_gradient(op: Any, grad: Any) -> list[Any]:
    attrs = op.attrs
    lengths = op.inputs[1]
    return [
        reverse_sequence(grad, lengths, seq_axis=attrs["seq_dim"], batch_axis=attrs["batch_dim"]),
        None,
    ]


declare(
    "ReverseSequence",
    inputs="input: T, seq_lengths: Tlen",
    outputs="output: T",
    attrs="seq_dim: int, batch_dim: int = 0, T: type, Tlen: {int32, int64} = DT_INT64",
    shape=_reverse_sequence_shape,
    kernel=kernels.reverse_sequence,
    gradient=_reverse_sequence_gradient,
    samples=[
        sample(
            [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
            [2, 3],
            seq_dim=1,
            want=[[2.0, 1.0, 3.0], [6.0, 5.0, 4.0]],
        ),
        sample(
            [[1.0, 2.0], [3.0, 4.0]], [1, 2], seq_dim=0, batch_dim=1, want=[[1.0, 4.0], [3.0, 2.0]]
        ),
    ],
)


declare(
    "InvertPermutation",
    inputs="x: T",
    outputs="y: T",
    attrs="T: {int32, int64} = DT_INT32",
    shape=lambda op: [shape_rules.with_rank(op.inputs[0].entries, 1, "x")],
    kernel=listing.invert_permutation,
    gradient=NOT_DIFFERENTIABLE,
    samples=[sample([3, 4, 0, 2, 1], want=[2, 4, 3, 0, 1])],
)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """`tensor` in the opposite order along each axis in the list `axis`.

    >>> import workbench as tf
    >>> tf.reverse([[1, 2], [3, 4]], axis=[1]).eval().tolist()
    [[2, 1], [4, 3]]
    """
    return call("ReverseV2", name, tensor=tensor, axis=axis)


reverse_v2 = reverse


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
    seq_dim: int | None = None,
    batch_dim: int | None = None,
) -> Tensor:
    """The first `seq_lengths[i]` steps along `seq_axis` reversed, for each batch element i.

    `seq_dim` and `batch_dim` are the old names of the axes.

    >>> import workbench as tf
    >>> tf.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1).eval().tolist()
    [[2, 1, 3], [6, 5, 4]]
    """
    chosen = _either(seq_axis, seq_dim, "seq_axis", "seq_dim")
    if chosen is None:
        raise ValueError("tf.reverse_sequence needs a seq_axis")
    return call(
        "ReverseSequence",
        name,
        input=input,
        seq_lengths=seq_lengths,
        seq_dim=chosen,
        batch_dim=_either(batch_axis, batch_dim, "batch_axis", "batch_dim") or 0,
    )


def _either(new: int | None, old: int | None, new_name: str, old_name: str) -> int | None:
    if new is not None and old is not None:
        raise ValueError(f"Cannot specify both {old_name!r} and {new_name!r}")
    return old if new is None else new


def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """The permutation that undoes `x`: y[x[i]] = i.

    >>> import workbench as tf
    >>> tf.invert_permutation([2, 0, 1]).eval().tolist()
    [1, 2, 0]
    """
    return call("InvertPermutation", name, x=x)
