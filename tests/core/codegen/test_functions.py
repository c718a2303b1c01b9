"""Arithmetic, comparisons, logic, rounding and conversions against NumPy, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from tests.core.codegen.flat_functions import (
    DTYPES,
    FLOATS,
    HERE,
    INTEGERS,
    SIGNED,
    Case,
    Functions,
    assert_same,
    binary,
    cases_of,
    numbers,
    numpy_dtype,
    pairs,
    unary,
)
from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.functions import emit_function, supports
from workbench.core.codegen.target import AVX2
from workbench.core.codegen.unsupported import Unsupported

_NUMPY: dict[str, Callable[..., Any]] = {
    "square": np.square,
    "sqrt": np.sqrt,
    "reciprocal": np.reciprocal,
    "rint": np.rint,
    "round": np.rint,
    "is_nan": np.isnan,
    "is_inf": np.isinf,
    "is_finite": np.isfinite,
    "truncate_mod": np.fmod,
    "absolute": np.absolute,
}

_OF_FLOATS = ("negative", "absolute", "sign", "square", "sqrt", "reciprocal")
_ROUNDINGS = ("floor", "ceil", "rint", "round")
_OF_TWO_FLOATS = ("add", "subtract", "multiply", "divide", "maximum", "minimum")
_QUOTIENTS = ("floor_divide", "remainder", "truncate_mod")
_TESTS = ("is_nan", "is_inf", "is_finite")
_COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
_OF_INTEGERS = ("negative", "absolute", "sign", "square", "invert")
_OF_TWO_INTEGERS = (
    *("add", "subtract", "multiply", "maximum", "minimum"),
    *("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"),
)
_OF_BOOLS = ("logical_and", "logical_or", "logical_xor", "maximum", "minimum", "bitwise_xor")

_UNARY = [
    *cases_of((*_OF_FLOATS, *_ROUNDINGS), FLOATS, 1),
    *cases_of(_TESTS, FLOATS, 1, "bool"),
    *cases_of(_OF_INTEGERS, INTEGERS, 1),
    *cases_of(("logical_not", "invert"), ("bool",), 1),
]
_BINARY = [
    *cases_of((*_OF_TWO_FLOATS, *_QUOTIENTS), FLOATS, 2),
    *cases_of(_COMPARISONS, DTYPES, 2, "bool"),
    *cases_of((*_OF_TWO_INTEGERS, *_QUOTIENTS), INTEGERS, 2),
    *cases_of(_OF_BOOLS, ("bool",), 2),
]
_CASTS = [Case("cast", to, (source,)) for source in DTYPES for to in DTYPES]
_EXTREMES = [
    Case(function, dtype, (dtype, dtype), (constant,))
    for function in ("maximum", "minimum")
    for dtype in FLOATS
    for constant in (0.0, 6.0)
]
_POWERS = cases_of(("power",), INTEGERS, 2)
_SELECTS = [Case("select", dtype, ("bool", dtype, dtype)) for dtype in DTYPES]
_OTHERS = [
    *cases_of(("truncate_divide", "reciprocal"), SIGNED, 2)[::2],
    *cases_of(("reciprocal",), INTEGERS, 1),
    *cases_of(("round",), INTEGERS, 1),
    *cases_of(("rsqrt",), FLOATS, 1),
]
_ALL = [*_UNARY, *_BINARY, *_CASTS, *_EXTREMES, *_POWERS, *_SELECTS, *_OTHERS]


@pytest.fixture(scope="module")
def functions() -> Functions:
    return Functions(_ALL, HERE)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def _reference(function: str) -> Callable[..., Any]:
    return _NUMPY.get(function) or getattr(np, function)


def _names(cases: list[Case]) -> list[str]:
    return list(dict.fromkeys(case.function for case in cases))


@pytest.mark.parametrize("function", _names(_UNARY))
def test_of_one(functions: Functions, function: str) -> None:
    for case in _UNARY:
        if case.function == function:
            x = numbers(case.arguments[0])
            assert_same(functions(case, x), _reference(function)(x), x)


@pytest.mark.parametrize("function", _names(_BINARY))
def test_of_two(functions: Functions, function: str) -> None:
    for case in _BINARY:
        if case.function == function:
            a, b = pairs(case.arguments[0])
            assert_same(functions(case, a, b), _reference(function)(a, b), a, b)


@pytest.mark.parametrize("function", _names(_EXTREMES))
def test_extremes_with_a_constant(functions: Functions, function: str) -> None:
    """The shorter code for constants has the same results, down to the sign of zero."""
    for case in _EXTREMES:
        if case.function == function:
            x = numbers(case.dtype)
            constant = np.full_like(x, case.constants[0])
            assert_same(functions(case, x), _reference(function)(x, constant), x)


@pytest.mark.parametrize("source", DTYPES)
def test_casts(functions: Functions, source: str) -> None:
    for dtype in DTYPES:
        _check_cast(functions, source, dtype)


def _check_cast(functions: Functions, source: str, dtype: str) -> None:
    x = numbers(source, 2000)
    got, want = functions(Case("cast", dtype, (source,)), x), x.astype(numpy_dtype(dtype))
    if source in FLOATS and dtype in INTEGERS:
        # Beyond the range NumPy's result depends on where in the array an element is.
        wide = x.astype(np.float64)
        limits = np.iinfo(dtype)
        inside = (wide > limits.min - 1.0) & (wide < limits.max + 1.0)
        got, want, x = got[inside], want[inside], x[inside]
        assert x.size > 100
    assert_same(got, want, x)


def test_casts_of_floats_out_of_range_are_those_of_the_processor(functions: Functions) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 3e9, -3e9, 1e30, -1e30, 300.7, -300.7])
    least = {32: -(2**31), 64: -(2**63)}
    assert functions(Case("cast", "int32", ("float64",)), x).tolist() == [least[32]] * 7 + [
        300,
        -300,
    ]
    assert functions(Case("cast", "int64", ("float32",)), x[[0, 1, 2, 5, 6]]).tolist() == (
        [least[64]] * 5
    )
    assert functions(Case("cast", "uint8", ("float64",)), x[7:]).tolist() == [44, 212]
    assert functions(Case("cast", "int16", ("float32",)), x[:3]).tolist() == [0, 0, 0]


def test_halves_are_rounded_once_from_doubles(functions: Functions) -> None:
    """A number just above the middle of two float16 is the middle itself as a float32."""
    x = np.array([1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-11 - 2.0**-40, 65520 - 1e-9, 2.0**-25 + 2e-18])
    got = functions(Case("cast", "float16", ("float64",)), x)
    assert got.tolist() == [1 + 2.0**-10, 1.0, 65504.0, 2.0**-24]


@pytest.mark.parametrize("dtype", DTYPES)
def test_select(functions: Functions, dtype: str) -> None:
    a, b = pairs(dtype)
    condition = np.arange(a.size) % 3 == 0
    case = Case("select", dtype, ("bool", dtype, dtype))
    assert_same(functions(case, condition, a, b), np.where(condition, a, b), condition, a, b)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_powers_of_integers_wrap_around(functions: Functions, dtype: str) -> None:
    x, exponent = pairs(dtype)
    exponent = np.maximum(exponent, 0)
    assert_same(functions(binary("power", dtype), x, exponent), np.power(x, exponent), x, exponent)


@pytest.mark.parametrize("dtype", SIGNED)
def test_truncated_quotients(functions: Functions, dtype: str) -> None:
    a, b = pairs(dtype)
    want = [
        0 if y == 0 else abs(x) // abs(y) * (1 if x * y >= 0 else -1)
        for x, y in zip(a.tolist(), b.tolist(), strict=True)
    ]
    wrapped = np.array([w if w <= np.iinfo(dtype).max else np.iinfo(dtype).min for w in want])
    assert_same(functions(binary("truncate_divide", dtype), a, b), wrapped.astype(dtype), a, b)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_reciprocals_and_rounding_of_integers(functions: Functions, dtype: str) -> None:
    x = numbers(dtype)
    x = x[x != 0]
    assert_same(functions(unary("reciprocal", dtype), x), np.reciprocal(x), x)
    assert_same(functions(unary("round", dtype), x), x, x)


@pytest.mark.parametrize("dtype", FLOATS)
def test_reciprocal_roots_are_rounded_twice(functions: Functions, dtype: str) -> None:
    x = numbers(dtype)
    wide = x.astype(np.float64 if dtype == "float64" else np.float32)
    want = np.reciprocal(np.sqrt(wide)).astype(x.dtype)
    assert_same(functions(unary("rsqrt", dtype), x), want, x)


def test_the_lanes_and_the_target_change_no_bit(functions: Functions) -> None:
    """Scalars, and vectors of a processor without masks, have the results of wide vectors."""
    for lanes, target in ((1, None), (8, AVX2)):
        chosen = [
            Case(c.function, c.dtype, c.arguments, c.constants, lanes)
            for c in (*_UNARY[::3], *_BINARY[::5], *_CASTS[::3], *_EXTREMES, *_POWERS[::2])
        ]
        others = Functions(chosen, target)
        for case in chosen:
            a, b = pairs(case.arguments[0], 5)
            if case.function == "power":
                b = np.maximum(b, 0)
            operands = (a, b)[: len(case.arguments) - len(case.constants)]
            wide = Case(case.function, case.dtype, case.arguments, case.constants)
            assert_same(others(case, *operands), functions(wide, *operands), *operands)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([case for case in _BINARY if case.arguments[0] in ("float32", "float64")]),
    st.data(),
)
def test_any_floats(functions: Functions, case: Case, data: Any) -> None:
    arrays = arrays_of.arrays(case.arguments[0], 9)
    a, b = data.draw(arrays), data.draw(arrays)
    with np.errstate(all="ignore"):
        assert_same(functions(case, a, b), _reference(case.function)(a, b), a, b)


def test_what_is_not_there_is_said() -> None:
    assert not supports("exp", "int32", ["int32"])
    assert not supports("less", "bool", ["float32", "float64"])
    assert not supports("add", "float32", ["float32"])
    assert not supports("add", "complex64", ["complex64", "complex64"])
    assert not supports("lgamma", "float32", ["float32"])
    x = Register("%x", "i32")
    with pytest.raises(Unsupported, match=r"exp\(int32\) with a result of int32"):
        emit_function(Emitter(), "exp", "int32", [x], ["int32"], 1)


def test_what_the_interpreter_checks_is_supported_with_a_check_only() -> None:
    for function in ("floor_divide", "truncate_divide", "remainder", "truncate_mod", "power"):
        assert not supports(function, "int32", ["int32", "int32"])
        assert supports(function, "int32", ["int32", "int32"], checked=True)
    assert supports("floor_divide", "float32", ["float32", "float32"])


def test_every_supported_case_is_tested() -> None:
    tested = {(c.function, c.dtype, c.arguments) for c in _ALL}
    for function in (*_OF_TWO_FLOATS, *_OF_TWO_INTEGERS, *_QUOTIENTS):
        for dtype in (*FLOATS, *INTEGERS):
            arguments = (dtype, dtype)
            if supports(function, dtype, arguments, checked=True):
                assert (function, dtype, arguments) in tested
