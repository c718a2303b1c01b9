"""Checking gradients against finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.gradients.gradients import gradients
from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api

Array = np.ndarray[Any, Any]


def compute_gradient(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> Any:
    """The Jacobian of `y` with respect to `x`: from the graph's gradient, and by differences.

    `x` is a tensor or a list of them. For each it returns a pair of arrays of shape [size of x,
    size of y]. `init_targets` are operations to run first. Complex tensors count twice, real and
    imaginary parts in turn.

    >>> import numpy as np, workbench as tf
    >>> with tf.Graph().as_default(), tf.Session():
    ...     x = tf.constant([1.0, 2.0])
    ...     symbolic, numeric = tf.test.compute_gradient(
    ...         x, [2], tf.square(x), [2], x_init_value=np.array([1.0, 2.0], np.float32)
    ...     )
    >>> symbolic.tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    from workbench.core.runtime.implicit import session_for

    session = session_for(y.graph, None, "a gradient check")
    if init_targets is not None:
        session.run(init_targets)
    many = isinstance(x, (list, tuple))
    xs = list(x) if many else [x]
    shapes = list(x_shape) if many else [x_shape]
    starts = list(x_init_value) if many and x_init_value is not None else [x_init_value] * len(xs)
    random = np.random.RandomState(0)
    values = []
    feeds = dict(extra_feed_dict or {})
    for tensor, shape, start in zip(xs, shapes, starts, strict=True):
        given = start is not None
        if not given:
            dtype = tensor.dtype.base_dtype.as_numpy_dtype
            start = random.random_sample([int(s) for s in shape]).astype(dtype)
            if tensor.dtype.is_complex:
                start = start + (1j * random.random_sample(start.shape)).astype(dtype)
        values.append(np.array(start))
        if given or tensor.op.type.startswith("Placeholder"):
            # What has a value of its own keeps it while the others are moved.
            feeds[tensor] = values[-1]
    found = []
    for tensor, value in zip(xs, values, strict=True):
        here = {**feeds, tensor: value}
        symbolic = _symbolic(session, tensor, value, y, y_shape, here)
        found.append((symbolic, _numeric(session, tensor, value, y, y_shape, delta, here)))
    return found if many else found[0]


def compute_gradient_error(
    x: Any,
    x_shape: Any,
    y: Tensor,
    y_shape: Any,
    x_init_value: Any = None,
    delta: float = 1e-3,
    init_targets: Any = None,
    extra_feed_dict: Any = None,
) -> float:
    """The largest difference between the two Jacobians that `compute_gradient` gives."""
    found = compute_gradient(
        x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict
    )
    pairs: Sequence[tuple[Array, Array]] = found if isinstance(found, list) else [found]
    errors = [np.abs(s - n).max() for s, n in pairs if s.size]
    return float(max(errors, default=0.0))


def _parts(array: Array) -> Array:
    """The numbers of an array in a row; complex ones as real and imaginary parts in turn."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype.kind == "c":
        return flat.view(flat.real.dtype)
    return flat


def _symbolic(
    session: Any, x: Tensor, value: Array, y: Tensor, y_shape: Any, feeds: dict[Any, Any]
) -> Array:
    dtype = y.dtype.base_dtype.as_numpy_dtype
    weights = api.placeholder(y.dtype.base_dtype, [int(s) for s in y_shape])
    # A shape [1] may be stated for a scalar.
    same = y.shape.ndims == len(y_shape)
    gradient = gradients(y, x, weights if same else api.reshape(weights, api.shape(y)))[0]
    columns = _parts(np.zeros([int(s) for s in y_shape], dtype)).size
    jacobian = np.zeros((_parts(value).size, columns), _parts(value).dtype)
    if gradient is None:
        return jacobian
    dense = gradient if isinstance(gradient, Tensor) else _dense(gradient, value)
    if not columns:
        empty = np.zeros([int(s) for s in y_shape], dtype)
        found = np.shape(session.run(dense, {**feeds, weights: empty}))
        if found != value.shape:
            raise ValueError(f"Empty gradient has wrong shape: expected {value.shape}, got {found}")
    for column in range(columns):
        weight = np.zeros([int(s) for s in y_shape], dtype)
        _parts(weight)[column] = 1
        result = np.asarray(session.run(dense, {**feeds, weights: weight}))
        jacobian[:, column] = _parts(result.astype(value.dtype))
    return jacobian


def _dense(gradient: IndexedSlices, value: Array) -> Any:
    return api.unsorted_segment_sum(gradient.values, gradient.indices, value.shape[0])


def _numeric(
    session: Any,
    x: Tensor,
    value: Array,
    y: Tensor,
    y_shape: Any,
    delta: float,
    feeds: dict[Any, Any],
) -> Array:
    rows = _parts(value).size
    jacobian: list[Array] = []
    for row in range(rows):
        sides = []
        for sign in (1, -1):
            moved = np.array(value, order="C")
            if moved.ndim == 0:
                moved = moved.reshape(1)
            _parts(moved)[row] += sign * delta
            result = session.run(y, {**feeds, x: moved.reshape(value.shape)})
            sides.append(_parts(np.asarray(result)).astype(np.float64))
        jacobian.append((sides[0] - sides[1]) / (2 * delta))
    columns = _parts(np.zeros([int(s) for s in y_shape], y.dtype.base_dtype.as_numpy_dtype)).size
    return np.array(jacobian).reshape(rows, columns).astype(_parts(value).dtype)
