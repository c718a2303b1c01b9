"""Stacks of tensors that live for one run: where old gradients of loops keep forward values.

Each run of the operation makes a stack of its own, and what its handle holds is that stack.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import Entries
from workbench.core.ops import shape_rules
from workbench.core.ops.declaration import declare


class Stack:
    """Values of one dtype: the last that was pushed is the first to be popped."""

    def __init__(self, dtype: np.dtype[Any], limit: int) -> None:
        self._dtype = dtype
        #: How many values it takes; negative for any number.
        self._limit = limit
        self._values: list[Any] = []
        self._is_closed = False

    def push(self, value: Any) -> None:
        """Keeps a copy of `value`."""
        self._check_open()
        array = np.asarray(value)
        if array.dtype != self._dtype:
            raise _invalid(
                f"Must have type {as_dtype(self._dtype).name} but got {as_dtype(array.dtype).name}"
            )
        if 0 <= self._limit <= len(self._values):
            raise _invalid(
                f"Stack overflowed its max_size ({self._limit}): it was made for no more values"
            )
        self._values.append(array.copy() if array.ndim else array[()])

    def pop(self) -> Any:
        """The last value, which it then has no more."""
        self._check_open()
        if not self._values:
            raise _invalid("Stack is empty when calling Pop()")
        return self._values.pop()

    def close(self) -> None:
        """Forgets all values; nothing can be done with it from now on."""
        self._values.clear()
        self._is_closed = True

    def _check_open(self) -> None:
        if self._is_closed:
            raise _invalid("Stack has already been closed.")


def _invalid(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(None, None, message)


def _make(max_size: Any, *, elem_type: Any) -> Stack:
    return Stack(elem_type, int(max_size))


def _make_old(*, elem_type: Any) -> Stack:
    return Stack(elem_type, -1)


def _push(handle: Stack, elem: Any) -> Any:
    handle.push(elem)
    return elem


def _pop(handle: Stack, *, elem_type: Any) -> Any:
    return handle.pop()


def _close(handle: Stack) -> None:
    handle.close()


def _handle_shape(op: Any) -> list[Entries]:
    return [(2,) if op.outputs[0].dtype.base_dtype.name == "string" else ()]


declare(
    "StackV2",
    inputs="max_size: int32",
    outputs="handle: resource",
    attrs="elem_type: type, stack_name: string = ''",
    shape=_handle_shape,
    kernel=_make,
    stateful=True,
)
declare(
    "Stack",
    outputs="handle: Ref(string)",
    attrs="elem_type: type, stack_name: string = ''",
    shape=_handle_shape,
    kernel=_make_old,
    stateful=True,
)
for _version, _type in (("V2", "resource"), ("", "Ref(string)")):
    declare(
        f"StackPush{_version}",
        inputs=f"handle: {_type}, elem: T",
        outputs="output: T",
        attrs="T: type, swap_memory: bool = false",
        shape=shape_rules.same(1),
        kernel=_push,
        stateful=True,
        aliases_input=True,
        updates=0,
    )
    declare(
        f"StackPop{_version}",
        inputs=f"handle: {_type}",
        outputs="elem: elem_type",
        attrs="elem_type: type",
        shape=shape_rules.unknown,
        kernel=_pop,
        stateful=True,
        updates=0,
    )
    declare(
        f"StackClose{_version}",
        inputs=f"handle: {_type}",
        shape=shape_rules.no_outputs,
        kernel=_close,
        stateful=True,
        updates=0,
    )
