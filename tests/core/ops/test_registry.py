"""The registry test: every declared operation is whole, and its parts agree with each other.

For each declaration: it has samples, its reference kernel gives what the samples say, in the dtypes
and shapes that schema and shape rule promise, without touching its inputs; its gradient agrees with
finite differences, and so does the gradient of its gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as tf
from tests.core.ops.declared import (
    CASES,
    DECLARATIONS,
    ON_FILES,
    ON_SESSIONS,
    RANDOM,
    WITHOUT_KERNEL_RUN,
    as_array,
    build,
    flat_arrays,
    sample_inputs,
    works_on_resources,
)
from workbench.core.graph import dtypes
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import Declaration, NotDifferentiable, Sample
from workbench.core.ops.kernel_binding import bind_kernel


@pytest.mark.parametrize("name", sorted(DECLARATIONS))
def test_declaration_is_whole(name: str) -> None:
    declaration = DECLARATIONS[name]
    schema = declaration.schema
    assert schema.type == name
    assert callable(declaration.shape)
    assert declaration.kernel is not None or name in WITHOUT_KERNEL_RUN, "no reference kernel"
    for attribute in declaration.kernel_attributes:
        assert attribute in schema.attributes, f"kernel asks for undeclared attribute {attribute}"
    exempt = name in WITHOUT_KERNEL_RUN | ON_FILES | ON_SESSIONS or works_on_resources(declaration)
    assert declaration.samples or exempt, "no samples"
    assert (
        declaration.gradient is None
        or callable(declaration.gradient)
        or isinstance(declaration.gradient, NotDifferentiable)
    )


@pytest.mark.parametrize(("declaration", "sample"), CASES)
def test_kernel_agrees_with_sample(declaration: Declaration, sample: Sample) -> None:
    inputs = sample_inputs(declaration, sample)
    with tf.Graph().as_default(), tf.Session() as session:
        op, feeds = build(declaration, sample, inputs)
        session.run(tf.global_variables_initializer())
        session.run(list(session.graph.variable_initializers.values()))
        before = [a.copy() for a in flat_arrays(inputs)]
        fetched = session.run([list(op.outputs), op], dict(feeds))[0]
        if not op.outputs and _is_resource_update(declaration):
            read = create(
                "ReadVariableOp", None, resource=op.inputs[0], dtype=op.inputs[0].op.attrs["dtype"]
            )
            _compare_all(declaration, sample, inputs, [session.run(read.outputs[0])])
        for array, copy in zip(flat_arrays(inputs), before, strict=True):
            np.testing.assert_array_equal(array, copy, "the kernel changed its input")
    for value, output in zip(fetched, op.outputs, strict=True):
        expected_dtype = output.dtype.base_dtype.as_numpy_dtype
        if output.dtype.base_dtype.name not in ("resource", "variant", "string"):
            assert np.asarray(value).dtype == expected_dtype, f"{output.name} has another dtype"
            assert output.shape.is_compatible_with(np.shape(value)), (
                f"shape rule says {output.shape}, kernel gave {np.shape(value)}"
            )
    if op.outputs:
        _compare_all(declaration, sample, inputs, fetched)


def _is_resource_update(declaration: Declaration) -> bool:
    first = declaration.schema.inputs[:1]
    return bool(first) and first[0].dtype is dtypes.resource and bool(declaration.updates)


def _compare_all(
    declaration: Declaration, sample: Sample, inputs: list[Any], found: list[Any]
) -> None:
    if sample.want is None or declaration.type in RANDOM:
        return
    wanted = sample.want(*flat_arrays(inputs)) if callable(sample.want) else sample.want
    if len(found) == 1:
        wanted = (wanted,)
    for value, want in zip(found, wanted, strict=False):
        _compare(value, want, sample.tolerance)


def _compare(value: Any, want: Any, tolerance: float) -> None:
    if isinstance(value, bytes):
        assert value == want
        return
    array = np.asarray(value)
    if array.dtype == object:
        assert array.tolist() == np.asarray(as_array(want, dtypes.string)).tolist()
        return
    if array.dtype.kind == "V":
        array = array.astype(np.float32)
    np.testing.assert_allclose(array, np.asarray(want), rtol=tolerance, atol=tolerance)
    assert array.shape == np.shape(want)


@pytest.mark.parametrize(("declaration", "sample"), CASES)
def test_result_shares_memory_only_where_declared(declaration: Declaration, sample: Sample) -> None:
    if declaration.stateful or declaration.type in WITHOUT_KERNEL_RUN:
        pytest.skip("effects are tested with a session")
    inputs = sample_inputs(declaration, sample)
    with tf.Graph().as_default():
        op, _ = build(declaration, sample, inputs)
    kernel = bind_kernel(op.type, op.attrs, len(op.inputs))
    assert kernel is not None
    flat = flat_arrays(inputs)
    with np.errstate(all="ignore"):
        results = kernel(*flat)
    outputs = results if isinstance(results, (tuple, list)) else [results]
    assert len(outputs) == len(op.outputs) or len(op.outputs) == 1
    if declaration.aliases_input or declaration.type == "Const":
        return
    for result in outputs:
        if isinstance(result, np.ndarray) and result.dtype != object:
            assert result.flags.writeable, "declare aliases_input: the result is a read-only view"
            for array in flat:
                assert not np.shares_memory(result, array), "declare aliases_input"
