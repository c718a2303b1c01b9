"""The operations that random graphs are made of, with bounds of what they may be off by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import workbench as tf

Shape = tuple[int, ...]
#: Draws a number from [0, n), or one of some things.
Draw = Any

_EPSILON = 1.2e-7


class Drawn(NamedTuple):
    """A float32 tensor of a random graph."""

    tensor: Any
    shape: Shape
    #: The tiers agree on every bit.
    exact: bool
    #: No number that is finite is larger.
    most: float
    #: The tiers differ by no more.
    error: float

    def derived(self, tensor: Any, shape: Shape | None = None) -> Drawn:
        """The same numbers in another arrangement, or some of them."""
        return self._replace(tensor=tensor, shape=self.shape if shape is None else shape)

    def computed(self, tensor: Any, most: float, error: float, shape: Shape | None = None) -> Drawn:
        """New numbers, rounded in a way of each tier's own."""
        error += 8 * _EPSILON * most
        return Drawn(tensor, self.shape if shape is None else shape, False, most, error)


def count(shape: Sequence[int]) -> int:
    return math.prod(shape)


# -- one operand ------------------------------------------------------------------------------

#: Bits are the same whatever tier: the function, and the largest result for operands up to m.
EXACT_UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
    "neg": (lambda x: -x, lambda m: m),
    "abs": (tf.abs, lambda m: m),
    "relu": (tf.nn.relu, lambda m: m),
    "square": (tf.square, lambda m: m * m),
    "half": (lambda x: x * 0.5, lambda m: m),
    "plus": (lambda x: x + 1.5, lambda m: m + 1.5),
    "relu6": (tf.nn.relu6, lambda m: 6.0),
    "from seven": (lambda x: 7.0 - x, lambda m: m + 7.0),
}
#: As exact, but a small difference of the operand may make a large one of the result.
STEEP_UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
    "sign": (tf.sign, lambda m: 1.0),
    "floor": (tf.floor, lambda m: m + 1),
    "round": (tf.round, lambda m: m + 1),
    "sqrt": (lambda x: tf.sqrt(tf.abs(x)), lambda m: m + 1),
    "integers": (
        lambda x: tf.cast(tf.cast(tf.clip_by_value(x, -9.0, 9.0), tf.int32), x.dtype),
        lambda m: 9,
    ),
    "positive": (lambda x: tf.cast(x > 0, tf.float32), lambda m: 1.0),
    "wide": (lambda x: tf.cast(tf.cast(x, tf.float64) * 3.0, tf.float32), lambda m: 3 * m),
    "not number": (lambda x: tf.where(tf.is_nan(x), tf.zeros_like(x), x), lambda m: m),
    "divided": (lambda x: x / 3.0, lambda m: m),
}
#: Functions of slope 1 at most, and the largest result.
SMOOTH_UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
    "tanh": (tf.tanh, lambda m: 1.0),
    "sigmoid": (tf.sigmoid, lambda m: 1.0),
    "sin": (tf.sin, lambda m: 1.0),
    "exp": (lambda x: tf.exp(-tf.abs(x)), lambda m: 1.0),
    "softplus": (tf.nn.softplus, lambda m: m + 1),
    "elu": (tf.nn.elu, lambda m: m + 1),
    "log1p": (lambda x: tf.log1p(tf.abs(x)), lambda m: m),
}


def unary(draw: Draw, x: Drawn) -> Drawn:
    """A function of every element."""
    tables = [EXACT_UNARY, SMOOTH_UNARY, *([STEEP_UNARY] if x.exact else [])]
    table = draw.one_of(tables)
    function, most = table[draw.one_of(sorted(table))]
    result = function(x.tensor)
    largest = most(x.most)
    if table is SMOOTH_UNARY:
        return x.computed(result, largest, x.error)
    slope = 2 * x.most if function is tf.square else 1
    return Drawn(result, x.shape, x.exact, largest, x.error * slope)


BINARY = {
    "add": tf.add,
    "sub": tf.subtract,
    "mul": tf.multiply,
    "max": tf.maximum,
    "min": tf.minimum,
}


def binary(draw: Draw, x: Drawn, y: Drawn) -> Drawn | None:
    """A function of the elements of two tensors."""
    try:
        shape = np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return None
    if count(shape) > 4000:
        return None
    exact = x.exact and y.exact
    choices = [*BINARY, *(["div", "select"] if exact else [])]
    name = draw.one_of(choices)
    a, b = x.tensor, y.tensor
    if name == "select":
        return Drawn(_select(a, b), shape, True, max(x.most, y.most), 0.0)
    if name == "div":
        # Where the divisor is small the quotient is of no size that is known.
        return Drawn(tf.clip_by_value(a / b, -50.0, 50.0), shape, True, 50.0, 0.0)
    if name == "mul":
        error = x.error * y.most + y.error * x.most + x.error * y.error
        most = x.most * y.most
    else:
        error = x.error + y.error
        most = x.most + y.most if name in ("add", "sub") else max(x.most, y.most)
    return Drawn(BINARY[name](a, b), shape, exact, most, error)


def _select(a: Any, b: Any) -> Any:
    return tf.where((a < b), a * tf.ones_like(b), b * tf.ones_like(a))


# -- reductions -------------------------------------------------------------------------------

REDUCTIONS = {
    "sum": tf.reduce_sum,
    "mean": tf.reduce_mean,
    "max": tf.reduce_max,
    "min": tf.reduce_min,
}


