"""Images in other sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.constants import constant_entries
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels import resizing as kernels
from workbench.core.ops import api, shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample

_TYPES = "{int8, uint8, int16, uint16, int32, int64, half, float, double, bfloat16}"
_ALIGN = "align_corners: bool = false"


def resized_entries(entries: Entries, size: Any) -> list[Entries]:
    """The shape of images [batch, height, width, channels] of another `size`."""
    batch, _, _, channels = shape_rules.with_rank(entries, 4, "the images")
    (length,) = shape_rules.with_rank(size.entries, 1, "the size")
    shape_rules.equal_sizes(length, 2, "the size must be [height, width]")
    height, width = constant_entries(size) or (None, None)
    return [(batch, height, width, channels)]


def _resized(op: Any) -> list[Entries]:
    return resized_entries(op.inputs[0].entries, op.inputs[1])


def image_size(images: Tensor) -> Any:
    """[height, width]: a list where both are known."""
    if images.shape.ndims is not None and images.shape[1:3].is_fully_defined():
        return images.shape[1:3].as_list()
    return api.shape(images)[1:3]


def _corners(op: Any) -> dict[str, Any]:
    return {"align_corners": op.attrs["align_corners"]}


def _interpolated_gradient(grad_type: str, types: tuple[str, ...]) -> Callable[..., Any]:
    """Images of integers have no gradient."""

    def gradient(op: Any, dy: Tensor) -> tuple[Any, None]:
        images = op.inputs[0]
        if images.dtype.base_dtype.name not in types:
            return None, None
        return call(grad_type, None, grads=dy, original_image=images, **_corners(op)), None

    return gradient


def _interpolated_second(type_name: str) -> Callable[..., Any]:
    """Resizing is linear: the gradient of its gradient resizes again."""

    def gradient(op: Any, dx: Tensor) -> tuple[Tensor, Any]:
        size = image_size(op.inputs[0])
        again = call(type_name, None, images=dx, size=size, **_corners(op))
        return again, api.zeros_like(op.inputs[1])

    return gradient


def _nearest_gradient(op: Any, dy: Tensor) -> tuple[Tensor, None]:
    size = image_size(op.inputs[0])
    return call("ResizeNearestNeighborGrad", None, grads=dy, size=size, **_corners(op)), None


def _nearest_second(op: Any, dx: Tensor) -> tuple[Tensor, None]:
    size = image_size(op.inputs[0])
    return call("ResizeNearestNeighbor", None, images=dx, size=size, **_corners(op)), None


_ROW = [[[[0.0], [2.0], [4.0]]]]
_SQUARE = [[[[1.0], [2.0]], [[3.0], [4.0]]]]

declare(
    "ResizeBilinear",
    inputs="images: T, size: int32",
    outputs="resized_images: float",
    attrs=f"T: {_TYPES}, {_ALIGN}",
    shape=_resized,
    kernel=kernels.resize_bilinear,
    gradient=_interpolated_gradient("ResizeBilinearGrad", ("float16", "float32", "float64")),
    samples=[
        # The result is float32 whatever the input: differences of it are coarse.
        sample(_ROW, [1, 6], want=[[[[0.0], [1.0], [2.0], [3.0], [4.0], [4.0]]]], tolerance=1e-3),
        sample(
            _ROW,
            [1, 5],
            align_corners=True,
            want=[[[[0.0], [1.0], [2.0], [3.0], [4.0]]]],
            tolerance=1e-3,
        ),
        sample([[[[1], [3]]]], [1, 4], want=[[[[1.0], [2.0], [3.0], [3.0]]]]),
    ],
)
declare(
    "ResizeBilinearGrad",
    inputs="grads: float, original_image: T",
    outputs="output: T",
    attrs=f"T: {{float, half, double}}, {_ALIGN}",
    shape=shape_rules.same(1),
    kernel=kernels.resize_bilinear_grad,
    gradient=_interpolated_second("ResizeBilinear"),
    samples=[
        sample([[[[1.0], [1.0], [1.0], [1.0], [1.0], [1.0]]]], _ROW, want=[[[[1.5], [2.0], [2.5]]]])
    ],
)
declare(
    "ResizeBicubic",
    inputs="images: T, size: int32",
    outputs="resized_images: float",
    attrs=f"T: {_TYPES}, {_ALIGN}",
    shape=_resized,
    kernel=kernels.resize_bicubic,
    gradient=_interpolated_gradient("ResizeBicubicGrad", ("float32", "float64")),
    samples=[
        sample(_ROW, [1, 3], want=_ROW, tolerance=1e-3),
        # Half-way the pixels beside weigh 19/32, those beyond -3/32 (the border is repeated).
        sample(
            [[[[1.0], [2.0], [3.0], [4.0]]]],
            [1, 8],
            want=[[[[1.0], [1.40625], [2.0], [2.5], [3.0], [3.59375], [4.0], [4.09375]]]],
            tolerance=1e-3,
        ),
    ],
)
declare(
    "ResizeBicubicGrad",
    inputs="grads: float, original_image: T",
    outputs="output: T",
    attrs=f"T: {{float, double}}, {_ALIGN}",
    shape=shape_rules.same(1),
    kernel=kernels.resize_bicubic_grad,
    gradient=_interpolated_second("ResizeBicubic"),
    samples=[sample(_ROW, _ROW, want=_ROW)],
)
declare(
    "ResizeArea",
    inputs="images: T, size: int32",
    outputs="resized_images: float",
    attrs=f"T: {_TYPES}, {_ALIGN}",
    shape=_resized,
    kernel=kernels.resize_area,
    gradient=None,
    samples=[
        sample(_SQUARE, [1, 1], want=[[[[2.5]]]]),
        sample([[[[0.0], [3.0], [6.0]]]], [1, 2], want=[[[[1.0], [5.0]]]]),
    ],
)
declare(
    "ResizeNearestNeighbor",
    inputs="images: T, size: int32",
    outputs="resized_images: T",
    attrs=f"T: {_TYPES}, {_ALIGN}",
    shape=_resized,
    kernel=kernels.resize_nearest_neighbor,
    gradient=_nearest_gradient,
    samples=[
        sample(_ROW, [1, 6], want=[[[[0.0], [0.0], [2.0], [2.0], [4.0], [4.0]]]]),
        sample(_ROW, [1, 2], align_corners=True, want=[[[[0.0], [4.0]]]]),
    ],
)
declare(
    "ResizeNearestNeighborGrad",
    inputs="grads: T, size: int32",
    outputs="output: T",
    attrs=f"T: {{uint8, int8, int32, half, float, double, bfloat16}}, {_ALIGN}",
    shape=_resized,
    kernel=kernels.resize_nearest_neighbor_grad,
    gradient=_nearest_second,
    samples=[
        sample(
            [[[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]]]],
            [1, 3],
            want=[[[[3.0], [7.0], [11.0]]]],
        )
    ],
)


def _resize(
    type_name: str, images: Any, size: Any, align_corners: bool | None, name: str | None
) -> Tensor:
    return call(type_name, name, images=images, size=size, align_corners=align_corners)


def resize_bilinear(
    images: Any, size: Any, align_corners: bool | None = None, name: str | None = None
) -> Tensor:
    """`images` [batch, height, width, channels] in `size` (int32 [2]), linear between pixels.

    With `align_corners` the outermost pixels keep their centres. The result is float32.

    >>> import workbench as tf
    >>> tf.image.resize_bilinear([[[[0.0], [2.0]]]], [1, 4]).eval().ravel().tolist()
    [0.0, 1.0, 2.0, 2.0]
    """
    return _resize("ResizeBilinear", images, size, align_corners, name)


def resize_bicubic(
    images: Any, size: Any, align_corners: bool | None = None, name: str | None = None
) -> Tensor:
    """`images` [batch, height, width, channels] in `size` (int32 [2]), cubic between pixels."""
    return _resize("ResizeBicubic", images, size, align_corners, name)


def resize_area(
    images: Any, size: Any, align_corners: bool | None = None, name: str | None = None
) -> Tensor:
    """`images` [batch, height, width, channels] in `size` (int32 [2]), the means of areas."""
    return _resize("ResizeArea", images, size, align_corners, name)


def resize_nearest_neighbor(
    images: Any, size: Any, align_corners: bool | None = None, name: str | None = None
) -> Tensor:
    """`images` [batch, height, width, channels] in `size` (int32 [2]), of the nearest pixels."""
    return _resize("ResizeNearestNeighbor", images, size, align_corners, name)


class ResizeMethod:
    """The ways `tf.image.resize_images` knows."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


