"""Loops whose states stay in registers: `while condition(scalars): states = body(states)`.

What a pass computes of an element depends on that element and on scalars alone, and whether there
is another pass on scalars alone. So a few vectors of elements go through all passes before the next
ones begin, and nothing but the last states is written to memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.core.codegen.emitter import Register
from workbench.core.codegen.expressions import ExpressionEmitter, evaluate_together
from workbench.core.codegen.loop_access import Line, first_lanes
from workbench.core.codegen.loop_cost import weight
from workbench.core.codegen.loop_frame import BEGIN, END, CountedLoop, Frame, integer, minus, plus
from workbench.core.codegen.loop_shape import register_bytes
from workbench.core.codegen.repetition import Repetition
from workbench.core.codegen.specs import Code, Step
from workbench.core.codegen.target import Target

#: Vectors that go through the passes together: each waits for its own results most of the time.
_VECTORS = 4
#: Longer bodies have work enough with one vector, and registers for no more.
_LONG_BODY = 24.0


@dataclass(frozen=True)
class Body:
    """An expression of a loop; a `load` reads the variable of that number as this pass has it."""

    steps: tuple[Step, ...]
    roots: tuple[int, ...]


@dataclass(frozen=True)
class RepeatSpec:
    """A loop over states that are scalars, and others that are elements of arrays.

    Variables are numbered: the scalar states, the scalars that never change, the states that are
    elements, the elements that never change, and last what `scalar_body` gives beyond the next
    scalar states, for the body of the elements to read.

    `condition` has one root, a bool; it and `scalar_body` read scalars. The roots of
    `element_body` are the next states that are elements.
    """

    scalar_states: tuple[str, ...]
    scalars: tuple[str, ...]
    element_states: tuple[str, ...]
    elements: tuple[str, ...]
    condition: Body
    scalar_body: Body
    element_body: Body


def repeat_lanes(spec: RepeatSpec, target: Target) -> int:
    """The elements of a vector: a register's for the widest dtype, one where there are none."""
    if not spec.element_states:
        return 1
    dtypes = [*spec.element_states, *spec.elements, *(s.dtype for s in spec.element_body.steps)]
    floats = [dtype for dtype in dtypes if "float" in dtype]
    return target.vector_bytes // max(map(register_bytes, floats or dtypes))


def repeat_code(spec: RepeatSpec, target: Target) -> Code:
    """The function of a loop, for a range of elements (or one call for 1 if there are none).

    Its arguments are the addresses of the scalar states, of the scalars, of the arrays of the
    states and of the other arrays; then, for each scalar state, where its last value goes; the
    address of an int64 that gets the number of passes; and how many passes there are at most.
    Arrays of states are written in place.
    """
    return _RepeatWriter(spec, target).code()


