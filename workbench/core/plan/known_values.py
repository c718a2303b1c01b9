"""What is known of a plan's values before it runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.kernels.scalars import as_array
from workbench.core.ops.kernel_binding import bind_kernel
from workbench.core.plan.node import Node, Value

#: Larger arrays are not looked into.
_MOST_ELEMENTS = 1 << 12
_MOST_STEPS = 1 << 10

_Array = np.ndarray[Any, Any]


class KnownValues:
    """Evaluates values that follow from constants and static shapes, each once.

    Sizes and counters, that is: it serves decisions about the plan, and leaves the plan alone.
    """

    def __init__(self) -> None:
        self._found: dict[Node, tuple[_Array, ...] | None] = {}

    def of(self, value: Value) -> _Array | None:
        """The array of a value, or None where it is not known (or is not small)."""
        stack = [value.node]
        steps = 0
        while stack:
            node = stack[-1]
            if node in self._found:
                stack.pop()
                continue
            steps += 1
            waiting = [v.node for v in node.inputs if v.node not in self._found]
            if waiting and steps < _MOST_STEPS and _may_be_known(node):
                stack.extend(waiting)
                continue
            self._found[node] = None if waiting else self._evaluated(node)
            stack.pop()
        arrays = self._found[value.node]
        return None if arrays is None else arrays[value.index]

    def _evaluated(self, node: Node) -> tuple[_Array, ...] | None:
        if node.is_constant:
            return (node.constant,) if node.constant.size <= _MOST_ELEMENTS else None
        if not _may_be_known(node):
            return None
        of_shape = shape_results(node)
        if of_shape is not None:
            return tuple(of_shape)
        inputs = []
        for value in node.inputs:
            arrays = self._found[value.node]
            if arrays is None:
                return None
            inputs.append(arrays[value.index])
        kernel = bind_kernel(node.type, node.attrs, len(inputs))
        if kernel is None or not inputs:
            return None
        try:
            with np.errstate(all="ignore"):
                results = kernel(*inputs)
        except Exception:
            # The run tells of it.
            return None
        outputs = list(results) if len(node.dtypes) > 1 else [results]
        arrays_out = tuple(as_array(r) for r in outputs)
        return arrays_out if all(a.size <= _MOST_ELEMENTS for a in arrays_out) else None


def _may_be_known(node: Node) -> bool:
    """True for small results of what computes and does nothing else."""
    if (
        not node.is_pure
        or node.after
        or any(d.name in ("variant", "resource") for d in node.dtypes)
    ):
        return False
    for entries in node.shapes:
        size = 1
        for entry in entries or ():
            size *= entry if isinstance(entry, int) else 1
        if size > _MOST_ELEMENTS:
            return False
    return True


def shape_results(node: Node) -> list[_Array] | None:
    """The outputs of Shape, ShapeN, Size and Rank where the input's static shape says them."""
    if node.type not in ("Shape", "ShapeN", "Size", "Rank"):
        return None
    if any(v.node.after for v in node.inputs):
        return None
    results = []
    for value, dtype in zip(node.inputs, node.dtypes, strict=True):
        entries = value.entries
        if entries is None:
            return None
        if node.type == "Rank":
            results.append(np.array(len(entries), dtype.as_numpy_dtype))
            continue
        if not all(isinstance(e, int) for e in entries):
            return None
        sizes = np.array(entries, dtype.as_numpy_dtype)
        results.append(np.asarray(sizes.prod(dtype=sizes.dtype)) if node.type == "Size" else sizes)
    return results
