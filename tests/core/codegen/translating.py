"""Nodes made from arrays, and an interpreter of steps: the tests' own reading of translations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.codegen.specs import Step
from workbench.core.codegen.translation import (
    Builder,
    Expression,
    Flag,
    Layout,
    Parameter,
    Reduction,
    decompose,
    describe,
    parts,
    view,
    viewed_input,
)
from workbench.core.codegen.translation.decomposition import DECOMPOSITIONS
from workbench.core.codegen.translation.part import PARTS
from workbench.core.codegen.translation.table import TRANSLATIONS
from workbench.core.codegen.translation.view import VIEWS
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.dtypes import as_dtype, resource
from workbench.core.ops import registry
from workbench.core.ops.kernel_binding import bind_kernel
from workbench.core.plan.node import HANDLE, Node, NodeTable, Value

Array = np.ndarray[Any, Any]
Operands = Sequence[Any]


def make_node(type_name: str, arrays: Sequence[Array], attrs: dict[str, Any]) -> Node:
    """A node on constants (and variables where it takes them), with the shapes of its results.

    Attributes of types and numbers follow from the arrays.
    """
    table = NodeTable()
    declaration = registry.get(type_name)
    schema = declaration.schema
    full = {n: a.default for n, a in schema.attributes.items() if a.has_default}
    full.update(attrs)
    position = 0
    inputs: list[Value] = []
    for argument in schema.inputs:
        count = 1
        if argument.number_attr or argument.is_type_list:
            count = len(arrays) - (len(schema.inputs) - 1)
        own = arrays[position : position + count]
        types = [as_dtype(array.dtype) for array in own]
        if argument.number_attr:
            full[argument.number_attr] = count
        if argument.type_attr:
            full[argument.type_attr] = types if argument.is_type_list else types[0]
        is_variable = argument.is_reference or argument.dtype is resource
        for i, (array, dtype) in enumerate(zip(own, types, strict=True)):
            if is_variable:
                unique = f"variable {position + i}"
                node = table.make(
                    HANDLE, (), {"name": unique}, (dtype,), (array.shape,), None, unique=unique
                )
            else:
                # Node by node, so that equal arrays are different inputs.
                node = table.make(
                    "Const",
                    (),
                    {"value": array, "dtype": dtype},
                    (dtype,),
                    (array.shape,),
                    None,
                    unique=position + i,
                )
            inputs.append(node.output())
        position += count
    full = {k: as_dtype(v) if _is_type(schema, k) else v for k, v in full.items()}
    dtypes = tuple(t.base_dtype for t in schema.output_types(full))
    shapes = tuple(np.shape(r) for r in outputs_of(type_name, arrays, full))
    return table.make(type_name, tuple(inputs), full, dtypes, shapes, None)


def _is_type(schema: Any, name: str) -> bool:
    attribute = schema.attributes.get(name)
    return attribute is not None and attribute.type == "type"


def interpreted(type_name: str, arrays: Sequence[Array], attrs: dict[str, Any]) -> list[Any]:
    """What tier 0 gives: the new values of variables, then the outputs."""
    kernel = bind_kernel(type_name, attrs, len(arrays))
    assert kernel is not None
    declaration = registry.get(type_name)
    keywords = {"inplace": False} if _updates(declaration) else {}
    with np.errstate(all="ignore"):
        result = kernel(*arrays, **keywords)
    return list(result) if isinstance(result, (tuple, list)) else [result]


def _updates(declaration: Any) -> bool:
    code = getattr(declaration.kernel, "__code__", None)
    return (
        code is not None
        and "inplace" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    )


def outputs_of(type_name: str, arrays: Sequence[Array], attrs: dict[str, Any]) -> list[Any]:
    """The outputs of a node as tier 0 gives them."""
    declaration = registry.get(type_name)
    results = interpreted(type_name, arrays, attrs)
    if not _updates(declaration):
        return results
    return results[:1] if declaration.schema.outputs else []


def compute(node: Node, arrays: Sequence[Array]) -> tuple[list[Array], set[str]]:
    """What the translation of a node gives (results as of `interpreted`), and the functions in it.

    Unsupported where it has none.
    """
    if node.type in TRANSLATIONS:
        return _described(node, arrays)
    if node.type in DECOMPOSITIONS:
        return _decomposed(node, arrays), {"column_sum"}
    if node.type in VIEWS:
        try:
            return [_viewed(node, i, arrays) for i in range(len(node.dtypes))], set()
        except Unsupported:
            if node.type not in PARTS:
                raise
    return [_put_together(node, arrays)], set()


def _described(node: Node, arrays: Sequence[Array]) -> tuple[list[Array], set[str]]:
    described = describe(node)
    builder = Builder()
    if isinstance(described, Reduction):
        results = [_reduced(described, builder, arrays[described.input])]
    else:
        loads = [
            builder.load(a, node.inputs[a.input].dtype.base_dtype.name) for a in described.inputs
        ]
        numbers = described.translate(builder, loads)
        sources = {a: arrays[a.input].reshape(a.shape) for a in described.inputs}
        values = run_steps(builder, sources, described.space)
        results = [_laid_out(values[n], described, i) for i, n in enumerate(numbers)]
    return results, {step.function for step in builder.steps}


def _decomposed(node: Node, arrays: Sequence[Array]) -> list[Array]:
    table = NodeTable()
    sources = [
        table.constant(array, value.dtype, None).output()
        for array, value in zip(arrays, node.inputs, strict=True)
    ]
    again = table.make(node.type, tuple(sources), node.attrs, node.dtypes, node.shapes, None)
    return [np.asarray(evaluate(value)) for value in decompose(again, table)]


def _laid_out(value: Array, described: Expression, index: int) -> Array:
    """A result in the space, in the shape it has there."""
    shape = described.results[index]
    full = np.broadcast_to(value, described.space)
    taken = tuple(slice(0, 1) if s == 1 else slice(None) for s in shape)
    assert full[taken].shape == shape
    # What is one element in memory must be one value.
    same = np.broadcast_to(full[taken], described.space)
    assert np.array_equal(same.astype(np.float64), full.astype(np.float64), equal_nan=True)
    return full[taken]


def _reduced(reduction: Reduction, builder: Builder, array: Array) -> Array:
    """Over any axes: they go to the end, as one, and are summed up there."""
    kept = [a for a in range(array.ndim) if a not in reduction.axes]
    rows = array.transpose(*kept, *reduction.axes).reshape(-1, reduction.count)
    number = reduction.translate(builder, builder.load("x", str(array.dtype)), "column")
    columns = {"x": np.ascontiguousarray(rows.T)}
    value = run_steps(builder, columns, rows.T.shape)[number]
    shape = reduction.reduced if reduction.keep_dims else [array.shape[a] for a in kept]
    return value.reshape(shape)


def evaluate(value: Value) -> Any:
    """What a node of constants gives in tier 0."""
    node = value.node
    if node.is_constant:
        return node.constant
    arrays = [np.asarray(evaluate(v)) for v in node.inputs]
    result = interpreted(node.type, arrays, node.attrs)[value.index]
    assert np.shape(result) == node.shapes[value.index], node
    assert as_dtype(np.asarray(result).dtype) is node.dtypes[value.index], node
    return result


def _strided(array: Array, layout: Layout) -> Array:
    """The elements of a flat array that a layout names."""
    places = np.full(layout.shape, layout.offset)
    for axis, (size, stride) in enumerate(zip(layout.shape, layout.strides, strict=True)):
        steps = np.arange(size) * stride
        places = places + steps.reshape(-1, *[1] * (len(layout.shape) - axis - 1))
    return array.reshape(-1)[places]


def _viewed(node: Node, index: int, arrays: Sequence[Array]) -> Array:
    array = arrays[viewed_input(node, index)]
    strides = tuple(s // array.itemsize for s in np.empty(array.shape, array.dtype).strides)
    seen = view(node, index, Layout(array.shape, strides))
    assert seen is not None
    return _strided(array, seen).view(node.dtypes[index].as_numpy_dtype)


def _put_together(node: Node, arrays: Sequence[Array]) -> Array:
    put = parts(node)
    dtype = node.dtypes[0].as_numpy_dtype
    shape = node.shapes[0]
    flat = np.full(int(np.prod(shape)), 99 if put.fill is None else put.fill, dtype)
    numbers = np.arange(flat.size)
    for part in put.parts:
        flat[_strided(numbers, part.place)] = arrays[part.input]
    return flat.reshape(shape)


# -- an interpreter of steps ---------------------------------------------------------------------

_UFUNCS: dict[str, Callable[..., Any]] = {
    "atan2": np.arctan2,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "is_nan": np.isnan,
    "is_inf": np.isinf,
    "is_finite": np.isfinite,
    "truncate_mod": np.fmod,
    "select": np.where,
}
_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": np.add.reduce,
    "prod": np.multiply.reduce,
    "max": np.maximum.reduce,
    "min": np.minimum.reduce,
    "all": np.logical_and.reduce,
    "any": np.logical_or.reduce,
}


def run_steps(builder: Builder, sources: dict[Any, Array], space: tuple[int, ...]) -> list[Array]:
    """The value of every step, in shapes that broadcast to the space."""
    values: list[Array] = []
    with np.errstate(all="ignore"):
        for step in builder.steps:
            arguments = [values[a] for a in step.arguments]
            value = np.asarray(_value(step, arguments, builder.operands, sources, space))
            dtype = np.dtype(as_dtype(step.dtype).as_numpy_dtype)
            assert value.dtype == dtype, (step, value.dtype)
            values.append(value)
    return values


def _value(
    step: Step,
    arguments: list[Array],
    operands: Operands,
    sources: dict[Any, Array],
    space: tuple[int, ...],
) -> Any:
    dtype = as_dtype(step.dtype).as_numpy_dtype
    name = step.function
    if name == "load":
        source = operands[int(step.value or 0)]
        if isinstance(source, Parameter):
            return np.asarray(source.value, dtype)
        return sources[source]
    if name == "constant":
        return np.asarray(step.value, dtype)
    if name == "column":
        return np.arange(space[-1])
    if name == "cast":
        return arguments[0].astype(dtype)
    if name == "check":
        flag = operands[int(step.value or 0)]
        assert isinstance(flag, Flag)
        if not np.broadcast_to(arguments[0], space).all():
            raise InvalidArgumentError(None, None, flag.message)
        return arguments[0]
    if name.startswith(("row_", "column_")):
        over, _, function = name.partition("_")
        axis = -1 if over == "row" else 0
        full = np.broadcast_to(arguments[0], space)
        return _REDUCTIONS[function](full, axis=axis, keepdims=True, **_sum_type(function, dtype))
    if name == "sigmoid":
        return _sigmoid(arguments[0])
    if name in ("erf", "erfc"):
        from workbench.core.kernels import special

        return getattr(special, name)(arguments[0])
    if name == "truncate_divide":
        return _truncated(*arguments)
    return (_UFUNCS.get(name) or getattr(np, name))(*arguments)


def _sum_type(function: str, dtype: Any) -> dict[str, Any]:
    return {"dtype": dtype} if function in ("sum", "prod") else {}


def _sigmoid(x: Array) -> Array:
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    return np.asarray(1 / (1 + np.exp(-wide)), x.dtype)


def _truncated(x: Array, y: Array) -> Array:
    """Python's exact quotient, wrapped around where it has no place (the least number by -1)."""

    def divide(a: int, b: int) -> int:
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return quotient % (1 << 8 * x.itemsize)

    pairs = np.broadcast(x.astype(object), y.astype(object))
    wrapped = np.array([divide(a, b) for a, b in pairs], f"u{x.itemsize}")
    return wrapped.view(x.dtype).reshape(pairs.shape)
