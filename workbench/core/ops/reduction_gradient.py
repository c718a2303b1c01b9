"""Gradients of reductions: spreading what was reduced over the axes again."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.ops import api
from workbench.core.ops.static_shapes import sizes_or_none


def static_axes(op: Any) -> list[int] | None:
    """The axes of a reduction, sorted and non-negative; None where they are not known."""
    entries, axes = op.inputs[0].entries, constant_value(op.inputs[1])
    if axes is None or entries is None:
        return None
    rank = len(entries)
    return sorted({int(a) + rank if a < 0 else int(a) for a in axes.reshape(-1)})


def spreadable(op: Any, value: Any) -> Any:
    """A tensor of the output's shape in a shape that broadcasts against the input.

    Reduced leading axes need nothing, because broadcasting adds leading axes by itself.
    """
    if op.attrs["keep_dims"]:
        return value
    axes = static_axes(op)
    if axes is None:
        return api.reshape(value, reduced_shape(api.shape(op.inputs[0]), op.inputs[1]))
    inner = [a for i, a in enumerate(axes) if a != i]
    if not inner:
        return value
    sizes = [1 if i in axes else e for i, e in enumerate(op.inputs[0].entries)]
    unknown = [i for i, e in enumerate(sizes) if not isinstance(e, int)]
    if len(unknown) > 1 or (unknown and 0 in sizes):
        for axis in axes:
            value = api.expand_dims(value, axis)
        return value
    return api.reshape(value, [e if isinstance(e, int) else -1 for e in sizes])


def reduced_shape(input_shape: Any, axes: Any) -> Any:
    """The shape with size 1 for the axes, all as tensors."""
    shape = api.cast(input_shape, "int32")
    rank = api.size(shape)
    positions = (api.reshape(api.cast(axes, "int32"), [-1]) + rank) % rank
    ones = api.fill(api.shape(positions), 1)
    return api.dynamic_stitch([api.range(rank), positions], [shape, ones])


def spread(op: Any, value: Any) -> Any:
    """A tensor of the output's shape, repeated over the reduced axes: of the input's shape."""
    source = op.inputs[0]
    sizes = sizes_or_none(source)
    value = spreadable(op, value)
    if sizes is not None and value.entries == source.entries:
        return value
    return api.broadcast_to(value, api.shape(source) if sizes is None else sizes)


def sum_gradient(op: Any, dy: Any) -> Any:
    """Every element counts once."""
    return spread(op, dy), None


def mean_gradient(op: Any, dy: Any) -> Any:
    """Every element counts as one of many; the division comes before the spreading."""
    return spread(op, dy / _count(op, dy.dtype)), None


def _count(op: Any, dtype: Any) -> Any:
    """How many elements went into each of the output."""
    source, axes = op.inputs[0], static_axes(op)
    if axes is not None:
        sizes = [source.entries[a] for a in axes]
        if all(isinstance(s, int) for s in sizes):
            count = 1
            for size in sizes:
                count *= size
            return float(count)
        if len(axes) == len(source.entries):
            return api.cast(api.size(source), dtype)
    results = api.maximum(api.size(op.outputs[0]), 1)
    return api.cast(api.floor_div(api.size(source), results), dtype)


def extreme_gradient(op: Any, dy: Any) -> Any:
    """The elements that are the extreme one share the gradient."""
    source = op.inputs[0]
    chosen = api.cast(api.equal(source, spreadable(op, op.outputs[0])), dy.dtype)
    count = api.reduce_sum(chosen, op.inputs[1], keep_dims=op.attrs["keep_dims"])
    return chosen * spreadable(op, dy / count), None


def prod_gradient(op: Any, dy: Any) -> Any:
    """Each element's slope is the product of the others, also where some are zero."""
    source, axes = op.inputs[0], static_axes(op)
    if axes is not None:
        others = _product_of_others(source, axes)
    elif op.outputs[0].entries == () and not op.attrs["keep_dims"]:
        flat = _product_of_others(api.reshape(source, [-1]), [0])
        others = api.reshape(flat, api.shape(source))
    else:
        others = _product_of_others_in_a_run(source, op.inputs[1])
    return api.conj(others) * spreadable(op, dy), None


def _product_of_others_in_a_run(x: Any, axes: Any) -> Any:
    """The same along axes that only a run knows: they become one axis, in front of the rest."""
    rank = api.rank(x)
    axes = api.reshape(api.cast(axes, "int32"), [-1])
    axes = api.where(axes < 0, axes + rank, axes)
    kept, _ = api.setdiff1d(api.range(rank), axes)
    order = api.concat([axes, kept], 0)
    turned = api.transpose(x, order)
    sizes = api.shape(turned)
    count = api.size(axes)
    flat_sizes = api.stack([api.reduce_prod(sizes[:count]), api.reduce_prod(sizes[count:])])
    others = _product_of_others(api.reshape(turned, flat_sizes), [0])
    return api.transpose(api.reshape(others, sizes), api.invert_permutation(order))


def _product_of_others(x: Any, axes: list[int]) -> Any:
    others: Any = None
    for axis in axes:
        before = api.cumprod(x, axis, exclusive=True)
        after = api.cumprod(x, axis, exclusive=True, reverse=True)
        line = before * after
        others = line if others is None else others * line
        x = api.reduce_prod(x, axis, keep_dims=True)
    return api.ones_like(x) if others is None else others