def reduction(draw: Draw, x: Drawn) -> Drawn | None:
    """Over any axes."""
    if not x.shape or not count(x.shape):
        return None
    axes = sorted({draw.number(len(x.shape)) for _ in range(1 + draw.number(len(x.shape)))})
    keep = bool(draw.number(2))
    name = draw.one_of(sorted(REDUCTIONS))
    shape = tuple(1 if i in axes else e for i, e in enumerate(x.shape) if keep or i not in axes)
    result = REDUCTIONS[name](x.tensor, axes, keepdims=keep)
    if name in ("max", "min"):
        # Of zeros of both signs either may be it.
        return x.derived(result, shape)._replace(exact=False)
    length = count([x.shape[a] for a in axes])
    if name == "mean":
        return x.computed(result, x.most, x.error, shape)
    return x.computed(result, length * x.most, length * x.error, shape)


def softmax(draw: Draw, x: Drawn) -> Drawn | None:
    """Along the last axis, which is all that a softmax knows."""
    if not x.shape or not count(x.shape) or x.most > 60:
        return None
    if draw.number(2):
        return x.computed(tf.nn.softmax(x.tensor), 1.0, x.error)
    most = 2 * x.most + math.log(x.shape[-1]) + 1
    return x.computed(tf.nn.log_softmax(x.tensor), most, 2 * x.error)


def loss(draw: Draw, x: Drawn) -> Drawn | None:
    """Cross-entropy of rows and labels."""
    if len(x.shape) != 2 or not count(x.shape) or x.most > 60:
        return None
    labels = tf.constant(draw.random.randint(0, x.shape[1], x.shape[0]), tf.int64)
    result = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x.tensor)
    most = 2 * x.most + math.log(x.shape[1]) + 1
    return x.computed(result, most, 2 * x.error, x.shape[:1])


# -- products and windows ---------------------------------------------------------------------


def weights(draw: Draw, shape: Shape) -> Drawn:
    """Numbers of a constant."""
    array = draw.random.standard_normal(shape).astype(np.float32)
    return Drawn(tf.constant(array), shape, True, float(np.abs(array).max(initial=0)), 0.0)


def _product(x: Drawn, y: Drawn, result: Any, shape: Shape, length: int) -> Drawn:
    error = length * (x.error * y.most + y.error * x.most + x.error * y.error)
    error += length * 4 * _EPSILON * x.most * y.most
    return Drawn(result, shape, False, length * x.most * y.most, error)


def matmul(draw: Draw, x: Drawn) -> Drawn | None:
    """A product with a constant matrix, or of matrices with their own transpose."""
    if len(x.shape) < 2 or not count(x.shape):
        return None
    *batch, rows, columns = x.shape
    ta, tb = bool(draw.number(2)), bool(draw.number(2))
    length, height = (rows, columns) if ta else (columns, rows)
    width = draw.one_of([1, 3, 8, 17, 32])
    if len(x.shape) == 2 and draw.number(2):
        y = weights(draw, (width, length) if tb else (length, width))
    else:
        y, width, ta, tb = x, rows, False, True
        length, height = columns, rows
    result = tf.matmul(x.tensor, y.tensor, transpose_a=ta, transpose_b=tb)
    return _product(x, y, result, (*batch, height, width), length)


def convolution(draw: Draw, x: Drawn) -> Drawn | None:
    """Of images of any size, with any stride."""
    images = as_images(x)
    if images is None:
        return None
    _, height, width, channels = images.shape
    side = draw.one_of([1, 2, 3])
    stride, padding = 1 + draw.number(2), draw.one_of(["SAME", "VALID"])
    if padding == "VALID" and min(height, width) < side:
        return None
    y = weights(draw, (side, side, channels, draw.one_of([1, 3, 16])))
    result = tf.nn.conv2d(images.tensor, y.tensor, [1, stride, stride, 1], padding)
    shape = _windows(images, side, stride, padding, y.shape[-1])
    return _product(images, y, result, shape, side * side * channels)


def pooling(draw: Draw, x: Drawn) -> Drawn | None:
    """The largest, or the mean, of windows."""
    images = as_images(x)
    if images is None:
        return None
    size, stride = 1 + draw.number(3), 1 + draw.number(2)
    padding = draw.one_of(["SAME", "VALID"])
    if padding == "VALID" and min(images.shape[1:3]) < size:
        return None
    shape = _windows(images, size, stride, padding, images.shape[-1])
    arguments = ([1, size, size, 1], [1, stride, stride, 1], padding)
    if draw.number(2):
        result = tf.nn.max_pool(images.tensor, *arguments)
        return images.derived(result, shape)._replace(exact=False)
    result = tf.nn.avg_pool(images.tensor, *arguments)
    return images.computed(result, images.most, images.error, shape)


def _windows(x: Drawn, size: int, stride: int, padding: str, channels: int) -> Shape:
    """The shape of what a window gives that goes over images."""
    lost = 0 if padding == "SAME" else size - 1
    sides = [-(-(e - lost) // stride) for e in x.shape[1:3]]
    return (x.shape[0], *sides, channels)


def as_images(x: Drawn) -> Drawn | None:
    """The tensor with four axes."""
    if not count(x.shape) or not x.shape:
        return None
    if len(x.shape) == 4 and x.tensor.shape[3].value is not None:
        return x
    if len(x.shape) > 4:
        return None
    shape = (1,) * (4 - len(x.shape)) + x.shape
    return x.derived(tf.reshape(x.tensor, shape), shape)


ONE_OPERAND = [
    unary,
    unary,
    unary,
    reduction,
    reduction,
    softmax,
    loss,
    matmul,
    convolution,
    pooling,
]
