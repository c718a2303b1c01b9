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
from workbench.core.graph import dtypes
from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.ops import registry
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import Declaration, NotDifferentiable, Sample
from workbench.core.ops.kernel_binding import bind_kernel
from workbench.core.ops.raw_control_flow import ROUTING

DECLARATIONS = registry.all_declarations()
#: Operations whose results are random: their families test distributions and reproducibility.
RANDOM = frozenset(
    t for t in DECLARATIONS if t.startswith(("Random", "Truncated", "Parameterized"))
)
#: Operations that a kernel of its own never runs: the planner treats them.
WITHOUT_KERNEL_RUN = frozenset(
    {
        "Placeholder",
        "PlaceholderV2",
        "VariableV2",
        "Variable",
        "VarHandleOp",
        "TemporaryVariable",
        "NoOp",
        "ControlTrigger",
        "RefSelect",
    }
    | ROUTING
    | CONTROL_FLOW
)
#: Operations on files and on users' functions: they have no samples, the tests of their families
#: run them.
ON_FILES = frozenset(
    "SaveV2 RestoreV2 Save SaveSlices Restore RestoreSlice MergeV2Checkpoints ReadFile WriteFile "
    "MatchingFiles GenerateVocabRemapping LoadAndRemapMatrix ImmutableConst PyFunc "
    "PyFuncStateless Abort RecordInput".split()
)
#: Operations that take what others left in the session: the tests of their families run both.
ON_SESSIONS = frozenset(
    "TakeManySparseFromTensorsMap GetSessionHandle GetSessionTensor DeleteSessionTensor".split()
)


def works_on_resources(declaration: Declaration) -> bool:
    """True for tables, queues and the like: they live in a session, and their families' tests
    run them there."""
    schema = declaration.schema
    arguments = (*schema.inputs, *schema.outputs)
    is_on_handles = any(
        a.dtype is not None
        and (
            a.dtype.name in ("resource", "variant") or (a.is_reference and a.dtype.name == "string")
        )
        for a in arguments
    )
    # The second spelling of arrays has handles that look like strings.
    is_on_handles |= declaration.type.startswith("TensorArray")
    return (is_on_handles or declaration.blocking) and not declaration.samples


def _default_dtype(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype == np.float64 and not isinstance(value, (np.ndarray, np.generic)):
        return np.float32
    if array.dtype == np.int64 and not isinstance(value, (np.ndarray, np.generic)):
        return np.int32
    if array.dtype.kind == "c" and not isinstance(value, (np.ndarray, np.generic)):
        return np.complex64
    return array.dtype


def _as_array(value: Any, dtype: Any) -> np.ndarray[Any, Any]:
    from workbench.core.ops.constant import to_array

    if dtype is not None:
        chosen = tf.as_dtype(dtype)
        if chosen is dtypes.string:
            return to_array(value, dtypes.string)
        return np.array(value, dtype=chosen.as_numpy_dtype)
    probe = np.asarray(value)
    if probe.dtype.kind in "SUO":
        return to_array(value, dtypes.string)
    return np.array(value, dtype=_default_dtype(value))


def _stated_dtype(sample: Sample, number: int) -> Any:
    """The dtype that a sample states for an input: arrays do not tell quantised ones."""
    return sample.dtype[number] if isinstance(sample.dtype, tuple) else None


def _holds_text(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "SU"


def sample_inputs(declaration: Declaration, sample: Sample) -> list[Any]:
    """One entry for each input argument: an array, or a list of arrays for list inputs."""
    result: list[Any] = []
    for i, (argument, value) in enumerate(
        zip(declaration.schema.inputs, sample.inputs, strict=True)
    ):
        dtype = _stated_dtype(sample, i)
        if isinstance(sample.dtype, str) and argument.dtype is None and not _holds_text(value):
            dtype = sample.dtype
        if argument.dtype is not None and dtype is None and argument.dtype is not dtypes.resource:
            dtype = argument.dtype
        if argument.number_attr or argument.is_type_list:
            result.append([_as_array(v, dtype) for v in value])
        else:
            result.append(_as_array(value, dtype))
    return result


def build(declaration: Declaration, sample: Sample, inputs: list[Any]) -> tuple[Any, list[Any]]:
    """The operation of a sample with placeholders for its inputs, and the feeds."""
    arguments: dict[str, Any] = dict(sample.attrs)
    feeds: list[Any] = []
    for i, (argument, value) in enumerate(zip(declaration.schema.inputs, inputs, strict=True)):
        if argument.dtype is dtypes.resource:
            handle = create(
                "VarHandleOp", None, dtype=tf.as_dtype(value.dtype), shape=list(value.shape)
            )
            assign = create("AssignVariableOp", None, resource=handle.outputs[0], value=value)
            tf.get_default_graph().variable_initializers[handle] = assign
            arguments[argument.name] = handle.outputs[0]
            continue
        if argument.is_reference:
            variable = tf.Variable(value, dtype=tf.as_dtype(value.dtype))
            arguments[argument.name] = variable._variable
            continue
        values = value if isinstance(value, list) else [value]
        made = []
        for array in values:
            if _is_structural(argument, array):
                made.append(tf.constant(array, _stated_dtype(sample, i)))
                continue
            placeholder = tf.placeholder(tf.as_dtype(array.dtype), array.shape)
            feeds.append((placeholder, array))
            made.append(placeholder)
        arguments[argument.name] = made if isinstance(value, list) else made[0]
    attributes = declaration.schema.attributes
    if "dtype" in attributes and "dtype" not in declaration.schema.inferred:
        # `dtype` of a sample is the type of its inputs, and the attribute of that name.
        arguments.setdefault("dtype", sample.dtype or (tf.as_dtype(_flat(inputs)[0].dtype)))
    return create(declaration.type, None, **arguments), feeds


def _is_structural(argument: Any, array: np.ndarray[Any, Any]) -> bool:
    """Integer inputs are constants, so that shape rules know axes and sizes."""
    return array.dtype.kind in "iub"


def _flat(inputs: list[Any]) -> list[np.ndarray[Any, Any]]:
    return [a for value in inputs for a in (value if isinstance(value, list) else [value])]


CASES = [
    pytest.param(declaration, sample, id=f"{name}-{i}")
    for name, declaration in sorted(DECLARATIONS.items())
    for i, sample in enumerate(declaration.samples)
]


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
        before = [a.copy() for a in _flat(inputs)]
        fetched = session.run([list(op.outputs), op], dict(feeds))[0]
        if not op.outputs and _is_resource_update(declaration):
            read = create(
                "ReadVariableOp", None, resource=op.inputs[0], dtype=op.inputs[0].op.attrs["dtype"]
            )
            _compare_all(declaration, sample, inputs, [session.run(read.outputs[0])])
        for array, copy in zip(_flat(inputs), before, strict=True):
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
    wanted = sample.want(*_flat(inputs)) if callable(sample.want) else sample.want
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
        assert array.tolist() == np.asarray(_as_array(want, dtypes.string)).tolist()
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
    flat = _flat(inputs)
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


def _differentiable_inputs(declaration: Declaration, sample: Sample, inputs: list[Any]) -> bool:
    if declaration.gradient is None or isinstance(declaration.gradient, NotDifferentiable):
        return False
    if sample.gradient == () or declaration.stateful:
        return False
    return any(a.dtype.kind == "f" for a in _flat(inputs))


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
