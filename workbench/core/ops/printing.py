"""Operations that speak while a graph runs: Print, and Assert, which ends the run."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.context import name_scope
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.summary_text import summarize as summary
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call, create
from workbench.core.ops.declaration import NOT_DIFFERENTIABLE, declare, sample


def _described(data: tuple[Any, ...], limit: int, separator: str) -> str:
    return separator.join(f"[{summary(value, limit)}]" for value in data)


class _Calls:
    """How often an operation printed in a session."""

    def __init__(self) -> None:
        self.count = 0

    def saved(self) -> dict[str, int]:
        return {"count": self.count}

    def restore(self, saved: dict[str, int]) -> None:
        self.count = int(saved["count"])


def _print(
    input: Any,
    data: tuple[Any, ...],
    *,
    message: str,
    first_n: int,
    summarize: int,
    context: Any,
) -> Any:
    if first_n >= 0:
        calls = context.resource(_Calls)
        if calls.count >= first_n:
            return input
        calls.count += 1
    print(message + _described(data, summarize, ""), file=sys.stderr, flush=True)
    return input


declare(
    "Print",
    inputs="input: T, data: U",
    outputs="output: T",
    attrs='T: type, U: list(type) >= 0, message: string = "", first_n: int = -1, '
    "summarize: int = 3",
    shape=shape_rules.first,
    kernel=_print,
    gradient=lambda op, dy: [dy] + [None] * (len(op.inputs) - 1),
    stateful=True,
    aliases_input=True,
    samples=[sample([1.0, 2.0], ([3, 4],), first_n=0, want=[1.0, 2.0])],
)


def _assert(condition: Any, data: tuple[Any, ...], *, summarize: int) -> None:
    if np.ndim(condition):
        raise InvalidArgumentError(
            None, None, f"condition must be a scalar, got shape {list(np.shape(condition))}"
        )
    if not condition:
        raise InvalidArgumentError(
            None, None, f"assertion failed: {_described(data, summarize, ' ')}"
        )


declare(
    "Assert",
    inputs="condition: bool, data: T",
    attrs="T: list(type) >= 1, summarize: int = 3",
    shape=shape_rules.no_outputs,
    kernel=_assert,
    gradient=NOT_DIFFERENTIABLE,
    stateful=True,
    samples=[sample(True, ([1.0],))],
)


def Print(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`input_`; whenever a run computes it, the tensors in `data` are written to standard error.

    `message` goes in front, `first_n` limits how often, `summarize` how many elements of each
    tensor are shown (3; -1 for all).
    """
    return call(
        "Print",
        name,
        input=input_,
        data=data,
        message=message,
        first_n=first_n,
        summarize=summarize,
    )


def Assert(
    condition: Any, data: Any, summarize: int | None = None, name: str | None = None
) -> Operation:
    """An operation that fails, showing the tensors in `data`, when `condition` is false.

    It runs when it is fetched or waited for:
    `with tf.control_dependencies([tf.Assert(...)]): ...`

    >>> import workbench as tf
    >>> tf.Assert(tf.less(2, 1), ["two is more", 2]).run()
    Traceback (most recent call last):
    workbench.core.errors.InvalidArgumentError: ...assertion failed: [two is more] [2]...
    """
    with name_scope(name, "Assert", [condition, data]):
        return create("Assert", None, condition=condition, data=data, summarize=summarize)
