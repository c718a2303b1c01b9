"""Python functions as operations (`tf.py_func`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.ops.creation import create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare
from workbench.core.ops.made_here import Absence, keep, kept


class _Function:
    """A user's function, and the types of its results."""

    def __init__(self, function: Callable[..., Any], types: Sequence[DType]) -> None:
        self.function = function
        self.types = tuple(types)


_numbers = itertools.count()
_ABSENCE = Absence(
    elsewhere=(
        "The Python function of {name} is in the process that made it, and cannot be called in "
        "another one: pin the operation to a task of that process"
    ),
    imported=(
        "The Python function of {name} did not come with its graph, which was imported: functions "
        "are called only in the process that made them. Import the graph with the result of "
        "another `tf.py_func` in the place of that of the old one, input_map={{'PyFunc:0': ...}}"
    ),
)


def _call(inputs: Any, *, token: str, context: Any) -> Any:
    found: _Function = kept(context.operation, _ABSENCE)
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
    op = create(
        "PyFunc" if stateful else "PyFuncStateless",
        name,
        input=[convert_to_tensor(value) for value in inp],
        token=f"pyfunc_{next(_numbers)}",
        Tout=types,
    )
    keep(op, _Function(func, types))
    if not several:
        return op.outputs[0]
    return list(op.outputs) if types or not stateful else op