class _RepeatWriter:
    def __init__(self, spec: RepeatSpec, target: Target) -> None:
        self._spec = spec
        self._frame = frame = Frame("repeat", target)
        self._emitter = frame.emitter
        self._lanes = repeat_lanes(spec, target)
        long = weight(spec.element_body.steps) > _LONG_BODY
        self._vectors = 1 if long or self._lanes == 1 else _VECTORS
        count = len(spec.scalar_states) + len(spec.scalars)
        self._scalar_dtypes = (*spec.scalar_states, *spec.scalars)
        self._element_dtypes = (*spec.element_states, *spec.elements)
        scalars = [frame.pointer(i) for i in range(count)]
        arrays = [frame.pointer(count + i) for i in range(len(self._element_dtypes))]
        place = count + len(arrays)
        self._results = [frame.pointer(place + i) for i in range(len(spec.scalar_states))]
        place += len(self._results)
        self._passes = frame.pointer(place)
        self._limit = frame.integer(place + 1)
        self._line = Line(self._emitter, self._element_dtypes, arrays, [1] * len(arrays))
        self._first = [
            self._emitter.load_element(pointer, dtype, 1)
            for pointer, dtype in zip(scalars, self._scalar_dtypes, strict=True)
        ]

    def code(self) -> Code:
        emitter, spec = self._emitter, self._spec
        begins = emitter.new_label("begins")
        ends = emitter.new_label("ends")
        if not spec.scalar_states:
            raise ValueError("a condition that nothing changes holds for ever")
        going = emitter.binary(
            "and", self._holds(self._first), emitter.compare("sgt", self._limit, integer(0))
        )
        emitter.branch(going, begins, ends)
        emitter.start_block(begins)
        if not spec.element_states:
            self._repeat([])
        else:
            width = self._vectors * self._lanes
            full = emitter.binary("and", emitter.binary("sub", END, BEGIN), integer(-width))
            middle = emitter.binary("add", BEGIN, full)
            with CountedLoop(emitter, BEGIN, middle, width).body() as index:
                self._repeat(
                    [
                        (integer(plus(emitter, index, self._lanes * i)), None)
                        for i in range(self._vectors)
                    ]
                )
            with CountedLoop(emitter, middle, END, self._lanes).body() as index:
                rest = integer(minus(emitter, END, index))
                self._repeat([(index, first_lanes(emitter, rest, self._lanes))])
        emitter.jump(ends)
        emitter.start_block(ends)
        return self._frame.code()

    def _holds(self, scalars: Sequence[Register]) -> Register:
        condition = self._spec.condition
        expression = ExpressionEmitter(
            self._emitter, condition.steps, 1, lambda _, step: scalars[int(step.value or 0)]
        )
        return expression.value(condition.roots[0])

    def _repeat(self, places: Sequence[tuple[Register, Register | None]]) -> None:
        """All passes for some vectors, each with its first element and mask."""
        emitter, spec, lanes = self._emitter, self._spec, self._lanes
        states = len(spec.element_states)
        fixed = [
            [self._line.load(states + i, index, lanes, mask) for i in range(len(spec.elements))]
            for index, mask in places
        ]
        start = [
            self._line.load(i, index, lanes, mask) for index, mask in places for i in range(states)
        ]
        own = len(spec.scalar_states)
        first = [integer(0), *self._first[:own], *start]
        loop = Repetition(emitter, first)
        passes, scalars = loop.now[0], [*loop.now[1 : 1 + own], *self._first[own:]]
        elements = [loop.now[1 + own + i * states :][:states] for i in range(len(places))]
        computed = self._scalar_results(scalars)
        following = self._element_results(scalars, computed[own:], elements, fixed)
        done = emitter.binary("add", passes, integer(1))
        within = emitter.compare("slt", done, self._limit)
        again = emitter.binary("and", self._holds([*computed[:own], *scalars[own:]]), within)
        loop.end([done, *computed[:own], *following], again)
        for number, (index, mask) in enumerate(places):
            for i in range(states):
                self._line.store(i, following[number * states + i], index, lanes, mask)
        for pointer, value, dtype in zip(self._results, computed, spec.scalar_states, strict=False):
            emitter.store_element(value, pointer, dtype, 1)
        emitter.store(done, self._passes, 8)

    def _scalar_results(self, scalars: Sequence[Register]) -> list[Register]:
        body = self._spec.scalar_body
        expression = ExpressionEmitter(
            self._emitter, body.steps, 1, lambda _, step: scalars[int(step.value or 0)]
        )
        expression.evaluate(body.roots)
        return [expression.values[root] for root in body.roots]

    def _element_results(
        self,
        scalars: Sequence[Register],
        computed: Sequence[Register],
        states: Sequence[Sequence[Register]],
        fixed: Sequence[Sequence[Register]],
    ) -> list[Register]:
        emitter, body, lanes = self._emitter, self._spec.element_body, self._lanes
        spread: dict[int, Register] = {}
        count = len(scalars)
        last = count + len(self._element_dtypes)

        def scalar(number: int) -> Register:
            """A scalar in all lanes."""
            if number not in spread:
                register = scalars[number] if number < count else computed[number - last]
                spread[number] = emitter.splat(register, lanes)
            return spread[number]

        def source_of(own: Sequence[Register]) -> ExpressionEmitter:
            def source(_: int, step: Step) -> Register:
                number = int(step.value or 0)
                return own[number - count] if count <= number < last else scalar(number)

            return ExpressionEmitter(emitter, body.steps, lanes, source)

        expressions = [source_of([*s, *f]) for s, f in zip(states, fixed, strict=True)]
        evaluate_together(expressions, body.roots)
        return [e.values[root] for e in expressions for root in body.roots]
