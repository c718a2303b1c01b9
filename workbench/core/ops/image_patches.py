"""Patches of images laid out along the depth."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_entries
from workbench.core.graph.shapes import Entry
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import blocks as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

_ATTRS = (
    "ksizes: list(int) >= 4, strides: list(int) >= 4, rates: list(int) >= 4, "
    "T: {real}, padding: {'SAME', 'VALID'}"
)
_ATTR_NAMES = ("ksizes", "strides", "rates", "padding")


def _patch_count(size: Entry, taps: int, stride: int, rate: int, padding: str) -> Entry:
    if not isinstance(size, int):
        return None
    if padding == "SAME":
        return -(-size // stride)
    span = (taps - 1) * rate + 1
    if size < span:
        raise ValueError(f"A patch that spans {span} pixels does not fit into {size}")
    return (size - span) // stride + 1


def _patches_shape(op: Any) -> list[Any]:
    entries = shape_rules.with_rank(op.inputs[0].entries, 4, "images")
    sizes, strides, rates = (op.attrs[k] for k in ("ksizes", "strides", "rates"))
    for name, values in (("ksizes", sizes), ("strides", strides), ("rates", rates)):
        if len(values) != 4 or values[0] != 1 or values[3] != 1:
            raise ValueError(f"{name} must be [1, rows, columns, 1], got {values}")
    rows, columns = (
        _patch_count(entries[i], sizes[i], strides[i], rates[i], op.attrs["padding"])
        for i in (1, 2)
    )
    depth = entries[3] * sizes[1] * sizes[2] if isinstance(entries[3], int) else None
    return [(entries[0], rows, columns, depth)]


def _attributes(op: Any) -> dict[str, Any]:
    return {name: op.attrs[name] for name in _ATTR_NAMES}


def _patches_gradient(op: Any, grad: Any) -> Any:
    images = op.inputs[0]
    result = call(
        "ExtractImagePatchesGrad", None, shape=api.shape(images), dy=grad, **_attributes(op)
    )
    result.set_shape(images.shape)
    return result


_WINDOW: dict[str, Any] = {"ksizes": [1, 2, 2, 1], "strides": [1, 1, 1, 1], "rates": [1, 1, 1, 1]}
_IMAGE = [[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]]
declare(
    "ExtractImagePatches",
    inputs="images: T",
    outputs="patches: T",
    attrs=_ATTRS,
    shape=_patches_shape,
    kernel=kernels.extract_image_patches,
    gradient=_patches_gradient,
    samples=[
        sample(
            _IMAGE,
            **_WINDOW,
            padding="VALID",
            want=[[[[1.0, 2.0, 4.0, 5.0], [2.0, 3.0, 5.0, 6.0]]]],
        ),
        sample(
            [[[[1.0], [2.0]]]],
            ksizes=[1, 1, 3, 1],
            strides=[1, 1, 1, 1],
            rates=[1, 1, 1, 1],
            padding="SAME",
            want=[[[[0.0, 1.0, 2.0], [1.0, 2.0, 0.0]]]],
        ),
    ],
)

# TensorFlow has no such operation: it builds the transpose of the patches as a sparse matrix.
declare(
    "ExtractImagePatchesGrad",
    inputs="shape: int32, dy: T",
    outputs="output: T",
    attrs=_ATTRS,
    shape=lambda op: [constant_entries(op.inputs[0])],
    kernel=kernels.extract_image_patches_grad,
    gradient=lambda op, grad: [
        None,
        call("ExtractImagePatches", None, images=grad, **_attributes(op)),
    ],
    samples=[
        sample(
            [1, 2, 3, 1],
            [[[[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]]],
            **_WINDOW,
            padding="VALID",
            want=[[[[1.0], [2.0], [1.0]], [[1.0], [2.0], [1.0]]]],
        )
    ],
)


def extract_image_patches(
    images: Any,
    ksizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: str | None = None,
    name: str | None = None,
) -> Tensor:
    """The pixels of each window of `images` [batch, height, width, depth], along the depth.

    `ksizes`, `strides` and `rates` are [1, rows, columns, 1]; `padding` is "SAME" or "VALID".

    >>> import workbench as tf
    >>> image = tf.reshape(tf.range(9), [1, 3, 3, 1])
    >>> window = dict(ksizes=[1, 2, 2, 1], strides=[1, 1, 1, 1], rates=[1, 1, 1, 1])
    >>> tf.extract_image_patches(image, padding="VALID", **window).eval()[0, 0, 0].tolist()
    [0, 1, 3, 4]
    """
    return call(
        "ExtractImagePatches",
        name,
        images=images,
        ksizes=ksizes,
        strides=strides,
        rates=rates,
        padding=padding,
    )
