"""Images turned around."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


def as_image(image: Any) -> Tensor:
    """The tensor for an image or a batch of images; ValueError where it is none.

    One of unknown rank is taken for an image.
    """
    tensor = convert_to_tensor(image, name="image")
    if tensor.shape.ndims is None:
        tensor = api.identity(tensor)
        tensor.set_shape([None] * 3)
    sizes = tensor.shape.as_list()
    if len(sizes) not in (3, 4):
        raise ValueError(
            "'image' must be three-dimensional, or four-dimensional for a batch, got the shape "
            f"{tensor.shape}"
        )
    if 0 in sizes[-3:]:
        raise ValueError(f"all dims of 'image.shape' must be > 0, got the shape {tensor.shape}")
    return tensor


def _flipped(image: Any, axis: int, scope: str | None = None) -> Any:
    """The image read backwards along the rows (-3) or the columns (-2)."""
    result = api.reverse(image, [image.shape.ndims + axis], name=scope)
    result.set_shape(image.shape)
    return result


def flip_left_right(image: Any) -> Tensor:
    """An image [height, width, channels], or a batch of them, mirrored left to right.

    >>> import workbench as tf
    >>> tf.image.flip_left_right([[[1], [2]]]).eval().tolist()
    [[[2], [1]]]
    """
    with name_scope(None, "flip_left_right", [image]):
        result: Tensor = _flipped(as_image(image), -2)
        return result


def flip_up_down(image: Any) -> Tensor:
    """An image [height, width, channels], or a batch of them, mirrored upside down."""
    with name_scope(None, "flip_up_down", [image]):
        result: Tensor = _flipped(as_image(image), -3)
        return result


def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """An image mirrored left to right with a chance of 1 in 2; of a batch each by itself."""
    return _randomly_flipped(image, -2, seed, "random_flip_left_right")


def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """An image mirrored upside down with a chance of 1 in 2; of a batch each by itself."""
    return _randomly_flipped(image, -3, seed, "random_flip_up_down")


def _randomly_flipped(image: Any, axis: int, seed: int | None, name: str) -> Tensor:
    with name_scope(None, name, [image]):
        image = as_image(image)
        count: Any = []
        if image.shape.ndims == 4:
            known = image.shape.as_list()[0]
            count = [known] if known is not None else api.shape(image)[:1]
        turned = api.random_uniform(count, 0, 1.0, seed=seed) < 0.5
        result: Tensor = api.where(turned, _flipped(image, axis), image)
        result.set_shape(image.shape)
        return result


def transpose_image(image: Any) -> Tensor:
    """An image [height, width, channels], or a batch of them, with rows and columns exchanged."""
    with name_scope(None, "transpose_image", [image]):
        image = as_image(image)
        result: Tensor = _transposed(image)
        return result


def _transposed(image: Tensor, name: str | None = None) -> Any:
    order = [1, 0, 2] if image.shape.ndims == 3 else [0, 2, 1, 3]
    return api.transpose(image, order, name=name)


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """An image [height, width, channels], or a batch, turned `k` times by 90 degrees to the left.

    >>> import workbench as tf
    >>> tf.image.rot90([[[1], [2]]]).eval().tolist()
    [[[2]], [[1]]]
    """
    with name_scope(name, "rot90", [image, k]) as scope:
        image = as_image(image)
        k = convert_to_tensor(k, "int32", name="k")
        k.shape.assert_has_rank(0)
        known = constant_value(k)
        if known is None:
            return _turned(image, api.mod(k, 4), scope)
        turns = int(known) % 4
        first = image.shape.ndims - 3
        # One turn mirrors the columns and exchanges the axes, three mirror the rows and do so.
        axes = {0: [], 1: [first + 1], 2: [first, first + 1], 3: [first]}[turns]
        mirrored = api.reverse(image, axes) if axes else image
        if turns % 2:
            odd: Tensor = _transposed(mirrored, scope)
            return odd
        even: Tensor = api.identity(mirrored, name=scope)
        return even


def _turned(image: Tensor, k: Any, scope: str) -> Tensor:
    """`rot90` by a number that is known in the run: which axes to mirror and exchange is too."""
    first = (image.shape.ndims or 3) - 3
    rows, columns = api.greater_equal(k, 2), api.logical_or(api.equal(k, 1), api.equal(k, 2))
    axes = api.boolean_mask([first, first + 1], api.stack([rows, columns]))
    straight = list(range(first + 3))
    crossed = [*straight[:first], first + 1, first, first + 2]
    order = api.where(api.equal(api.mod(k, 2), 1), crossed, straight)
    result: Tensor = api.transpose(api.reverse(image, axes), order, name=scope)
    sizes = image.shape.as_list()
    same = sizes[first] is not None and sizes[first] == sizes[first + 1]
    sides = sizes[first : first + 2] if same else [None, None]
    result.set_shape([*sizes[:first], *sides, sizes[-1]])
    return result
