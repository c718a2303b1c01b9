"""Softmax over the last axis, and the cross-entropies of it with their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.core.kernels.precision import delivered
from workbench.core.kernels.support import invalid, widen
from workbench.core.kernels.windows import Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Up to this many classes, and from this many rows on, there are faster ways than along the rows.
_FEW_CLASSES = 32
_MANY_ROWS = 512


def softmax(logits: Array, *, out: Array | None = None) -> Array:
    """``exp(logits)`` over its sum along the last axis, without overflow.

    >>> softmax(np.array([[0.0, 0.0], [1000.0, 0.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])

    Raises:
      InvalidArgumentError: ``logits`` is a scalar.
    """
    wide = widen(logits)
    with np.errstate(all="ignore"):
        result = _shifted(wide, out if wide is logits else None)
        np.exp(result, out=result)
        result /= _row_sums(result)
    return delivered(result, logits.dtype, out)


def log_softmax(logits: Array, *, out: Array | None = None) -> Array:
    """The logarithm of ``softmax``, accurate where that is tiny.

    >>> log_softmax(np.array([[1000.0, 0.0]]))
    array([[    0., -1000.]])
    """
    wide = widen(logits)
    with np.errstate(all="ignore"):
        result = _shifted(wide, out if wide is logits else None)
        result -= np.log(_row_sums(np.exp(result)))
    return delivered(result, logits.dtype, out)


def softmax_cross_entropy_with_logits(features: Array, labels: Array) -> tuple[Array, Array]:
    """The cross-entropy of each row of labels with the softmax of its logits, and its gradient.

    ``labels`` are probabilities; a single row of either serves all rows of the other.

    >>> loss, backprop = softmax_cross_entropy_with_logits(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    >>> loss.round(3), backprop
    (array([0.693]), array([[-0.5,  0.5]]))

    Raises:
      InvalidArgumentError: the two are not matrices whose shapes agree.
    """
    if features.ndim != 2 or labels.ndim != 2 or not _agree(features.shape, labels.shape):
        raise invalid(
            "logits and labels must be matrices of one shape [batch, classes], "
            f"got {features.shape} and {labels.shape}"
        )
    if features.shape != labels.shape:
        features, labels = np.broadcast_arrays(features, labels)
    wide, wide_labels = widen(features), widen(labels)
    with np.errstate(all="ignore"):
        shifted = _shifted(wide, None)
        backprop = np.exp(shifted)
        sums = _row_sums(backprop)
        backprop /= sums
        backprop -= wide_labels
        np.subtract(np.log(sums), shifted, out=shifted)
        shifted *= wide_labels
        loss = _row_sums(shifted)[:, 0]
    return delivered(loss, features.dtype), delivered(backprop, features.dtype)


def sparse_softmax_cross_entropy_with_logits(
    features: Array, labels: NDArray[Any]
) -> tuple[Array, Array]:
    """``softmax_cross_entropy_with_logits`` for rows that have one class each, given by number.

    Raises:
      InvalidArgumentError: a label is not the number of a class, or the shapes do not agree.
    """
    if labels.ndim != 1:
        raise invalid(f"labels must be 1-D, but got the shape {labels.shape}")
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise invalid(
            "logits must have the shape [batch, classes] and labels the shape [batch], "
            f"got {features.shape} and {labels.shape}"
        )
    rows, classes = features.shape
    if rows and not classes:
        raise invalid(f"there must be at least one class, got logits of shape {features.shape}")
    if rows and (labels.min() < 0 or labels.max() >= classes):
        row = int(np.argmax((labels < 0) | (labels >= classes)))
        raise invalid(
            f"Received a label value of {labels[row]} in row {row}, which is outside the valid "
            f"range of [0, {classes}): the logits have {classes} classes"
        )
    places = np.arange(rows), labels
    with np.errstate(all="ignore"):
        backprop = _shifted(widen(features), None)
        chosen = backprop[places]
        np.exp(backprop, out=backprop)
        sums = _row_sums(backprop)
        loss = np.log(sums[:, 0])
        loss -= chosen
        backprop /= sums
    backprop[places] -= 1
    return delivered(loss, features.dtype), delivered(backprop, features.dtype)


def _agree(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether shapes are the same, or would be if axes of length 1 were repeated."""
    return all(a == b or 1 in (a, b) for a, b in zip(first, second, strict=True))


def _shifted(logits: Array, out: Array | None) -> Array:
    """Logits less the maximum of their row, which leaves their softmax as it is."""
    if not logits.ndim:
        raise invalid("logits must have a last axis for the classes, got a scalar")
    if not logits.size:
        return np.empty(logits.shape, logits.dtype) if out is None else out
    shifted: Array = np.subtract(logits, _row_maxima(logits), out=out)
    return shifted


def _row_maxima(array: Array) -> Array:
    """The maxima along the last axis, as an axis of length 1."""
    classes = array.shape[-1]
    if classes > _FEW_CLASSES or array.size < _MANY_ROWS * classes:
        maxima: Array = np.maximum.reduce(array, axis=-1, keepdims=True)
        return maxima
    # Along a short axis NumPy spends its time on starting; along the rows it has vector code.
    columns = np.ascontiguousarray(array.reshape(-1, classes).T)
    maxima = np.maximum.reduce(columns)
    return maxima.reshape(*array.shape[:-1], 1)


def _row_sums(array: Array) -> Array:
    """The sums along the last axis, as an axis of length 1."""
    classes = array.shape[-1]
    if classes > _FEW_CLASSES or array.size < _MANY_ROWS * classes or not array.size:
        sums: Array = np.add.reduce(array, axis=-1, keepdims=True)
        return sums
    sums = array.reshape(-1, classes) @ np.ones(classes, array.dtype)
    return sums.reshape(*array.shape[:-1], 1)
