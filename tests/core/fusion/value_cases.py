"""Element-wise operations on the values that go wrong, in every dtype, on both tiers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.operation_cases import EXACT
from tests.core.fusion.two_tiers import Pair
from workbench.core.ops import registry
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import Declaration

DTYPES = "float32 float64 float16 bfloat16 int32 int64 int8 uint8 uint32 bool".split()
#: Integers divided by zero are an error of the interpreter's, tested apart.
DIVISIONS = frozenset("Div FloorDiv FloorMod Mod TruncateDiv TruncateMod Reciprocal Inv".split())
#: Those, and others that refuse some integers.
PARTIAL = DIVISIONS | {"Pow"}
#: Within so much of the interpreter's result, which is itself off by a few units in the last place.
RELATIVE = {"float32": 3e-6, "float64": 1e-13}


def special_values(dtype: Any) -> np.ndarray[Any, Any]:
    """NaN, infinities, denormals, zeros of both signs, extremes and ordinary numbers: 37."""
    kind = dtype.as_numpy_dtype
    random = np.random.RandomState(3)
    if dtype.name == "bool":
        return random.rand(37) < 0.5
    if not dtype.is_floating:
        limits = np.iinfo(kind)
        numbers = [limits.min, limits.max, limits.max - 1, 0, 1, 2, 3, 7, 31]
        others = random.randint(max(limits.min, -50), 50, 37 - len(numbers))
        return np.array([*numbers, *others.tolist()], kind)
    wide = np.dtype(kind) if dtype.name != "bfloat16" else np.dtype(np.float32)
    limits = np.finfo(wide)
    numbers = [np.nan, np.inf, -np.inf, 0.0, -0.0, limits.max, -limits.max, limits.tiny]
    numbers += [-limits.tiny / 4, limits.tiny / 64, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-3]
    numbers += [88.7, -87.3, 104.0, 3.1415927, 1e4, -1e4, limits.eps, 1 - limits.epsneg]
    others = random.standard_normal(37 - len(numbers)) * 3
    return np.array([*numbers, *others], wide).astype(kind)


def run_operation(declaration: Declaration, exact: bool) -> None:
    """All dtypes at once: alone, a row against a column, and nothing at all."""
    schema = declaration.schema
    with tf.Graph().as_default() as graph, np.errstate(all="ignore"):
        fetched, feeds = {}, {}
        for name in DTYPES:
            dtype = tf.as_dtype(name)
            if not _takes(declaration, dtype):
                continue
            values = special_values(dtype)
            if declaration.type in PARTIAL and dtype.is_integer:
                # The least integer by minus one does not fit; nor are there negative powers.
                values = np.where(values == 0, 5, np.abs(values // 2 + 1)).astype(values.dtype)
            for form, shapes in _forms(len(schema.inputs), values.size):
                inputs = {}
                for argument, shape in zip(schema.inputs, shapes, strict=True):
                    count = int(np.prod(shape))
                    array = np.resize(np.roll(values, 5 * len(inputs)), count).reshape(shape)
                    inputs[argument.name] = tf.placeholder(dtype, shape)
                    feeds[inputs[argument.name]] = array
                try:
                    operation = create(declaration.type, None, **inputs)
                except ValueError:
                    assert len({*shapes}) > 1, "it takes operands of one shape"
                    continue
                fetched[f"{name} {form}"] = list(operation.outputs)
        with Pair(graph) as pair:
            relative = {} if exact else RELATIVE
            pair.check(fetched, feeds, exact=exact, relative=relative)


def _forms(inputs: int, count: int) -> list[tuple[str, list[tuple[int, ...]]]]:
    if inputs == 1:
        return [("alone", [(count,)]), ("a grid", [(3, count)]), ("none", [(0, 3)])]
    return [
        ("alike", [(count,), (count,)]),
        ("a column and a row", [(count, 1), (1, count)]),
        ("a number and a row", [(), (count,)]),
        ("a row and a grid", [(count,), (2, count)]),
        ("none", [(0, 3), (1, 3)]),
    ]


def _takes(declaration: Declaration, dtype: Any) -> bool:
    for argument in declaration.schema.inputs:
        if argument.dtype is not None:
            if argument.dtype is not dtype:
                return False
            continue
        allowed = declaration.schema.attributes[argument.type_attr or ""].allowed
        if allowed is not None and dtype not in allowed:
            return False
    return True


def refuse_integers(type_name: str) -> None:
    """Zero as a divisor, one that is known and one that is not; a negative exponent."""
    bad = -1 if type_name == "Pow" else 0
    values = np.arange(-18, 19, dtype=np.int32)
    inputs = registry.all_declarations()[type_name].schema.inputs
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.int32, [37])
        divisors = [x] if len(inputs) == 1 else [x, tf.constant(7), tf.constant([3] * 36 + [bad])]
        results = []
        for divisor in divisors:
            given = {inputs[0].name: x}
            if len(inputs) == 2:
                given[inputs[1].name] = divisor
            results.append(create(type_name, None, **given).outputs[0])
        with Pair(graph) as pair:
            for result in results:
                pair.check(result, {x: values}, exact=True)
                pair.check(result, {x: np.abs(values) + 1}, exact=True)


def cases() -> dict[str, Callable[[], None]]:
    """Element-wise operations of one or two inputs that have kernels, by name."""
    from workbench.core.codegen.translation.table import TRANSLATIONS

    found: dict[str, Callable[[], None]] = {}
    for name, declaration in sorted(registry.all_declarations().items()):
        inputs = declaration.schema.inputs
        simple = 0 < len(inputs) <= 2 and not any(a.number_attr for a in inputs)
        if declaration.elementwise and simple and name in TRANSLATIONS:
            found[name] = partial(run_operation, declaration, name in EXACT)
    found |= {f"refusals of {name}": partial(refuse_integers, name) for name in sorted(PARTIAL)}
    return found
