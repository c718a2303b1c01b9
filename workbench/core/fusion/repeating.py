"""From the plans of a loop's condition and body to a loop whose states stay in registers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.core.codegen.repeats import Body, RepeatSpec
from workbench.core.codegen.translation.builder import Builder, Flag, Parameter, live_steps
from workbench.core.codegen.translation.description import Expression
from workbench.core.codegen.translation.lookup import checked_kind, describe
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import CONSTANT, FEED, Node, Value
from workbench.core.plan.plan import Plan

#: Other shapes of the same elements in the same order.
RESHAPES = frozenset({"Reshape", "ExpandDims", "Squeeze", "Identity", "StopGradient"})
#: Numbers that stand in the code; others are read, so that loops that differ in them are one.
_LITERALS = frozenset({-1.0, 0.0, 0.5, 1.0, 2.0})
#: More steps in a pass have more values than registers.
_MOST_STEPS = 96


class Repeat(NamedTuple):
    """A loop for `repeats.repeat_code`, and what its variables stand for."""

    spec: RepeatSpec
    #: The numbers of the fed values that are scalar states, and of those that are arrays of states.
    scalar_states: tuple[int, ...]
    element_states: tuple[int, ...]
    #: What never changes: the number of a fed value, or an array.
    scalars: tuple[Any, ...]
    elements: tuple[Any, ...]
    #: Elements of the arrays; 0 where there are scalars only.
    size: int


def find_repeat(condition: Plan, body: Plan, states: int) -> Repeat:
    """The loop over the first `states` fed values, of which `body` gives the next ones.

    Both plans are fed the same values, those after the states never change.

    Raises:
      Unsupported: it is no such loop, with the reason.
    """
    shapes = [static_shape(feed.output()) for feed in body.feeds]
    if any(shape is None for shape in shapes):
        raise Unsupported("its shapes are not known before it runs")
    sizes = {math.prod(shape or ()) for shape in shapes[:states]}
    for plan in (condition, body):
        for step in plan.memory.steps:
            # Constants may say what the shape is, and be no elements themselves.
            outputs = 0 if step.node.type == CONSTANT else len(step.node.dtypes)
            for index in range(outputs):
                shape = static_shape(step.node.output(index))
                if shape is None:
                    raise Unsupported("its shapes are not known before it runs")
                sizes.add(math.prod(shape))
    sizes.discard(1)
    if len(sizes) > 1 or 0 in sizes:
        raise Unsupported("its states are arrays of different sizes")
    return _Finder(condition, body, states, next(iter(sizes), 0)).found()


class _Source(NamedTuple):
    """A variable: a state, a captured value or a constant, or a result of the scalar body."""

    kind: str
    key: Any


class _Finder:
    def __init__(self, condition: Plan, body: Plan, states: int, size: int) -> None:
        self._condition = condition
        self._body = body
        self._states = states
        self._size = size
        self._arrays: dict[int, np.ndarray[Any, Any]] = {}

    def found(self) -> Repeat:
        condition = _Expressions(self, self._condition)
        body = _Expressions(self, self._body)
        root = condition.scalar(self._condition.fetches[0])
        scalar_states: list[int] = []
        element_states: list[int] = []
        scalar_roots: list[int] = []
        element_roots: list[int] = []
        for number, value in enumerate(self._body.fetches):
            if self.is_scalar(value):
                scalar_states.append(number)
                scalar_roots.append(body.scalar(value))
            else:
                element_states.append(number)
                element_roots.append(body.element(value))
        if condition.elements.steps:
            raise Unsupported("whether it goes on depends on whole arrays")
        beyond = list(body.passed)
        scalar_roots += [body.scalar(value) for value in beyond]
        parts = [(condition.scalars, [root]), (body.scalars, scalar_roots)]
        parts.append((body.elements, element_roots))
        order = _Order(scalar_states, element_states)
        for builder, _ in parts:
            order.enter(builder, self)
        numbers = order.numbers(beyond)
        bodies = [_finished(builder, roots, numbers) for builder, roots in parts]
        spec = RepeatSpec(
            tuple(self._dtype(n) for n in scalar_states),
            tuple(order.dtype(s) for s in order.scalars),
            tuple(self._dtype(n) for n in element_states),
            tuple(order.dtype(s) for s in order.elements),
            *bodies,
        )
        return Repeat(
            spec,
            tuple(scalar_states),
            tuple(element_states),
            tuple(self._given(s) for s in order.scalars),
            tuple(self._given(s) for s in order.elements),
            self._size if element_states else 0,
        )

    def is_scalar(self, value: Value) -> bool:
        """True for values of one element."""
        return math.prod(static_shape(value) or ()) == 1

    def require_elements(self, value: Value) -> None:
        """Unsupported unless there is an element of a value for each element of the states."""
        if math.prod(static_shape(value) or ()) != self._size:
            raise Unsupported("its states are arrays of different sizes")

    def source(self, value: Value) -> _Source | None:
        """What a value is where it comes from outside of the pass."""
        node = value.node
        if node.type == FEED:
            number = int(node.attrs["index"])
            return _Source("state" if number < self._states else "captured", number)
        if node.type == CONSTANT:
            array = node.constant
            self._arrays[id(array)] = array
            return _Source("constant", id(array))
        return None

    def _dtype(self, number: int) -> str:
        return self._body.feeds[number].dtypes[0].base_dtype.name

    def _given(self, source: Any) -> Any:
        if isinstance(source, Parameter):
            return np.array(source.value, source.dtype)
        return self._arrays[source.key] if source.kind == "constant" else source.key


class _Expressions:
    """The scalars of a plan, and its elements, as expressions."""

    def __init__(self, finder: _Finder, plan: Plan) -> None:
        self._finder = finder
        self.scalars = Builder()
        self.elements = Builder()
        #: Results of the scalars that the elements read.
        self.passed: dict[Value, None] = {}
        self._steps: dict[tuple[bool, Value], int] = {}
        self._results: dict[tuple[bool, Node], list[int]] = {}
        self._order = [step.node for step in plan.memory.steps]
        for node in self._order:
            self._check(node)
        for node in self._order:
            # In order, so that nothing recurs deeply.
            for index in range(len(node.dtypes)):
                value = node.output(index)
                if node.type not in (FEED, CONSTANT):
                    (self.scalar if finder.is_scalar(value) else self.element)(value)

    def scalar(self, value: Value) -> int:
        """The step of a value of one element among the scalars."""
        return self._step(self.scalars, False, value)

    def element(self, value: Value) -> int:
        """The step of a value among the elements."""
        return self._step(self.elements, True, value)

    def _step(self, builder: Builder, among_elements: bool, value: Value) -> int:
        key = (among_elements, value)
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = self._made(builder, among_elements, value)
        return found

    def _made(self, builder: Builder, among_elements: bool, value: Value) -> int:
        dtype = value.dtype.base_dtype.name
        source = self._finder.source(value)
        if source is not None:
            if not self._finder.is_scalar(value):
                self._finder.require_elements(value)
            literal = _literal(value)
            if literal is not None:
                return builder.constant(literal, dtype)
            return builder.load((source, self._finder.is_scalar(value), dtype), dtype)
        if among_elements and self._finder.is_scalar(value):
            self.passed[value] = None
            return builder.load((_Source("result", value), True, dtype), dtype)
        node = value.node
        if node.type in RESHAPES:
            return self._step(builder, among_elements, node.inputs[0])
        results = self._results.get((among_elements, node))
        if results is None:
            description = describe(node)
            assert isinstance(description, Expression)
            arguments = [
                self._step(builder, among_elements, node.inputs[a.input])
                for a in description.inputs
            ]
            results = description.translate(builder, arguments)
            self._results[among_elements, node] = results
        return results[value.index]

    @staticmethod
    def _check(node: Node) -> None:
        if node.type in (FEED, CONSTANT) or node.type in RESHAPES:
            return
        if node.has_effect:
            raise Unsupported(f"{node.type} does more than compute")
        if checked_kind(node) != "expression":
            raise Unsupported(f"{node.type} is not computed element by element")
        description = describe(node)
        if not isinstance(description, Expression) or description.kind != "elementwise":
            raise Unsupported(f"{node.type} is not computed element by element")


class _Order:
    """The variables of a loop in the order in which they are numbered."""

    def __init__(self, scalar_states: Sequence[int], element_states: Sequence[int]) -> None:
        self._states = {n: i for i, n in enumerate(scalar_states)}
        self._element_states = {n: i for i, n in enumerate(element_states)}
        self.scalars: list[Any] = []
        self.elements: list[Any] = []
        self._dtypes: dict[Any, str] = {}

    def enter(self, builder: Builder, finder: _Finder) -> None:
        """Takes in what an expression reads and nothing changes."""
        operand: Any
        for operand in builder.operands:
            if isinstance(operand, Flag):
                raise Unsupported("it checks what it computes")
            source: Any = operand
            is_scalar, dtype = True, ""
            if isinstance(operand, Parameter):
                dtype = operand.dtype
            else:
                source, is_scalar, dtype = operand
                if source.kind in ("state", "result"):
                    continue
            self._dtypes[source] = dtype
            listed = self.scalars if is_scalar else self.elements
            if source not in listed:
                listed.append(source)

    def dtype(self, source: Any) -> str:
        """The dtype of what nothing changes."""
        return self._dtypes[source]

    def numbers(self, beyond: Sequence[Value]) -> Callable[[Any], int]:
        """Gives the number of an operand."""
        scalars = len(self._states)
        elements = scalars + len(self.scalars)
        fixed = elements + len(self._element_states)
        results = fixed + len(self.elements)
        # Results are numbered behind the next scalar states, which come first among them.
        own = {value: results + i for i, value in enumerate(beyond)}

        def number(operand: Any) -> int:
            if isinstance(operand, Parameter):
                return scalars + self.scalars.index(operand)
            source, is_scalar, _ = operand
            if source.kind == "result":
                return own[source.key]
            if source.kind == "state":
                return (
                    self._states[source.key]
                    if is_scalar
                    else elements + self._element_states[source.key]
                )
            if is_scalar:
                return scalars + self.scalars.index(source)
            return fixed + self.elements.index(source)

        return number


def _finished(builder: Builder, roots: Sequence[int], number: Callable[[Any], int]) -> Body:
    kept, renumbered = live_steps(builder.steps, roots)
    if len(kept) > _MOST_STEPS:
        raise Unsupported(f"a pass has {len(kept)} steps")
    steps = []
    for step in kept:
        if step.function == "load":
            step = step.__class__(
                "load", (), step.dtype, number(builder.operands[int(step.value or 0)])
            )
        elif step.function in ("check", "column") or step.function.startswith("row_"):
            raise Unsupported(f"{step.function} is not computed element by element")
        steps.append(step)
    return Body(tuple(steps), tuple(renumbered[root] for root in roots))


def _literal(value: Value) -> Any:
    """The number of a constant that stands in the code; None for others."""
    node = value.node
    if node.type != CONSTANT or node.constant.size != 1 or node.constant.dtype == object:
        return None
    number = node.constant.reshape(-1)[0].item()
    if isinstance(number, complex) or number not in _LITERALS:
        return None
    return None if math.copysign(1, number) < 0 and number == 0 else number