_METHODS: dict[Any, Callable[..., Tensor]] = {
    ResizeMethod.BILINEAR: resize_bilinear,
    ResizeMethod.NEAREST_NEIGHBOR: resize_nearest_neighbor,
    ResizeMethod.BICUBIC: resize_bicubic,
    ResizeMethod.AREA: resize_area,
}


def resize_images(
    images: Any,
    size: Any,
    method: int = ResizeMethod.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
) -> Tensor:
    """An image [height, width, channels], or a batch of them, in `size` (height, width).

    `method` is one of `tf.image.ResizeMethod`. With `preserve_aspect_ratio` the result is the
    largest that fits into `size`. The result is float32, except from the nearest pixels; images
    that have the size already are returned as they are. Raises ValueError for other ranks.

    >>> import workbench as tf
    >>> tf.image.resize_images(tf.ones([4, 6, 3]), [2, 3]).shape.as_list()
    [2, 3, 3]
    """
    given = convert_to_tensor(images, name="images")
    if given.shape.ndims is None:
        raise ValueError("'images' contains no shape.")
    if given.shape.ndims not in (3, 4):
        raise ValueError("'images' must have either 3 or 4 dimensions.")
    if method not in _METHODS:
        raise ValueError(f"Resize method is not implemented: {method!r}")
    is_batch = given.shape.ndims == 4
    batch = given if is_batch else api.expand_dims(given, 0)
    try:
        size = convert_to_tensor(size, "int32", name="size")
    except (TypeError, ValueError):
        raise ValueError("'size' must be a 1-D int32 Tensor") from None
    if not size.shape.is_compatible_with([2]):
        raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
    if preserve_aspect_ratio:
        size = _fitting(batch, size)
    known = constant_entries(size)
    if known is not None and None not in known and list(known) == batch.shape[1:3].as_list():
        return given
    result: Any = _METHODS[method](batch, size, align_corners)
    if not is_batch:
        result = api.squeeze(result, [0])
    resized: Tensor = result
    return resized


def _fitting(batch: Tensor, size: Any) -> Any:
    """The largest size with the aspect ratio of `batch` that fits into `size`."""
    old = api.cast(image_size(batch), "float32")
    scale = api.reduce_min(api.cast(size, "float32") / old)
    return api.cast(api.round(scale * old), "int32")
