"""Kernels that only move elements."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.codegen.specs import LoopSpec, Operand, Spec, Step, Store
from workbench.core.codegen.translation.builder import Flag
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.collapsing import collapse
from workbench.core.fusion.groups import Group, Shape
from workbench.core.fusion.kernels import Kernel, Source
from workbench.core.fusion.places import Place, Use


def moving(group: Group, shape: Shape, operands: Sequence[Source], dtype: str) -> Kernel:
    """A kernel that stores operand 0 to operand 1."""
    steps = (Step("load", (), dtype, 0),)
    described = tuple(
        Operand(s.dtype, s.strides if isinstance(s, Use) else (0,) * len(shape))
        for s in operands
        if not isinstance(s, Flag)
    )
    spec: Spec = LoopSpec(shape, described, steps, (Store(0, 1),))
    return Kernel(spec, tuple(operands), frozenset({1}), group)


def copying(group: Group, source: Place, destination: Place) -> Kernel:
    """A kernel that copies an array to another place."""
    if source.shape != destination.shape:
        raise Unsupported(f"{source.shape} is copied to {destination.shape}")
    shape, strides = collapse(source.shape, [source.strides, destination.strides])
    uses: list[Source] = [
        Use(p.storage, p.offset, s, p.dtype)
        for p, s in zip((source, destination), strides, strict=True)
    ]
    return moving(group, shape, uses, source.dtype)
