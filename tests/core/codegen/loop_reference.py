"""What a loop computes, by NumPy: the oracle of the generators' tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.codegen.loop_cost import partial_block
from workbench.core.codegen.loops import partial_count
from workbench.core.codegen.specs import LoopSpec, Operand, Step

Array = np.ndarray[Any, Any]

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "maximum": np.maximum,
    "minimum": np.minimum,
    "select": np.where,
    "round": np.rint,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}

_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "prod": np.prod,
    "all": np.all,
    "any": np.any,
}


def view(array: Array, shape: Sequence[int], operand: Operand) -> Array:
    """What a loop sees of an operand: one element along dimensions that share it."""
    places = [n if stride else 1 for n, stride in zip(shape, operand.strides, strict=True)]
    strides = [stride * array.dtype.itemsize for stride in operand.strides]
    return np.lib.stride_tricks.as_strided(array, places, strides)


def reduce(function: str, value: Array, dtype: str, axis: int) -> Array:
    """A reduction over an axis that stays, computed wide and rounded once."""
    kind = function.rpartition("_")[2]
    initial: dict[str, Any] = {}
    if value.shape[axis] == 0 and kind in ("max", "min"):
        info: Any = np.finfo if np.dtype(dtype).kind == "f" else np.iinfo
        low, high = info(dtype).min, info(dtype).max
        if np.dtype(dtype).kind == "f":
            low, high = -np.inf, np.inf
        initial = {"initial": low if kind == "max" else high}
    if kind in ("sum", "prod"):
        wide = np.float64 if np.dtype(dtype).kind == "f" else np.dtype(dtype)
        value = value.astype(wide)
        initial = {"dtype": wide}
    return np.asarray(_REDUCTIONS[kind](value, axis=axis, keepdims=True, **initial)).astype(dtype)


def evaluate(spec: LoopSpec, operands: Sequence[Array]) -> list[Array]:
    """The values of all steps; what is reduced has one element there."""
    values: list[Array] = []
    for step in spec.steps:
        values.append(_value(spec, step, values, operands))
    return values


def _value(spec: LoopSpec, step: Step, values: Sequence[Array], operands: Sequence[Array]) -> Array:
    arguments = [values[argument] for argument in step.arguments]
    with np.errstate(all="ignore"):
        if step.function == "load":
            number = int(step.value or 0)
            return view(operands[number], spec.shape, spec.operands[number]).copy()
        if step.function == "constant":
            return np.asarray(step.value).astype(step.dtype)
        if step.function == "column":
            return np.arange(spec.shape[-1], dtype=step.dtype)
        if step.function.startswith("row_"):
            whole = np.broadcast_to(arguments[0], spec.shape)
            return reduce(step.function, whole, step.dtype, len(spec.shape) - 1)
        if step.function.startswith("column_"):
            whole = np.broadcast_to(arguments[0], spec.shape)
            return reduce(step.function, whole, step.dtype, 0)
        if step.function == "cast":
            return arguments[0].astype(step.dtype)
        if step.function == "check":
            return arguments[0]
        function = _FUNCTIONS.get(step.function) or getattr(np, step.function)
        return np.asarray(function(*arguments)).astype(step.dtype)


def expected(spec: LoopSpec, operands: Sequence[Array]) -> list[Array]:
    """The operands after the loop."""
    after = [operand.copy() for operand in operands]
    values = evaluate(spec, operands)
    for store in spec.stores:
        place = view(after[store.operand], spec.shape, spec.operands[store.operand])
        value = values[store.step]
        first = tuple(
            slice(None) if place.shape[axis] > 1 else slice(1) for axis in range(-value.ndim, 0)
        )
        place[...] = value[first]
    for step in spec.steps:
        if step.function != "check":
            continue
        if not np.all(np.broadcast_to(values[step.arguments[0]], spec.shape)):
            after[int(step.value or 0)][...] = 1
    for partial in spec.partials:
        whole = np.broadcast_to(values[partial.step], spec.shape)
        columns = spec.shape[-1] if partial.over == "rows" else 1
        parts = after[partial.operand].reshape(partial_count(spec.shape), columns)
        block = partial_block(spec.shape)
        for number in range(len(parts)):
            rows = whole[number * block : (number + 1) * block]
            rows = rows.reshape(rows.size // max(1, columns), columns)
            parts[number] = reduce(partial.function, rows, str(parts.dtype), 0)
    return after
