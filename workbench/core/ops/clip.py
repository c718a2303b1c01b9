"""Limiting values and norms."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import colocate_with, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.ops import api
from workbench.core.ops.creation import call


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """`t` with what is below the minimum or above the maximum set to it.

    The limits are scalars or of a shape that broadcasts to that of `t`; ValueError for others.
    Clips the values of IndexedSlices.

    >>> import workbench as tf
    >>> tf.clip_by_value([-5.0, 0.5, 9.0], -1.0, 1.0).eval().tolist()
    [-1.0, 0.5, 1.0]
    """
    with name_scope(name, "clip_by_value", [t, clip_value_min, clip_value_max]) as scope:
        values = convert_to_tensor(t.values if isinstance(t, IndexedSlices) else t, name="t")
        below = api.minimum(values, clip_value_max)
        values.shape.merge_with(below.shape)
        clipped = call("Maximum", scope, x=below, y=clip_value_min)
        values.shape.merge_with(clipped.shape)
        return _like(t, clipped)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """`t`, scaled down where its Euclidean norm over `axes` is above `clip_norm`.

    >>> import workbench as tf
    >>> tf.clip_by_norm([3.0, 4.0], 2.5).eval().tolist()
    [1.5, 2.0]
    """
    with name_scope(name, "clip_by_norm", [t, clip_norm]) as scope:
        values: Any = convert_to_tensor(t.values if isinstance(t, IndexedSlices) else t, name="t")
        clip_norm = convert_to_tensor(clip_norm, values.dtype.base_dtype, name="clip_norm")
        squares = api.reduce_sum(values * values, axes, keep_dims=True)
        # The root's slope is infinite at 0: there the norm is taken as constant.
        positive = api.greater(squares, api.zeros_like(squares))
        safe = api.where(positive, squares, api.ones_like(squares))
        norm = api.where(positive, api.sqrt(safe), squares)
        ratio = clip_norm / api.maximum(norm, clip_norm)
        clipped = call("Mul", scope, x=values, y=ratio)
        values.shape.merge_with(clipped.shape)
        return _like(t, clipped)


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Tensor:
    """`t`, scaled down where its Euclidean norm divided by its size is above `clip_norm`."""
    with name_scope(name, "clip_by_average_norm", [t, clip_norm]) as scope:
        t = convert_to_tensor(t, name="t")
        count = api.cast(api.size(t), t.dtype.base_dtype)
        inverse = api.rsqrt(api.reduce_sum(t * t))
        limit: Any = convert_to_tensor(clip_norm, t.dtype.base_dtype, name="clip_norm")
        ratio = limit * api.minimum(inverse * count, 1.0 / limit)
        return call("Mul", scope, x=t, y=ratio)


def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """The Euclidean norm of all elements of a list of tensors; None entries do not count.

    Raises TypeError when `t_list` is no sequence.

    >>> import workbench as tf
    >>> tf.global_norm([[3.0], None, [[0.0], [4.0]]]).eval()
    np.float32(5.0)
    """
    tensors = _sequence(t_list)
    with name_scope(name, "global_norm", tensors):
        halves = []
        for value in _values(tensors):
            if value is not None:
                with colocate_with(value):
                    halves.append(api.l2_loss(value))
        half = api.reduce_sum(api.stack(halves))
        return call("Sqrt", "global_norm", x=half * 2.0)


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """The tensors, scaled down together when their global norm is above `clip_norm`.

    Returns the list (None entries stay None, IndexedSlices stay IndexedSlices) and the norm,
    which is `use_norm` when given.

    >>> import workbench as tf
    >>> clipped, norm = tf.clip_by_global_norm([tf.constant([3.0]), tf.constant([4.0])], 1.0)
    >>> round(float(clipped[0].eval()[0]), 3), norm.eval()
    (0.6, np.float32(5.0))
    """
    tensors = _sequence(t_list)
    if use_norm is None:
        use_norm = global_norm(tensors, name)
    with name_scope(name, "clip_by_global_norm", [*tensors, clip_norm]) as scope:
        use_norm = convert_to_tensor(use_norm, name="use_norm")
        clip_norm = convert_to_tensor(clip_norm, use_norm.dtype.base_dtype, name="clip_norm")
        scale = clip_norm * api.minimum(1.0 / use_norm, 1.0 / clip_norm)
        clipped: list[Any] = []
        for i, (t, value) in enumerate(zip(tensors, _values(tensors), strict=True)):
            if value is None:
                clipped.append(None)
                continue
            with colocate_with(value):
                clipped.append(_like(t, call("Mul", f"{scope}_{i}", x=value, y=scale)))
    return clipped, use_norm


def _sequence(t_list: Any) -> list[Any]:
    if isinstance(t_list, (TensorLike, str, bytes)) or not isinstance(t_list, (list, tuple)):
        raise TypeError(f"t_list should be a sequence of tensors, got {type(t_list).__name__}")
    return list(t_list)


def _values(tensors: list[Any]) -> list[Any]:
    return [
        None
        if t is None
        else convert_to_tensor(t.values if isinstance(t, IndexedSlices) else t, name=f"t_{i}")
        for i, t in enumerate(tensors)
    ]


def _like(t: Any, values: Tensor) -> Any:
    """The values as IndexedSlices where `t` is."""
    if isinstance(t, IndexedSlices):
        return IndexedSlices(values, t.indices, t.dense_shape)
    return values
