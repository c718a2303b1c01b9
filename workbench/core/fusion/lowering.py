"""The generator for each kind of description."""

from __future__ import annotations

from functools import lru_cache

from workbench.core.codegen.convolutions import lower_convolution
from workbench.core.codegen.copies import lower_copy
from workbench.core.codegen.gathers import lower_gather, lower_scatter_add
from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.pooling import lower_pooling
from workbench.core.codegen.products import lower_product
from workbench.core.codegen.specs import (
    ConvolutionSpec,
    GatherSpec,
    LoopSpec,
    Lowered,
    ProductSpec,
    Spec,
    Store,
)
from workbench.core.codegen.target import Target


@lru_cache(maxsize=2048)
def lower(spec: Spec, target: Target) -> Lowered:
    """The calls of a kernel; raises Unsupported where its generator has none.

    Equal descriptions, such as those of the steps of an unrolled network, are lowered once.
    """
    if isinstance(spec, LoopSpec):
        if _is_copy(spec):
            source, destination = spec.operands
            strides = source.strides, destination.strides
            return lower_copy(spec.shape, source.dtype, *strides, target)
        return lower_loop(spec, target)
    if isinstance(spec, ProductSpec):
        return lower_product(spec, target)
    if isinstance(spec, ConvolutionSpec):
        return lower_convolution(spec, target)
    if isinstance(spec, GatherSpec):
        lower_rows = lower_gather if spec.kind == "gather" else lower_scatter_add
        return lower_rows(spec.count, spec.rows, spec.columns, spec.dtype, spec.index_dtype, target)
    return lower_pooling(spec, target)


def _is_copy(spec: LoopSpec) -> bool:
    """True for a loop that only moves the elements of an array."""
    if len(spec.operands) != 2 or spec.stores != (Store(0, 1),) or spec.partials:
        return False
    source, destination = spec.operands
    moves = len(spec.steps) == 1 and spec.steps[0].function == "load" and spec.steps[0].value == 0
    return moves and source.dtype == destination.dtype and 0 not in source.strides
