"""Matrix products with what follows on their results, each as one kernel.

Most are done tile by tile (`product_tiles`); one column of rows that lie along k is done as dot
products (`product_dots`).
"""

from __future__ import annotations

import math

from workbench.core.codegen.product_dots import DotProduct, is_dot
from workbench.core.codegen.product_epilogue import check_steps
from workbench.core.codegen.product_shape import shape_product
from workbench.core.codegen.product_tiles import TiledProduct
from workbench.core.codegen.specs import Lowered, ProductSpec
from workbench.core.codegen.target import ITEM_BYTES, Target
from workbench.core.codegen.unsupported import Unsupported

_FLOATS = ("float32", "float64", "float16", "bfloat16")


def lower_product(spec: ProductSpec, target: Target) -> Lowered:
    """A product as one call. Raises Unsupported, saying why, for what it does not do.

    >>> from workbench.core.codegen.specs import Operand, Step, Store
    >>> from workbench.core.codegen.target import AVX512
    >>> rows = Operand("float32", (64, 1))
    >>> steps = (Step("accumulator", (), "float32"),)
    >>> spec = ProductSpec((), 32, 64, 64, "float32", (rows,) * 3, steps, (Store(0, 2),))
    >>> lower_product(spec, AVX512).calls[0].units
    1
    """
    if spec.dtype not in _FLOATS or any(o.dtype not in _FLOATS for o in spec.operands[:2]):
        raise Unsupported(f"a product of {spec.dtype} stays with NumPy")
    check_steps(spec)
    if 0 in (spec.m, spec.n, *spec.batch):
        return Lowered(())
    kernel: DotProduct | TiledProduct
    if is_dot(spec, target):
        kernel = DotProduct(spec, target)
    else:
        kernel = TiledProduct(shape_product(spec, target), target)
    return Lowered((kernel.call(),), 0, _operations(spec), _bytes_moved(spec), kernel.notes())


def _operations(spec: ProductSpec) -> float:
    further = sum(1 for step in spec.steps if step.arguments)
    return float(math.prod(spec.batch) * spec.m * spec.n * (2 * spec.k + further))


def _bytes_moved(spec: ProductSpec) -> float:
    """Each operand once, as far as it differs from place to place."""
    total = 0
    for number, operand in enumerate(spec.operands):
        sizes = ((spec.m, spec.k), (spec.k, spec.n))[number] if number < 2 else (spec.m, spec.n)
        places = zip((*spec.batch, *sizes), operand.strides, strict=True)
        total += ITEM_BYTES[operand.dtype] * math.prod(size for size, stride in places if stride)
    return float(total)
