"""Python functions as operations (`tf.py_func`)."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare


class _Function:
    """A user's function under its token; graphs keep it alive."""

    def __init__(self, function: Callable[..., Any], types: Sequence[DType]) -> None:
        self.function = function
        self.types = tuple(types)


_functions: weakref.WeakValueDictionary[str, _Function] = weakref.WeakValueDictionary()
_numbers = itertools.count()


def _call(inputs: Any, *, token: str) -> Any:
    found = _functions.get(token)
    if found is None:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"There is no function {token!r} in this process: graphs with Python functions work "
            "only where they were made",
        )
    try:
        returned = found.function(*inputs)
    except (errors.OpError, TypeError, ValueError, StopIteration, MemoryError, NotImplementedError):
        raise
    except Exception as error:
        raise errors.UnknownError(None, None, f"{type(error).__name__}: {error}") from error
    values = list(returned) if isinstance(returned, (list, tuple)) else [returned]
    if returned is None and not found.types:
        values = []
    if len(found.types) == 1 and len(values) != 1:
        # A list for one result is that result.
        values = [returned]
    if len(values) != len(found.types):
        raise errors.InvalidArgumentError(
            None,
            None,
            f"{token} returns {len(values)} values, but expects to see {len(found.types)} values.",
        )
    results = [_result(v, t, i) for i, (v, t) in enumerate(zip(values, found.types, strict=True))]
    return results[0] if len(results) == 1 else tuple(results)


def _result(value: Any, wanted: DType, position: int) -> Any:
    if wanted.name == "string":
        array = np.asarray(value, dtype=object)
        as_bytes = np.vectorize(
            lambda v: v.encode() if isinstance(v, str) else bytes(v), otypes=[object]
        )
        array = as_bytes(array) if array.size else array
    else:
        array = np.asarray(value)
        if array.dtype != wanted.as_numpy_dtype:
            raise errors.InvalidArgumentError(
                None,
                None,
                f"{position}-th value returned by the function is {array.dtype}, but expects "
                f"{wanted.name}",
            )
    return array[()] if array.ndim == 0 else array


for _type, _stateful in (("PyFunc", True), ("PyFuncStateless", False)):
    declare(
        _type,
        inputs="input: Tin",
        outputs="output: Tout",
        attrs="token: string, Tin: list(type) >= 0, Tout: list(type) >= 0",
        shape=lambda op: [None] * len(op.outputs),
        kernel=_call,
        stateful=_stateful,
        # One user's function may wait for what another one does.
        blocking=_stateful,
        gradient=NOT_DIFFERENTIABLE,
    )


def py_func(
    func: Callable[..., Any], inp: Sequence[Any], Tout: Any, stateful: bool = True, name: Any = None
) -> Any:
    """`func` of the arrays of `inp`, called in each run; its results have the dtypes `Tout`.

    `Tout` is a dtype (then one tensor is returned) or a list of them (then a list). The shapes of
    the results are unknown. A function without effects may be called `stateful=False`. Functions
    that do not depend on each other may run at the same time. A run fails where a result has
    another dtype; what the function raises comes out as an error of the run.

    >>> import workbench as tf
    >>> tf.py_func(lambda a, b: a + 10 * b, [1.0, 2.0], tf.float32).eval()
    np.float32(21.0)
    """
    if not callable(func):
        raise ValueError(f"py_func expected func to be callable, got {func!r}")
    several = isinstance(Tout, (list, tuple))
    types = [as_dtype(t) for t in (Tout if several else [Tout])]
    token = f"pyfunc_{next(_numbers)}"
    function = _functions[token] = _Function(func, types)
    graph: Any = get_default_graph()
    while graph is not None:
        # The graphs around the body of a function live as long as what is made of it.
        graph.python_functions.append(function)
        graph = getattr(graph, "outer", None)
    op = create(
        "PyFunc" if stateful else "PyFuncStateless",
        name,
        input=[convert_to_tensor(value) for value in inp],
        token=token,
        Tout=types,
    )
    if not several:
        return op.outputs[0]
    return list(op.outputs) if types or not stateful else op
