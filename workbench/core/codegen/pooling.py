"""Poolings and their gradients: which kernels, and how their work is shared out."""

from __future__ import annotations

from workbench.core.codegen.pooling_forward import forward_code
from workbench.core.codegen.pooling_gradients import gradient_code
from workbench.core.codegen.specs import Argument, Call, Lowered, PoolingSpec
from workbench.core.codegen.target import ITEM_BYTES, Target

#: Bytes of the images that a chunk of work is about.
_CHUNK_BYTES = 1 << 16


def lower_pooling(spec: PoolingSpec, target: Target) -> Lowered:
    """The calls of a pooling; the count of images is not part of their code.

    >>> from workbench.core.codegen.specs import Operand
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
    if spec.kind in ("max", "mean"):
        code, per_image = forward_code(spec, target), spec.result[0]
    else:
        code, per_image = gradient_code(spec, target)
    image_bytes = spec.image[0] * spec.image[1] * spec.channels * ITEM_BYTES[spec.dtype]
    arguments = tuple(Argument("operand", number) for number in range(len(spec.operands)))
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
