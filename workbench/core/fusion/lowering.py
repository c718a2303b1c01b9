"""The generator for each kind of description."""

from __future__ import annotations

from functools import lru_cache

from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.pooling import lower_pooling
from workbench.core.codegen.products import lower_product
from workbench.core.codegen.specs import (
    ConvolutionSpec,
    LoopSpec,
    Lowered,
    PoolingSpec,
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
        from workbench.core.codegen.convolutions import lower_convolution

        return lower_convolution(spec, target)
    assert isinstance(spec, PoolingSpec)
    return lower_pooling(spec, target)
