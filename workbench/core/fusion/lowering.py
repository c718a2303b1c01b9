"""The generator for each kind of description."""

from __future__ import annotations

from functools import lru_cache

from workbench.core.codegen.convolutions import lower_convolution
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
)
from workbench.core.codegen.target import Target


@lru_cache(maxsize=2048)
def lower(spec: Spec, target: Target) -> Lowered:
    """The calls of a kernel; raises Unsupported where its generator has none.

    Equal descriptions, such as those of the steps of an unrolled network, are lowered once.
    """
    if isinstance(spec, LoopSpec):
        return lower_loop(spec, target)
    if isinstance(spec, ProductSpec):
        return lower_product(spec, target)
    if isinstance(spec, ConvolutionSpec):
        return lower_convolution(spec, target)
    if isinstance(spec, GatherSpec):
        lower_rows = lower_gather if spec.kind == "gather" else lower_scatter_add
        return lower_rows(spec.count, spec.rows, spec.columns, spec.dtype, spec.index_dtype, target)
    return lower_pooling(spec, target)
