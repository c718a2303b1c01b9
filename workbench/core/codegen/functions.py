"""The functions of the steps of a kernel, as vector code: a table of names and of dtypes.

`supports` says whether there is code for a function of some dtypes, `emit_function` writes it. The
meaning is that of the interpreter's kernels: the same bits for arithmetic, comparisons, roots,
rounding and conversions, and for the others errors of at most `accuracy.MAXIMUM_ULP`.

float16 and bfloat16 are computed in float32 and rounded once, as NumPy does it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.mathematics import casts
from workbench.core.codegen.mathematics.arithmetic import Floats
from workbench.core.codegen.mathematics.casts import FLOATING, INTEGERS
from workbench.core.codegen.mathematics.integers import Integers
from workbench.core.codegen.mathematics.precision import rounded
from workbench.core.codegen.mathematics.tables import (
    AS_SHORT,
    COMPARISONS,
    EXACT,
    IN_DOUBLE,
    IN_PRECISION,
    NEGATIONS,
    OF_BOOLS,
    OF_CHECKED_INTEGERS,
    OF_INTEGERS,
    OF_ONE_DTYPE,
    OF_TWO,
    TESTS,
    Function,
)
from workbench.core.codegen.target import ITEM_BYTES
from workbench.core.codegen.unsupported import Unsupported as Unsupported

_Emission = Callable[[Emitter, Sequence[Register], int], Register]


def supports(
    function: str, dtype: str, argument_dtypes: Sequence[str], *, checked: bool = False
) -> bool:
    """Whether there is code for a function with a result and arguments of these dtypes.

    Quotients, remainders and powers of integers count only as `checked`: the kernel has steps that
    make the plan fail where a divisor is 0, or an exponent negative, as the interpreter does.

    >>> supports("exp", "float32", ["float32"]), supports("exp", "int32", ["int32"])
    (True, False)
    """
    if dtype in INTEGERS and function in OF_CHECKED_INTEGERS and not checked:
        return False
    return _emission(function, dtype, tuple(argument_dtypes)) is not None


def emit_function(
    emitter: Emitter,
    function: str,
    dtype: str,
    arguments: Sequence[Register],
    argument_dtypes: Sequence[str],
    lanes: int,
) -> Register:
    """Writes a function of registers; `dtype` is the result's.

    The bits do not depend on the lanes. Some functions (the sine, remainders) add blocks, after
    which the emitter is in another block than before.

    Raises Unsupported where `supports` is false.

    >>> emitter = Emitter()
    >>> x = Register("%x", "<4 x i32>")
    >>> print(emit_function(emitter, "less", "bool", [x, x], ["int32", "int32"], 4))
    <4 x i1> %v1
    >>> emitter.lines
    ['  %v1 = icmp slt <4 x i32> %x, %x']
    """
    emission = _emission(function, dtype, tuple(argument_dtypes))
    if emission is None:
        taken = ", ".join(argument_dtypes)
        raise Unsupported(f"{function}({taken}) with a result of {dtype} has no vector code")
    return emission(emitter, arguments, lanes)


def _emission(function: str, dtype: str, arguments: tuple[str, ...]) -> _Emission | None:
    if not {dtype, *arguments} <= ITEM_BYTES.keys():
        return None
    if function == "cast":
        return partial(_cast, dtype, arguments[0]) if len(arguments) == 1 else None
    if function == "select":
        return _select if arguments == ("bool", dtype, dtype) else None
    if len(set(arguments)) != 1:
        return None
    source = arguments[0]
    if function in COMPARISONS:
        accepted = dtype == "bool" and len(arguments) == 2
        return partial(_compare, function, source) if accepted else None
    if function in TESTS:
        accepted = dtype == "bool" and source in FLOATING and len(arguments) == 1
        return partial(_floating, TESTS[function], source, False) if accepted else None
    if source != dtype or len(arguments) != (2 if function in OF_TWO else 1):
        return None
    if dtype == "bool":
        return partial(_logic, function) if function in OF_BOOLS else None
    if dtype in INTEGERS:
        whole = OF_INTEGERS.get(function) or OF_CHECKED_INTEGERS.get(function)
        return partial(_integral, whole, dtype) if whole else None
    return _of_floats(function, dtype)


def _of_floats(function: str, dtype: str) -> _Emission | None:
    special = OF_ONE_DTYPE.get((function, dtype))
    exact = special or EXACT.get(function) or IN_PRECISION.get(function)
    if exact is not None:
        return partial(_floating, exact, dtype, function not in AS_SHORT)
    wide = IN_DOUBLE.get(function)
    if wide is None:
        return None
    return partial(_floating, wide if dtype == "float64" else _widened(wide), dtype, True)


def _widened(function: Function) -> Function:
    def in_double(floats: Floats, *arguments: Register) -> Register:
        doubles = floats.wide()
        emitter = floats.emitter
        result = function(doubles, *(emitter.convert("fpext", a, doubles.type) for a in arguments))
        return emitter.convert("fptrunc", result, floats.type)

    return in_double


def _cast(
    dtype: str, source: str, emitter: Emitter, arguments: Sequence[Register], lanes: int
) -> Register:
    return casts.cast(emitter, arguments[0], source, dtype, lanes)


def _select(emitter: Emitter, arguments: Sequence[Register], lanes: int) -> Register:
    return emitter.select(*arguments)


def _compare(
    function: str, source: str, emitter: Emitter, arguments: Sequence[Register], lanes: int
) -> Register:
    ordered, whole = COMPARISONS[function]
    if source in FLOATING:
        return emitter.compare(ordered, *arguments)
    return Integers(emitter, source, lanes).compare(whole, *arguments)


def _logic(function: str, emitter: Emitter, arguments: Sequence[Register], lanes: int) -> Register:
    if function in NEGATIONS:
        arguments = [*arguments, emitter.constant("i1", True, lanes)]
    return emitter.binary(OF_BOOLS[function], *arguments)


def _integral(
    function: Callable[..., Register],
    dtype: str,
    emitter: Emitter,
    arguments: Sequence[Register],
    lanes: int,
) -> Register:
    return function(Integers(emitter, dtype, lanes), *arguments)


def _floating(
    function: Function,
    dtype: str,
    rounds: bool,
    emitter: Emitter,
    arguments: Sequence[Register],
    lanes: int,
) -> Register:
    floats = Floats(emitter, "double" if dtype == "float64" else "float", lanes)
    result = function(floats, *arguments)
    return rounded(floats, result, dtype) if rounds else result
