"""A loop whose states stay in registers, bound to memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from workbench.core.codegen import host
from workbench.core.codegen.compiler import KernelLibrary
from workbench.core.codegen.driver import run
from workbench.core.codegen.repeats import repeat_code, repeat_lanes
from workbench.core.codegen.table import Record, Table
from workbench.core.fusion.repeating import find_repeat
from workbench.core.plan.plan import Plan
from workbench.core.runtime.loops.native import LoopResult, in_calls

#: Fewer elements than this are not worth a second thread.
_ELEMENTS_OF_A_THREAD = 1 << 12


class RegisterLoop:
    """Runs a loop that `find_repeat` knows.

    Raises:
      Unsupported: it does not know it.
      CompileError: LLVM refuses it.
    """

    kind = "its states in registers"

    def __init__(self, condition: Plan, body: Plan, states: int, threads: int = 1) -> None:
        target = host.target()
        assert target is not None
        self._repeat = find_repeat(condition, body, states)
        code = repeat_code(self._repeat.spec, target)
        self._function = KernelLibrary.shared().compile([code])[code.name]
        self._shapes = [feed.shapes[0] for feed in body.feeds[:states]]
        self._dtypes = [feed.dtypes[0].base_dtype.numpy_dtype for feed in body.feeds]
        size = self._repeat.size
        self._threads = threads if size >= 2 * _ELEMENTS_OF_A_THREAD else 1
        block = 8 * repeat_lanes(self._repeat.spec, target)
        self._chunk = -(-max(1, size) // self._threads // block) * block or 1

    def run(
        self,
        states: Sequence[Any],
        captured: Sequence[Any],
        look: Callable[[], None] | None = None,
        limit: int | None = None,
        wanted: Collection[int] | None = None,
    ) -> LoopResult:
        """See `NativeLoop.run`."""
        repeat = self._repeat
        values = [*states, *captured]
        scalars = [self._array(values, n).copy() for n in repeat.scalar_states]
        elements = [self._array(values, n).copy() for n in repeat.element_states]
        last = [np.empty_like(array) for array in scalars]
        fixed = [self._given(values, source) for source in repeat.scalars]
        arrays = [self._given(values, source) for source in repeat.elements]
        passes = np.zeros(1, np.int64)
        bound = [*scalars, *fixed, *elements, *arrays, *last, passes]
        words = (*(array.ctypes.data for array in bound), 0)
        units = max(1, repeat.size)
        table = Table([Record(self._function, words, units, self._chunk)], self._threads)
        limit_at = len(words) - 1

        def call(most: int) -> tuple[int, bool]:
            table.arguments[limit_at] = most
            passes[0] = 0
            run(table)
            done = int(passes[0])
            if done:
                for array, value in zip(scalars, last, strict=True):
                    array[...] = value
            return done, done < most

        done, is_over = in_calls(call, look, limit)
        results = dict(zip(repeat.scalar_states, scalars, strict=True))
        results |= dict(zip(repeat.element_states, elements, strict=True))
        ordered = [results[n].reshape(s) for n, s in enumerate(self._shapes)]
        return LoopResult([a[()] for a in ordered], done, is_over)

    def _array(self, values: Sequence[Any], number: int) -> np.ndarray[Any, Any]:
        return np.require(values[number], self._dtypes[number], ["C", "A"])

    def _given(self, values: Sequence[Any], source: Any) -> np.ndarray[Any, Any]:
        if isinstance(source, int):
            return self._array(values, source)
        return np.require(source, None, ["C", "A"])
