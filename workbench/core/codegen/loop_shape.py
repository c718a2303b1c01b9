"""A loop in the form that code is made for: few dimensions, and the best one for vectors last."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from workbench.core.codegen.expressions import is_row_reduction
from workbench.core.codegen.specs import LoopSpec, Operand, Step
from workbench.core.codegen.target import ITEM_BYTES, Target


def simplified(spec: LoopSpec) -> LoopSpec:
    """The same loop in fewer dimensions.

    Dimensions of one element go, neighbours that all operands step through as one become one, and
    a dimension that operands are contiguous in comes last. The first stays the first, and with
    reductions the last stays the last: they have a meaning.
    """
    if not spec.shape:
        operands = tuple(dataclasses.replace(o, strides=(0,)) for o in spec.operands)
        return dataclasses.replace(spec, shape=(1,), operands=operands)
    if spec.order == "columns":
        return spec
    spec = _without_single_columns(spec)
    fixed_last = has_lines(spec)
    keep_first = bool(spec.partials)
    dimensions = [
        d
        for d, size in enumerate(spec.shape)
        if size != 1 or d == 0 or (fixed_last and d == len(spec.shape) - 1)
    ]
    spec = _permuted(spec, dimensions)
    spec = _merged(spec, keep_first=keep_first, keep_last=fixed_last)
    if not fixed_last and not spec.partials:
        spec = _permuted(spec, _best_order(spec))
    return spec


def has_lines(spec: LoopSpec) -> bool:
    """True if the last dimension has a meaning of its own: something is reduced over it, or along
    it, or its places are counted.
    """
    return any(is_row_reduction(step) or step.function == "column" for step in spec.steps) or any(
        partial.over == "rows" for partial in spec.partials
    )


def _without_single_columns(spec: LoopSpec) -> LoopSpec:
    """Reductions over one element are that element."""
    if len(spec.shape) == 1 or spec.shape[-1] != 1 or not has_lines(spec):
        return spec

    def single(step: Step) -> Step:
        if is_row_reduction(step):
            return dataclasses.replace(step, function="cast")
        if step.function == "column":
            return Step("constant", (), step.dtype, 0)
        return step

    partials = tuple(dataclasses.replace(partial, over="all") for partial in spec.partials)
    return dataclasses.replace(spec, steps=tuple(map(single, spec.steps)), partials=partials)


def _permuted(spec: LoopSpec, dimensions: Sequence[int]) -> LoopSpec:
    return dataclasses.replace(
        spec,
        shape=tuple(spec.shape[d] for d in dimensions),
        operands=tuple(
            dataclasses.replace(o, strides=tuple(o.strides[d] for d in dimensions))
            for o in spec.operands
        ),
    )


def _merged(spec: LoopSpec, keep_first: bool, keep_last: bool) -> LoopSpec:
    shape = list(spec.shape)
    strides = [list(operand.strides) for operand in spec.operands]
    last = len(shape) - (2 if keep_last else 1)
    for inner in range(last, 1 if keep_first else 0, -1):
        outer = inner - 1
        if all(s[outer] == s[inner] * shape[inner] for s in strides):
            shape[outer] *= shape[inner]
            del shape[inner]
            for s in strides:
                del s[outer]
    operands = tuple(
        Operand(operand.dtype, tuple(s)) for operand, s in zip(spec.operands, strides, strict=True)
    )
    return dataclasses.replace(spec, shape=tuple(shape), operands=operands)


def _best_order(spec: LoopSpec) -> list[int]:
    """The first dimension, then the others, the best one for vectors at the end."""
    others = list(range(1, len(spec.shape)))

    def merit(dimension: int) -> tuple[float, int]:
        """Vectors that are loaded as such, weighted by how full they are."""
        good = 0.0
        for operand in spec.operands:
            good += {1: 1.0, 0: 0.5}.get(operand.strides[dimension], -4.0)
        return good + min(1.0, spec.shape[dimension] / 16), dimension

    if others:
        best = max(others, key=merit)
        others.remove(best)
        others.append(best)
    return [0, *others]


def vectors_along_rows(spec: LoopSpec) -> bool:
    """True if the lanes of a vector are places of the first dimension.

    So they are where it is the only one, or the only one that operands are contiguous in.
    """
    if len(spec.shape) == 1:
        return True
    if has_lines(spec) or spec.partials:
        return False
    bad = [
        sum(operand.strides[dimension] not in (0, 1) for operand in spec.operands)
        for dimension in (0, -1)
    ]
    return bad[0] < bad[1] or (bad[0] == bad[1] and spec.shape[-1] < 4)


def choose_lanes(spec: LoopSpec, target: Target) -> int:
    """The lanes of all vectors of a kernel: a register's for its widest floats, or else integers.

    A single element needs no vector.
    """
    if spec.shape == (1,) and not spec.partials:
        return 1
    dtypes = [step.dtype for step in spec.steps if step.function != "column"]
    dtypes += [operand.dtype for operand in spec.operands]
    floats = [dtype for dtype in dtypes if "float" in dtype]
    widest = max(map(register_bytes, floats or dtypes), default=4)
    return target.vector_bytes // widest


def register_bytes(dtype: str) -> int:
    """Bytes of an element in a register."""
    return 4 if dtype in ("float16", "bfloat16") else ITEM_BYTES[dtype]


def masks_are_native(dtypes: Iterable[str], target: Target) -> bool:
    """True if vectors of these dtypes are loaded and stored in part without a branch for each."""
    if not target.has_masks:
        return False
    return target.vector_bytes == 64 or all(ITEM_BYTES[dtype] >= 4 for dtype in dtypes)
