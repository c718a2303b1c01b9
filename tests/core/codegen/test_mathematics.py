"""The elementary functions: errors within what is stated, and the special cases of IEEE 754."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import llvmlite.binding as llvm
import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.codegen.flat_functions import (
    DTYPES,
    HERE,
    Array,
    Case,
    Functions,
    assert_same,
    binary,
    code_of,
    numbers,
    numpy_dtype,
    pairs,
    unary,
)
from tests.core.codegen.true_values import IN_FLOAT64, error_in_ulp, errors_in_ulp, exactly
from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.functions import emit_function
from workbench.core.codegen.mathematics.accuracy import MAXIMUM_ULP
from workbench.core.codegen.module import module_text
from workbench.core.codegen.target import AVX2, AVX512, NEON, Target

_OF_TWO = ("power", "atan2", "truncate_mod", "floor_divide")
_OF_ONE = tuple(name for name in MAXIMUM_ULP if name not in _OF_TWO)
_DTYPES = ("float32", "float64", "float16", "bfloat16")
#: A prime, so that all binades and all endings come up among the bits of floats.
_STRIDE = 15013


def _case(function: str, dtype: str, lanes: int = 16) -> Case:
    return (binary if function in _OF_TWO else unary)(function, dtype, lanes=lanes)


@pytest.fixture(scope="module")
def functions() -> Functions:
    return Functions([_case(name, dtype) for name in MAXIMUM_ULP for dtype in _DTYPES], HERE)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def _usual(function: str, size: int, seed: int = 0) -> Array:
    """Arguments where the function has values, over all sizes and densely at usual ones."""
    random = np.random.default_rng(seed)
    least, greatest = {
        "exp": (-745.0, 709.0),
        "expm1": (-60.0, 709.0),
        "sigmoid": (-745.0, 40.0),
        "sinh": (-710.0, 710.0),
        "cosh": (-710.0, 710.0),
        "erf": (-6.5, 6.5),
        "erfc": (-6.5, 27.2),
        "log1p": (-1.0, 40.0),
        "asin": (-1.0, 1.0),
        "acos": (-1.0, 1.0),
        "atanh": (-1.0, 1.0),
        "acosh": (1.0, 40.0),
        "log": (0.0, 40.0),
    }.get(function, (-25.0, 25.0))
    dense = random.uniform(least, greatest, size // 2)
    near = random.uniform(max(least, -3.0), min(greatest, 3.0), size // 4)
    sizes = 2.0 ** random.uniform(-1070, 1023, size // 4) * random.choice([-1.0, 1.0], size // 4)
    return np.concatenate([dense, near, sizes])


@pytest.mark.parametrize("function", _OF_ONE)
def test_errors_in_float32(functions: Functions, function: str) -> None:
    x = np.arange(0, 1 << 32, _STRIDE, np.uint32).view(np.float32)
    x = np.concatenate([x, _usual(function, 40000).astype(np.float32)])
    errors = errors_in_ulp(
        functions(_case(function, "float32"), x), IN_FLOAT64[function](x.astype(np.float64))
    )
    worst = errors.argmax()
    assert errors[worst] <= MAXIMUM_ULP[function][0], f"{errors[worst]} at {x[worst]!r}"
    assert errors.max() > 0.4, "an error must be seen, or nothing is measured"


@pytest.mark.parametrize("function", _OF_ONE)
def test_errors_in_float64(functions: Functions, function: str) -> None:
    _check_in_float64(functions, function, [_usual(function, 240, seed=3)])


def _check_in_float64(functions: Functions, function: str, arguments: list[Array]) -> None:
    got = functions(_case(function, "float64"), *arguments)
    listed = zip(got.tolist(), *(a.tolist() for a in arguments), strict=True)
    errors = [error_in_ulp(y, exactly(function, *x), "float64") for y, *x in listed]
    worst = int(np.argmax(errors))
    shown = f"{errors[worst]} at {[float(a[worst]) for a in arguments]}"
    assert errors[worst] <= MAXIMUM_ULP[function][1], shown


def test_errors_of_powers(functions: Functions) -> None:
    random = np.random.default_rng(0)
    sizes = 2.0 ** random.uniform(-1000, 1000, 150)
    near_one = random.uniform(0.9, 1.1, 150)
    x = np.concatenate([sizes, near_one, random.uniform(0.0, 9.0, 100)])
    y = random.uniform(-740, 709, x.size) / np.abs(np.log(x))
    y[300:] = random.integers(-9, 10, 100) / 2
    _check_in_float64(functions, "power", [x, y])
    x = random.uniform(0.0, 30.0, 50000).astype(np.float32)
    y = random.uniform(-40.0, 30.0, 50000).astype(np.float32)
    true = np.power(x.astype(np.float64), y.astype(np.float64))
    errors = errors_in_ulp(functions(_case("power", "float32"), x, y), true)
    assert errors.max() <= MAXIMUM_ULP["power"][0]


def test_errors_of_angles_of_points(functions: Functions) -> None:
    random = np.random.default_rng(0)
    y, x = random.normal(size=(2, 300)) * 2.0 ** random.uniform(-30, 30, (2, 300))
    _check_in_float64(functions, "atan2", [y, x])
    y, x = random.normal(size=(2, 50000)).astype(np.float32)
    true = np.arctan2(y.astype(np.float64), x.astype(np.float64))
    errors = errors_in_ulp(functions(_case("atan2", "float32"), y, x), true)
    assert errors.max() <= MAXIMUM_ULP["atan2"][0]


@pytest.mark.parametrize("function", ["sin", "cos", "tan"])
def test_angles_however_large(functions: Functions, function: str) -> None:
    """Also next to multiples of pi / 2, and with small angles as neighbours."""
    random = np.random.default_rng(0)
    quarters = np.concatenate([random.integers(1, 2**39, 100), 2 ** np.arange(1, 39)])
    large = 2.0 ** random.uniform(35, 1023.9, 150)
    worst_known = [6381956970095103.0 * 2.0**797, 1.7976931348623157e308]
    x = np.concatenate([quarters * (np.pi / 2), large, -large, worst_known])
    random.shuffle(x)
    _check_in_float64(functions, function, [x])
    single = np.concatenate([2.0 ** random.uniform(30, 127.9, 400), quarters * (np.pi / 2)])
    single = single.astype(np.float32)
    got = functions(_case(function, "float32"), single)
    errors = [
        error_in_ulp(y, exactly(function, x), "float32")
        for x, y in zip(single.tolist(), got.tolist(), strict=True)
    ]
    assert max(errors) <= MAXIMUM_ULP[function][0]


@pytest.mark.parametrize("function", _OF_ONE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_numbers(functions: Functions, function: str, dtype: str) -> None:
    """NaN, infinities, zeros with their signs, the least and the largest numbers."""
    limits = np.finfo(dtype)
    sizes = [0.0, limits.smallest_subnormal, 5 * limits.smallest_subnormal, limits.max, np.inf]
    x = np.array([np.nan, *sizes, *(-size for size in sizes)], dtype)
    got = functions(_case(function, dtype), x)
    want = IN_FLOAT64[function](x.astype(np.longdouble if dtype == "float64" else np.float64))
    if function in ("erf", "erfc"):
        want = IN_FLOAT64[function](x.astype(np.float64))
    if function in ("sin", "cos", "tan", "log", "log1p", "asinh", "acosh"):
        # Not exact at the largest number; tested above.
        got, want = got[np.abs(x) < limits.max], want[np.abs(x) < limits.max]
        x = x[np.abs(x) < limits.max]
    assert_same(got, np.asarray(want).astype(dtype), x)


@pytest.mark.parametrize("function", ["power", "atan2"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_pairs(functions: Functions, function: str, dtype: str) -> None:
    limits = np.finfo(dtype)
    sizes = [0.0, limits.smallest_subnormal, 0.5, 1.0, 2.0, 3.0, 2.5, 1e16, limits.max, np.inf]
    some = np.array([np.nan, *sizes, *(-size for size in sizes)], dtype)
    a, b = (grid.reshape(-1) for grid in np.meshgrid(some, some))
    got = functions(_case(function, dtype), a, b)
    want = IN_FLOAT64[function](a.astype(np.float64), b.astype(np.float64)).astype(dtype)
    exact = ~np.isfinite(want) | np.isin(np.abs(want), [0.0, 1.0])
    assert exact.sum() > 100 or function == "atan2"
    assert_same(got[exact], want[exact], a[exact], b[exact])
    np.testing.assert_allclose(got, want, rtol=4 * float(limits.eps), atol=0)
    assert np.array_equal(np.signbit(got[~np.isnan(want)]), np.signbit(want[~np.isnan(want)]))


def test_whole_powers_that_are_numbers_are_exact(functions: Functions) -> None:
    x, y = (grid.reshape(-1) for grid in np.meshgrid(np.arange(-12.0, 13.0), np.arange(0.0, 12.0)))
    for dtype in ("float32", "float64"):
        got = functions(_case("power", dtype), x, y)
        want = np.array([int(a) ** int(b) for a, b in zip(x, y, strict=True)], np.float64)
        exact = want.astype(dtype) == want
        assert exact.sum() > 200
        assert_same(got[exact], want.astype(dtype)[exact], x[exact], y[exact])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_short_floats_are_those_of_float32_rounded(functions: Functions, dtype: str) -> None:
    for function in MAXIMUM_ULP:
        arguments = pairs(dtype) if function in _OF_TWO else (numbers(dtype, 2000),)
        single = functions(_case(function, "float32"), *(a.astype(np.float32) for a in arguments))
        want = single.astype(numpy_dtype(dtype))
        assert_same(functions(_case(function, dtype), *arguments), want, *arguments)


def test_the_lanes_and_the_target_change_no_bit(functions: Functions) -> None:
    """Instructions of AVX-512 or none, one lane or two registers: the same bits."""
    for lanes, target in ((1, None), (32, HERE), (8, AVX2)):
        cases = [_case(name, dtype, lanes) for name in MAXIMUM_ULP for dtype in _DTYPES[:2]]
        others = Functions(cases, target)
        for case in cases:
            a, b = (np.concatenate([part, _usual("tanh", 800, 1)]) for part in pairs(case.dtype))
            operands = [v.astype(case.dtype) for v in (a, b)][: len(case.arguments)]
            wide = functions(_case(case.function, case.dtype), *operands)
            assert_same(others(case, *operands), wide, *operands)


def test_avx512_has_instructions_for_exponents() -> None:
    def text(target: Target | None) -> str:
        emitter = Emitter(target)
        x = Register("%x", "<16 x float>")
        emit_function(emitter, "exp", "float32", [x], ["float32"], 16)
        return "\n".join(emitter.lines)

    assert "x86.avx512.mask.scalef" in text(AVX512)
    assert "x86" not in text(AVX2) + text(None)


@pytest.mark.skipif(HERE in (None, NEON), reason="asks LLVM for code of x86")
@pytest.mark.parametrize(("lanes", "target"), [(1, None), (8, AVX2)])
def test_a_processor_without_avx512_needs_no_library(lanes: int, target: Target | None) -> None:
    """LLVM has library functions for what it cannot translate; nothing would resolve them."""
    names = [*MAXIMUM_ULP, "truncate_mod", "floor_divide", "rint", "sign"]
    cases = [_case(name, dtype, lanes) for name in names for dtype in _DTYPES]
    cases += [Case("cast", to, (of,), lanes=lanes) for of in DTYPES for to in DTYPES]
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu="haswell", features="", opt=3, reloc="pic", codemodel="jitdefault"
    )
    module = llvm.parse_assembly(module_text(code_of(case, target) for case in cases))
    assembly = machine.emit_assembly(module)
    assert "vmul" in assembly
    assert "call" not in assembly


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(_OF_ONE), st.floats(allow_nan=False))
def test_any_number(functions: Functions, function: str, x: float) -> None:
    got = float(functions(_case(function, "float64"), np.array([x]))[0])
    if math.isinf(x):
        want: Any = IN_FLOAT64[function](np.array([x]))[0]
        assert got == want or (math.isnan(got) and math.isnan(want))
        return
    try:
        true = exactly(function, x)
    except (ZeroDivisionError, ValueError, OverflowError, mpmath.libmp.NoConvergence):
        return
    assert error_in_ulp(got, true, "float64") <= MAXIMUM_ULP[function][1]
