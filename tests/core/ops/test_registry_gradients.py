"""Gradients of every declared operation, and gradients of those, beside finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.declared import (
    CASES,
    build,
    flat_arrays,
    sample_inputs,
)
from workbench.core.graph import dtypes
from workbench.core.ops.declaration import Declaration, NotDifferentiable, Sample


def _differentiable_inputs(declaration: Declaration, sample: Sample, inputs: list[Any]) -> bool:
    if declaration.gradient is None or isinstance(declaration.gradient, NotDifferentiable):
        return False
    if sample.gradient == () or declaration.stateful:
        return False
    return any(a.dtype.kind == "f" for a in flat_arrays(inputs))


def _double(inputs: list[Any]) -> list[Any]:
    def convert(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if array.dtype in (np.float32, np.float16) or array.dtype.kind == "V":
            return array.astype(np.float64)
        return array

    return [[convert(a) for a in v] if isinstance(v, list) else convert(v) for v in inputs]


def _allowed_in_double(declaration: Declaration, inputs: list[Any]) -> bool:
    for argument, value in zip(declaration.schema.inputs, inputs, strict=True):
        array = value[0] if isinstance(value, list) and value else value
        if isinstance(array, list) or array.dtype != np.float64:
            continue
        if argument.dtype is not None and argument.dtype is not dtypes.float64:
            return False
        attribute = declaration.schema.attributes.get(argument.type_attr or "")
        allowed = None if attribute is None else attribute.allowed
        if allowed is not None and dtypes.float64 not in allowed:
            return False
    return True


GRADIENT_CASES = [
    case
    for case in CASES
    if _differentiable_inputs(
        case.values[0],  # type: ignore[arg-type]
        case.values[1],  # type: ignore[arg-type]
        sample_inputs(case.values[0], case.values[1]),  # type: ignore[arg-type]
    )
]


@pytest.mark.parametrize(("declaration", "sample"), GRADIENT_CASES)
@pytest.mark.parametrize("order", [1, 2])
def test_gradient_agrees_with_finite_differences(
    declaration: Declaration, sample: Sample, order: int
) -> None:
    inputs = sample_inputs(declaration, sample)
    doubled = _double(inputs)
    exact = _allowed_in_double(declaration, doubled)
    if exact:
        inputs = doubled
    random = np.random.RandomState(7)
    with tf.Graph().as_default(), tf.Session() as session:
        op, feeds = build(declaration, sample, inputs)
        outputs = [
            t for t in op.outputs if t.dtype.base_dtype.is_floating and _depends(op, t, feeds)
        ]
        if not outputs:
            pytest.skip("no differentiable output")
        value = tf.add_n(
            [tf.reduce_sum(t * random.standard_normal(_static(t, session, feeds))) for t in outputs]
            if exact
            else [
                tf.reduce_sum(t * random.standard_normal(_static(t, session, feeds)).astype("f"))
                for t in outputs
            ]
        )
        chosen = [
            (p, a)
            for i, (p, a) in enumerate(feeds)
            if p.dtype.is_floating and (sample.gradient is None or i in sample.gradient)
        ]
        if order == 2:
            first = tf.gradients(value, [p for p, _ in chosen])
            connected = [(g, p) for g, (p, _) in zip(first, chosen, strict=True) if g is not None]
            terms = []
            for gradient, placeholder in connected:
                gradient = tf.convert_to_tensor(gradient)
                weights = random.standard_normal(placeholder.shape.as_list())
                terms.append(
                    tf.reduce_sum(gradient * weights.astype(gradient.dtype.as_numpy_dtype))
                )
            if not terms:
                pytest.skip("no gradient flows")
            value = tf.add_n(terms)
            try:
                symbolic = tf.gradients(value, [p for p, _ in chosen])
            except LookupError as error:
                pytest.skip(f"no second order: {error}")
        else:
            symbolic = tf.gradients(value, [p for p, _ in chosen])
        assert order == 2 or any(g is not None for g in symbolic), "no gradient flows at all"
        for gradient, (placeholder, array) in zip(symbolic, chosen, strict=True):
            dense = (
                np.zeros(array.shape)
                if gradient is None
                else session.run(tf.convert_to_tensor(gradient), dict(feeds))
            )
            numeric = _finite_differences(session, value, placeholder, array, feeds, exact)
            tolerance = max(sample.tolerance, 1e-5) if exact else 3e-2
            np.testing.assert_allclose(dense, numeric, rtol=tolerance, atol=tolerance)


def _depends(op: Any, output: Any, feeds: list[Any]) -> bool:
    return output.shape.ndims is None or output.shape.num_elements() != 0


def _static(tensor: Any, session: Any, feeds: list[Any]) -> tuple[int, ...]:
    if tensor.shape.is_fully_defined():
        return tuple(tensor.shape.as_list())
    return np.shape(session.run(tensor, dict(feeds)))


def _finite_differences(
    session: Any, value: Any, placeholder: Any, array: Any, feeds: list[Any], exact: bool
) -> np.ndarray[Any, Any]:
    """Central differences; in float64 of fourth order, so that 1e-3 steps give 1e-9 errors."""
    step = 1e-3 if exact else 1e-2
    run = session.make_callable(value, [p for p, _ in feeds])
    others = [a for _, a in feeds]
    position = next(i for i, (p, _) in enumerate(feeds) if p is placeholder)
    result = np.zeros(array.shape)
    for index in np.ndindex(*array.shape):
        found = []
        for offset in (-2, -1, 1, 2) if exact else (-1, 1):
            moved = array.copy()
            moved[index] += offset * step
            arguments = list(others)
            arguments[position] = moved
            found.append(float(run(*arguments)))
        if exact:
            result[index] = (found[0] - 8 * found[1] + 8 * found[2] - found[3]) / (12 * step)
        else:
            result[index] = (found[1] - found[0]) / (2 * step)
    return result
