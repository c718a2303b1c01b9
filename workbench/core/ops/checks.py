"""Assertions about the values of tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ml_dtypes import finfo

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.summary_text import summarize as summary
from workbench.core.ops import api
from workbench.core.ops.control import no_op
from workbench.core.ops.printing import Assert
from workbench.core.ops.static_checks import is_numeric_tensor


class StaticAssertionError(InvalidArgumentError, ValueError):
    """An assertion about constants, found false while the graph is built.

    TensorFlow 1.4 raises ValueError there, later versions InvalidArgumentError: it is both.
    """


def _assert_pairs(
    default_name: str,
    sign: str,
    compare: str,
    x: Any,
    y: Any,
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str | None,
) -> Operation:
    with name_scope(name, default_name, [x, y, data]):
        x, y = convert_to_tensor(x, name="x"), convert_to_tensor(y, name="y")
        if data is None:
            data = [
                message or "",
                f"Condition x {sign} y did not hold element-wise:",
                f"x ({x.name}) = ",
                x,
                f"y ({y.name}) = ",
                y,
            ]
        pairs = getattr(api, compare)(x, y)
        known = constant_value(pairs)
        if known is not None and known.all():
            return no_op("static_checks_determined_all_ok")
        check = Assert(api.reduce_all(pairs), data, summarize=summarize)
        if known is not None and compare == "equal":
            texts = [_static_text(tensor) for tensor in check.inputs[1:]]
            raise StaticAssertionError(None, None, "\n".join(texts))
        return check


def assert_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that fails unless x == y, element by element with broadcasting.

    `data` is what the error shows (both tensors when not given), `summarize` how many elements of
    each, `message` goes in front. Constants that differ are an error at once. Like all assertions
    here it must be fetched or waited for:

    >>> import workbench as tf
    >>> x = tf.placeholder(tf.float32, [None])
    >>> with tf.control_dependencies([tf.assert_non_negative(x, message="no debts")]):
    ...     root = tf.sqrt(x)
    >>> root.eval({x: [4.0]}).tolist()
    [2.0]
    """
    return _assert_pairs("assert_equal", "==", "equal", x, y, data, summarize, message, name)


def _static_text(tensor: Tensor) -> str:
    value = constant_value(tensor)
    return str(tensor) if value is None else summary(value, -1)


def _assertion(
    default_name: str, sign: str, compare: str, meaning: str
) -> Callable[..., Operation]:
    def check(
        x: Any,
        y: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Operation:
        return _assert_pairs(default_name, sign, compare, x, y, data, summarize, message, name)

    check.__name__ = check.__qualname__ = default_name
    check.__doc__ = f"An operation that fails unless {meaning}; see `assert_equal`."
    return check


assert_none_equal = _assertion(
    "assert_none_equal", "!=", "not_equal", "x != y for every pair of elements"
)
assert_less = _assertion("assert_less", "<", "less", "x < y, element by element")
assert_less_equal = _assertion(
    "assert_less_equal", "<=", "less_equal", "x <= y, element by element"
)
assert_greater = _assertion("assert_greater", ">", "greater", "x > y, element by element")
assert_greater_equal = _assertion(
    "assert_greater_equal", ">=", "greater_equal", "x >= y, element by element"
)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Operation:
    """An operation that fails unless abs(x - y) <= atol + rtol * abs(y), element by element.

    Both tolerances are ten times the dtype's smallest step from 1 when not given; see
    `assert_equal` for the rest. Raises TypeError where `x` is neither floating nor complex.
    """
    with name_scope(name, "assert_near", [x, y, rtol, atol, data]):
        x = convert_to_tensor(x, name="x")
        y = convert_to_tensor(y, name="y", dtype=x.dtype.base_dtype)
        real = x.dtype.base_dtype.real_dtype
        if not real.is_floating:
            raise TypeError(f"x must be floating or complex, got {x.dtype.name}")
        limits: Any = finfo(real.as_numpy_dtype)  # type: ignore[no-untyped-call]
        step = 10.0 * float(limits.eps)
        rtol = convert_to_tensor(step if rtol is None else rtol, dtype=real, name="rtol")
        atol = convert_to_tensor(step if atol is None else atol, dtype=real, name="atol")
        if data is None:
            data = [
                message or "",
                f"x and y not equal to tolerance rtol = {rtol.name}, atol = {atol.name}",
                f"x ({x.name}) = ",
                x,
                f"y ({y.name}) = ",
                y,
            ]
        near = api.less_equal(api.abs(x - y), atol + rtol * api.abs(y))
        return Assert(api.reduce_all(near), data, summarize=summarize)


def _sign_assertion(default_name: str, sign: str, compare: str) -> Callable[..., Operation]:
    def check(
        x: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Operation:
        with name_scope(name, default_name, [x, data]):
            x = convert_to_tensor(x, name="x")
            if data is None:
                data = [
                    message or "",
                    f"Condition x {sign} 0 did not hold element-wise:",
                    f"x ({x.name}) = ",
                    x,
                ]
            signs = getattr(api, compare)(x, api.constant(0, dtype=x.dtype.base_dtype))
            return Assert(api.reduce_all(signs), data, summarize=summarize)

    check.__name__ = check.__qualname__ = default_name
    check.__doc__ = f"An operation that fails unless every element is {sign} 0; see `assert_equal`."
    return check


assert_negative = _sign_assertion("assert_negative", "<", "less")
assert_positive = _sign_assertion("assert_positive", ">", "greater")
assert_non_negative = _sign_assertion("assert_non_negative", ">=", "greater_equal")
assert_non_positive = _sign_assertion("assert_non_positive", "<=", "less_equal")


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """True when no element is less than the one before it, in row-major order.

    Raises TypeError when `x` does not hold numbers.

    >>> import workbench as tf
    >>> tf.is_non_decreasing([1, 1, 3]).eval(), tf.is_strictly_increasing([1, 1, 3]).eval()
    (np.True_, np.False_)
    """
    with name_scope(name, "is_non_decreasing", [x]):
        return _all_neighbours("less_equal", x)


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """True when every element is greater than the one before it, in row-major order."""
    with name_scope(name, "is_strictly_increasing", [x]):
        return _all_neighbours("less", x)


def _all_neighbours(compare: str, x: Any) -> Tensor:
    x = api.reshape(convert_to_tensor(x, name="x"), [-1])
    if not is_numeric_tensor(x):
        raise TypeError(f"Expected x to be numeric, instead found: {x}")
    result: Tensor = api.reduce_all(getattr(api, compare)(x[:-1], x[1:]))
    return result
