"""Nodes of every translated operation, over dtypes, shapes and special numbers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tests.core.ops.declared import sample_inputs
from workbench.core.codegen.translation.decomposition import DECOMPOSITIONS
from workbench.core.codegen.translation.description import ANY, INTEGERS, SIGNED
from workbench.core.codegen.translation.part import PARTS
from workbench.core.codegen.translation.table import TRANSLATIONS
from workbench.core.codegen.translation.view import VIEWS
from workbench.core.graph.dtypes import as_dtype
from workbench.core.ops import registry
from workbench.core.ops.declaration import Declaration

Array = np.ndarray[Any, Any]

DECLARATIONS = registry.all_declarations()
TRANSLATED = sorted({*TRANSLATIONS, *VIEWS, *PARTS, *DECOMPOSITIONS})
#: Shapes of inputs that are all the same.
_PLAIN = (((3, 17), (3, 17)), ((), ()), ((0,), (0,)))
#: Shapes of two inputs that broadcast, the result's first.
_SHAPES = (
    ((3, 17), (3, 17)),
    ((3, 17), (17,)),
    ((3, 17), (3, 1)),
    ((3, 17), ()),
    ((2, 3, 5), (3, 1)),
    ((1,), ()),
    ((0, 4), (4,)),
)
#: Declared for integers too, which their kernels do not take.
_OF_FLOATS_ONLY = frozenset({"Softplus", "SoftplusGrad", "SoftsignGrad"})
_FLOAT_EXTREMES = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 1.0, -1.0, 0.5, 2.5, -3.5)


class Case(NamedTuple):
    """An operation, its inputs and attributes."""

    type_name: str
    arrays: tuple[Array, ...]
    attrs: dict[str, Any]

    def __str__(self) -> str:
        inputs = ", ".join(f"{a.dtype}{list(a.shape)}" for a in self.arrays)
        return f"{self.type_name}({inputs}) {self.attrs or ''}"


def samples(type_name: str) -> Iterator[Case]:
    """The samples of a declaration, but for strings and complex numbers."""
    declaration = DECLARATIONS[type_name]
    for sample in declaration.samples:
        arrays: list[Array] = []
        for value in sample_inputs(declaration, sample):
            arrays.extend(value if isinstance(value, list) else [value])
        if not any(a.dtype.kind in "OcSU" for a in arrays):
            yield Case(type_name, tuple(arrays), dict(sample.attrs))


def elementwise(type_name: str) -> Iterator[Case]:
    """An element-wise operation on random and special numbers of all dtypes it is declared for."""
    declaration = DECLARATIONS[type_name]
    random = np.random.default_rng(zlib.crc32(type_name.encode()))
    count = 3 if declaration.schema.inputs[0].number_attr else len(declaration.schema.inputs)
    broadcasts = count == 2 and "Grad" not in type_name and type_name != "ApproximateEqual"
    for dtype in sorted(dtypes_of(declaration)):
        if type_name in _OF_FLOATS_ONLY and dtype in INTEGERS:
            continue
        for first, second in (
            _SHAPES if broadcasts else (((3, 17), (3, 17)), ((), ()), ((0,), (0,)))
        ):
            shapes = (first, second, *[first] * (count - 2))[:count]
            arrays = tuple(numbers(random, dtype, shape) for shape in shapes)
            if type_name == "Pow" and dtype in INTEGERS:
                arrays = arrays[0], (np.abs(arrays[1].astype(int)) % 7).astype(arrays[1].dtype)
            elif np.dtype(arrays[-1].dtype).kind in "iu" and _divides(type_name):
                arrays = (*arrays[:-1], np.where(arrays[-1] == 0, 3, arrays[-1]).astype(dtype))
            yield Case(type_name, arrays, {})


def _divides(type_name: str) -> bool:
    return "Div" in type_name or "Mod" in type_name or type_name in ("Reciprocal", "Inv")


def dtypes_of(declaration: Declaration) -> set[str]:
    """The compiled dtypes that an operation is declared for."""
    schema = declaration.schema
    attribute = schema.inputs[0].type_attr
    if attribute is None:
        return {schema.inputs[0].dtype.name} if schema.inputs[0].dtype else set()
    allowed = schema.attributes[attribute].allowed
    return {t.name for t in allowed if t.name in ANY} if allowed else set(ANY)


def numbers(random: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Array:
    """Special numbers and random ones, in a random order."""
    count = int(np.prod(shape, dtype=int))
    numpy_type = as_dtype(dtype).as_numpy_dtype
    if dtype == "bool":
        return random.random(shape) < 0.5
    if dtype in INTEGERS:
        info = np.iinfo(numpy_type)
        special = np.array([info.min, info.max, 0, 1, info.max // 2], numpy_type)
        drawn = random.integers(max(info.min, -100), 100, count, numpy_type, endpoint=True)
        values = np.where(random.random(count) < 0.3, random.choice(special, count), drawn)
        return values.reshape(shape)
    drawn = random.normal(size=count) * 10.0 ** random.integers(-3, 3, count)
    special_values = random.choice(_FLOAT_EXTREMES, count)
    values = np.where(random.random(count) < 0.3, special_values, drawn)
    with np.errstate(all="ignore"):
        return values.astype(numpy_type).reshape(shape)


def casts() -> Iterator[Case]:
    """Conversions between all dtypes, of numbers that the target has."""
    random = np.random.default_rng(3)
    for source in sorted(ANY):
        for target in sorted(ANY):
            array = numbers(random, source, (5, 9))
            if "float" in source and target in INTEGERS:
                array = (random.random((5, 9)) * 100).astype(array.dtype)
            yield Case("Cast", (array,), {"DstT": as_dtype(target)})


def others() -> Iterator[Case]:
    """Operations with rows, reductions, images and steps of optimizers, in several dtypes."""
    random = np.random.default_rng(5)

    def floats(*shape: int, dtype: str = "float32", positive: bool = False) -> Array:
        drawn = random.random(shape) + 0.1 if positive else random.normal(size=shape)
        return np.asarray(drawn, as_dtype(dtype).as_numpy_dtype)

    def whole(*values: Any, dtype: Any = np.int32) -> Array:
        return np.array(values[0] if len(values) == 1 else values, dtype)

    for dtype in ("float16", "bfloat16", "float32", "float64"):
        logits = floats(6, 19, dtype=dtype)
        extreme = np.where(random.random((6, 19)) < 0.1, np.inf, logits).astype(logits.dtype)
        for name in ("Softmax", "LogSoftmax"):
            yield Case(name, (logits,), {})
            yield Case(name, (extreme,), {})
            yield Case(name, (floats(2, 3, 1, dtype=dtype),), {})
        labels = np.asarray(random.dirichlet(np.ones(19), 6), logits.dtype)
        dense = "SoftmaxCrossEntropyWithLogits"
        yield Case(dense, (logits, labels), {})
        yield Case(dense, (logits, labels[:1]), {})
        yield Case(dense, (logits[:1], labels), {})
        for index_type in (np.int32, np.int64):
            places = random.integers(0, 19, 6).astype(index_type)
            yield Case("Sparse" + dense, (logits, places), {})
        yield Case("L2Loss", (floats(5, 7, dtype=dtype),), {})
        yield from _optimizers(random, dtype)
        yield from _normalisations(random, dtype)
    for dtype in ("float16", "float32", "float64", "int32", "uint8", "int64"):
        array = numbers(random, dtype, (4, 3, 5))
        if "float" in dtype:
            array = np.nan_to_num(array, posinf=3, neginf=-3)
        for axes in ([2], [0], [0, 1], [1], [0, 1, 2], [0, 2], [-1], []):
            for name in ("Sum", "Mean", "Prod", "Max", "Min"):
                for keep in (False, True):
                    yield Case(name, (array, whole(axes)), {"keep_dims": keep})
        with_nan = numbers(random, dtype, (4, 9))
        for name in ("ArgMax", "ArgMin"):
            for index_type in ("int32", "int64"):
                attrs = {"output_type": as_dtype(index_type)}
                yield Case(name, (with_nan, np.array(-1, np.int32)), attrs)
        yield Case("Max", (with_nan, whole([1])), {})
        yield Case("Min", (with_nan, whole([0])), {})
        yield Case("BiasAdd", (array, array[0, 0]), {})
        yield Case("BiasAdd", (array, array[0, :, 0]), {"data_format": "NCHW"})
        yield Case("BiasAddV1", (array, array[0, 0]), {})
        yield Case("BiasAddGrad", (array,), {})
        yield Case("BiasAddGrad", (array,), {"data_format": "NCHW"})
        for name in ("AssignAdd", "AssignSubVariableOp", "Assign"):
            yield Case(name, (array, array[::-1].copy()), {})
    predictions = floats(9, 7)
    predictions[0, 0], predictions[1, 1], predictions[2, :2] = np.nan, np.inf, 5
    for index_type in (np.int32, np.int64):
        targets = np.array([0, 1, 1, 3, 6, 7, -1, 2, 4], index_type)
        for k in (1, 3):
            yield Case("InTopKV2", (predictions, targets, np.array(k, index_type)), {})
            yield Case("InTopK", (predictions, targets), {"k": k})
    flags = random.random((4, 6)) < 0.8
    for name in ("All", "Any"):
        for axes in ([0], [1], [0, 1]):
            yield Case(name, (flags, whole(axes)), {})
    grid = floats(4, 6)
    for condition in (flags, flags[:, 0], np.array(True)):
        yield Case("Select", (condition, grid, -grid), {})
    for index_type in (np.uint8, np.int32, np.int64):
        places = np.array([[1, 0], [4, 7]], index_type)
        on, off = np.float32(2), np.float32(-0.0)
        yield Case("OneHot", (places, np.array(5, np.int32), np.array(on), np.array(off)), {})


def _optimizers(random: np.random.Generator, dtype: str) -> Iterator[Case]:
    numpy_type = as_dtype(dtype).as_numpy_dtype

    def state() -> Array:
        return np.asarray(random.random((3, 7)) + 0.1, numpy_type)

    def scalars(*values: float) -> tuple[Array, ...]:
        return tuple(np.array(v, numpy_type) for v in values)

    gradient = np.asarray(random.normal(size=(3, 7)), numpy_type)
    lr, rho, momentum, epsilon, l1, l2 = scalars(0.1, 0.9, 0.8, 1e-3, 0.2, 0.3)
    two, three = (state(), state()), (state(), state(), state())
    none = scalars(0)[0]
    for form in ("Apply", "ResourceApply"):
        yield Case(f"{form}GradientDescent", (state(), lr, gradient), {})
        for attrs in ({}, {"use_nesterov": True}):
            yield Case(f"{form}Momentum", (*two, lr, gradient, momentum), attrs)
            powers = scalars(0.81, 0.99, 0.1, 0.9, 0.999, 1e-3)
            yield Case(f"{form}Adam", (*three, *powers, gradient), attrs)
        yield Case(f"{form}Adagrad", (*two, lr, gradient), {})
        yield Case(f"{form}Adadelta", (*three, lr, rho, epsilon, gradient), {})
        rates = (lr, rho, momentum, epsilon)
        yield Case(f"{form}RMSProp", (*three, *rates, gradient), {})
        mean = np.asarray(random.normal(size=(3, 7)) * 0.1, numpy_type)
        centered = (three[0], mean, *three[1:], *rates, gradient)
        yield Case(f"{form}CenteredRMSProp", centered, {})
        for penalty in (l1, none):
            yield Case(f"{form}ProximalGradientDescent", (state(), lr, penalty, l2, gradient), {})
            yield Case(f"{form}ProximalAdagrad", (*two, lr, penalty, l2, gradient), {})
            dual = (*three, gradient, lr, penalty, l2, np.array(7, np.int64))
            yield Case(f"{form}AdagradDA", dual, {})
        (power,) = scalars(-0.5)
        yield Case(f"{form}Ftrl", (*three, gradient, lr, l1, l2, power), {})
        yield Case(f"{form}FtrlV2", (*three, gradient, lr, l1, l2, l2, power), {})


def _normalisations(random: np.random.Generator, dtype: str) -> Iterator[Case]:
    numpy_type = as_dtype(dtype).as_numpy_dtype
    wide = np.float64 if dtype == "float64" else np.float32
    version = "" if dtype in ("float32", "float64") else "V2"
    images = np.asarray(random.normal(size=(2, 3, 5, 4)), numpy_type)
    upstream = np.asarray(random.normal(size=(2, 3, 5, 4)), numpy_type)
    for data_format, channels in (("NHWC", 4), ("NCHW", 3)):
        vectors = [np.asarray(random.random(channels) + 0.5, wide) for _ in range(4)]
        for training in (True, False):
            attrs = {"data_format": data_format, "is_training": training, "epsilon": 0.01}
            yield Case(f"FusedBatchNorm{version}", (images, *vectors), attrs)
            gradient = (upstream, images, vectors[0], *vectors[2:])
            yield Case(f"FusedBatchNormGrad{version}", gradient, attrs)
            if dtype != "float64":
                yield Case("FusedBatchNormV3", (images, *vectors), attrs)
                last = np.zeros(0, wide)
                yield Case("FusedBatchNormGradV3", (*gradient, last), attrs)
    m, v, beta, gamma = (np.asarray(random.random(4) + 0.5, numpy_type) for _ in range(4))
    for scales in (True, False):
        attrs = {"variance_epsilon": 0.01, "scale_after_normalization": scales}
        yield Case("BatchNormWithGlobalNormalization", (images, m, v, beta, gamma), attrs)
        gradient = (images, m, v, gamma, upstream)
        yield Case("BatchNormWithGlobalNormalizationGrad", gradient, attrs)
    for radius in (0, 1, 2, 5):
        attrs = {"depth_radius": radius, "bias": 2.0, "alpha": 0.5, "beta": 0.75}
        yield Case("LRN", (images,), attrs)
        yield Case("LRNGrad", (upstream, images, images[::-1].copy()), attrs)


def divisions() -> Iterator[Case]:
    """Divisions of the least integers by -1, whose result has no place."""
    for dtype in sorted(SIGNED):
        least = np.iinfo(dtype).min
        x = np.array([least, least, least + 1, 7, -7, 0, 1] * 3, dtype)
        y = np.array([-1, 1, -1, -2, 2, -1, least] * 3, dtype)
        for type_name in ("Div", "TruncateDiv", "FloorDiv", "FloorMod", "TruncateMod", "Mod"):
            yield Case(type_name, (x, y), {})


def failing_cases() -> Iterator[Case]:
    """Inputs that fail a check of the kernel."""
    zeros = np.array([3, 0, 1], np.int32)
    ones = np.ones(3, np.int32)
    for type_name in ("Div", "FloorDiv", "FloorMod", "Mod"):
        yield Case(type_name, (ones, zeros), {})
    yield Case("Reciprocal", (zeros,), {})
    yield Case("Pow", (ones, -ones), {})
    for label in (-1, 3, 1 << 40):
        labels = np.array([0, label], np.int64)
        yield Case("SparseSoftmaxCrossEntropyWithLogits", (np.eye(2, 3), labels), {})
    for number in (np.nan, np.inf):
        yield Case("CheckNumerics", (np.array([1, number]),), {"message": "here"})


def largest_cases() -> Iterator[Case]:
    """For each operation, dtypes and attributes of `all_cases` one that is not empty.

    What depends on special numbers or shapes is there in full.
    """
    largest: dict[Any, Case] = {}
    for case in _common_cases():
        key = (case.type_name, tuple(str(a.dtype) for a in case.arrays), repr(case.attrs))
        if all(a.size for a in case.arrays):
            found = largest.setdefault(key, case)
            if sum(a.size for a in case.arrays) > sum(a.size for a in found.arrays):
                largest[key] = case
    yield from largest.values()
    yield from _special_cases()


def all_cases() -> Iterator[Case]:
    """Everything above but what fails."""
    yield from _common_cases()
    yield from _special_cases()


def _common_cases() -> Iterator[Case]:
    for type_name in TRANSLATED:
        yield from samples(type_name)
    for type_name in sorted(TRANSLATIONS):
        if DECLARATIONS[type_name].elementwise:
            yield from elementwise(type_name)


def _special_cases() -> Iterator[Case]:
    yield from casts()
    yield from divisions()
    yield from others()
