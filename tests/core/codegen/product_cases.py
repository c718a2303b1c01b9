"""Products for tests: their description from arrays, and what they must come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.core.codegen.specs import Operand, ProductSpec, Step, Store

Array = np.ndarray[Any, Any]

ACCUMULATOR = Step("accumulator", (), "float32")


def constant(value: float) -> Step:
    return Step("constant", (), "float32", value)


#: Named expressions, with operand 2 for the result and operand 3 for what they load.
EXPRESSIONS: dict[str, tuple[Step, ...]] = {
    "plain": (ACCUMULATOR,),
    "bias and relu": (
        ACCUMULATOR,
        Step("load", (), "float32", 3),
        Step("add", (0, 1), "float32"),
        constant(0.0),
        Step("maximum", (2, 3), "float32"),
    ),
    "relu's gradient": (
        ACCUMULATOR,
        Step("load", (), "float32", 3),
        constant(0.0),
        Step("greater", (1, 2), "bool"),
        Step("select", (3, 0, 2), "float32"),
    ),
    "update": (
        ACCUMULATOR,
        Step("load", (), "float32", 2),
        constant(0.01),
        Step("multiply", (0, 2), "float32"),
        Step("subtract", (1, 3), "float32"),
    ),
    "tanh": (ACCUMULATOR, Step("tanh", (0,), "float32")),
}


def describe(
    arrays: Sequence[Array], steps: Sequence[Step] = (), stores: Sequence[Store] = ()
) -> ProductSpec:
    """The product of the first two arrays; the last step goes into the third by default."""
    left, right = arrays[:2]
    operands = tuple(
        Operand(str(a.dtype), tuple(stride // a.itemsize for stride in a.strides)) for a in arrays
    )
    dtype = str(left.dtype)
    steps = tuple(steps) or (Step("accumulator", (), dtype),)
    return ProductSpec(
        left.shape[:-2],
        left.shape[-2],
        right.shape[-1],
        left.shape[-1],
        dtype,
        operands,
        steps,
        tuple(stores) or (Store(len(steps) - 1, 2),),
    )


def normal(seed: int, *shape: int, dtype: str = "float32") -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def matrix(seed: int, rows: int, columns: int, order: str, dtype: str = "float32") -> Array:
    """The same numbers by rows, by columns, as part of a wider array, or strided."""
    values = normal(seed, rows, columns, dtype=dtype)
    if order == "columns":
        return np.asfortranarray(values)
    if order == "view":
        wider = normal(seed, rows + 2, columns + 5, dtype=dtype)[1:-1, 3 : columns + 3]
        wider[...] = values
        return wider
    if order == "strided":
        spread = normal(seed, rows, 3 * columns, dtype=dtype)[::-1, ::3]
        spread[...] = values
        return spread
    assert order == "rows"
    return values


def assert_is_product(result: Array, left: Array, right: Array) -> None:
    """Within the error of a sum of k terms, each rounded, against the product in float64."""
    wide = left.astype("float64"), right.astype("float64")
    expected = np.matmul(*wide)
    scale = np.matmul(*map(np.abs, wide))
    precision = np.finfo(result.dtype).eps / 2
    bound = (left.shape[-1] + 1) * precision * scale
    if result.dtype == np.float64:
        # The oracle has such errors of its own.
        bound = 2 * bound
    assert result.shape == expected.shape
    assert np.all(np.abs(result - expected) <= bound)
