"""Poolings and their gradients: which kernels, and how their work is shared out."""

from __future__ import annotations

from dataclasses import replace

from workbench.core.codegen.convolution_epilogue import Epilogue
from workbench.core.codegen.convolution_layout import Place, is_together, with_copies
from workbench.core.codegen.convolution_tiling import meets_input
from workbench.core.codegen.pooling_forward import forward_code
from workbench.core.codegen.pooling_gradients import gradient_code
from workbench.core.codegen.pooling_windows import axes
from workbench.core.codegen.specs import Call, Lowered, Operand, PoolingSpec
from workbench.core.codegen.target import ITEM_BYTES, Target
from workbench.core.codegen.unsupported import Unsupported

#: Bytes of the images that a chunk of work is about.
_CHUNK_BYTES = 1 << 16


def lower_pooling(spec: PoolingSpec, target: Target) -> Lowered:
    """The calls of a pooling; the count of images is not part of their code.

    Raises:
      Unsupported: there is nothing to compute, a window has no input at all, or sums are not of
        floating point numbers.

    >>> from workbench.core.codegen.target import AVX512
    >>> images, result = Operand("float32", (128, 32, 8, 1)), Operand("float32", (32, 16, 8, 1))
    >>> spec = PoolingSpec(
    ...     "max",
    ...     5,
    ...     (4, 4),
    ...     8,
    ...     (2, 2),
    ...     (2, 2),
    ...     ((0, 0), (0, 0)),
    ...     (2, 2),
    ...     "float32",
    ...     (images, result),
    ... )
    >>> lower_pooling(spec, AVX512).calls[0].units
    10
    """
    _check(spec)
    places = _places(spec)
    apart = [
        number
        for number, (operand, place) in enumerate(zip(spec.operands, places, strict=True))
        if (place.read or place.written) and not is_together(operand, place.shape)
    ]

    def lower(operands: tuple[Operand, ...]) -> Lowered:
        return _lowered(replace(spec, operands=operands), target)

    return with_copies(spec.operands, places, apart, lower, target)


def _check(spec: PoolingSpec) -> None:
    if min(spec.batch, *spec.image, spec.channels, *spec.window, *spec.result) < 1:
        raise Unsupported("a pooling of nothing stays with NumPy")
    if not all(meets_input(axis) for axis in axes(spec)):
        raise Unsupported("a window of a pooling lies in the padding")
    is_mean = spec.kind in ("mean", "mean_gradient")
    if "float" not in spec.dtype and (is_mean or spec.kind == "max_gradient"):
        raise Unsupported(f"a pooling with sums of {spec.dtype} stays with NumPy")


def _lowered(spec: PoolingSpec, target: Target) -> Lowered:
    if spec.kind in ("max", "mean"):
        code, arguments = forward_code(spec, target)
        per_image = spec.result[0]
    else:
        code, arguments, per_image = gradient_code(spec, target)
    image_bytes = spec.image[0] * spec.image[1] * spec.channels * ITEM_BYTES[spec.dtype]
    chunk = max(1, _CHUNK_BYTES * per_image // max(1, image_bytes))
    taps = spec.window[0] * spec.window[1]
    outputs = spec.batch * spec.result[0] * spec.result[1] * spec.channels
    return Lowered(
        (Call(code, arguments, spec.batch * per_image, chunk),),
        flops=float(taps * outputs),
        bytes=float(
            (spec.batch * image_bytes + outputs * ITEM_BYTES[spec.dtype])
            * (2 if spec.kind == "max_gradient" else 1)
        ),
        notes={"window": spec.window, "units of an image": per_image},
    )


def _places(spec: PoolingSpec) -> list[Place]:
    images = (spec.batch, *spec.image, spec.channels)
    results = (spec.batch, *spec.result, spec.channels)
    shapes = {
        "max": (images, results),
        "mean": (images, results),
        "max_gradient": (images, results, results, images),
        "mean_gradient": (results, images),
    }[spec.kind]
    last = len(shapes) - 1
    epilogue = Epilogue(spec.steps, spec.stores, spec.operands, spec.dtype, last)
    return [
        Place(
            shapes[min(number, last)],
            number < last or number in epilogue.read,
            number in epilogue.stored,
        )
        for number in range(len(spec.operands))
    ]
