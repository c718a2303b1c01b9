"""Running conditionals and loops: their bodies are programs of their own in the same session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph.body import CONDITIONALS, Body
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.list_elements import VARIANT, is_full
from workbench.core.kernels.tensor_list import TensorList
from workbench.core.ops.lists.element_types import ElementType, element_type
from workbench.core.plan.bodies import fed_arguments
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import HANDLE, Node, Value
from workbench.core.plan.plan import Plan, make_plan
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime.body_program import BodyMaker
from workbench.core.runtime.failures import (
    in_construct,
    make_error,
    missing_feeds_error,
    passes_of,
    program_error,
)
from workbench.core.runtime.loops.native import LoopResult, NativeLoop
from workbench.core.runtime.program import Program
from workbench.core.sync.scope import Scope, current

Values = tuple[Any, ...]
_Shape = tuple[int, ...] | ElementType
Shapes = tuple[_Shape, ...]
Constants = Mapping[Tensor, np.ndarray[Any, Any]]

#: After so many passes it is asked whether machine code could go on with a loop.
_PATIENCE = 64
#: From this many shapes on, a body runs one program for all shapes.
_SPECIALISED = 8


def make_step(node: Node, maker: BodyMaker) -> Callable[..., Values]:
    """What runs a conditional or loop: a function from its inputs to its outputs.

    It takes the inputs that `handed_inputs` tells and gives the outputs that are used, in order.
    `maker` makes what runs the bodies.
    """
    kind = _Conditional if node.type in CONDITIONALS else _Loop
    return kind(node, maker).run


def handed_inputs(node: Node) -> list[int]:
    """The inputs of a conditional or loop that have a value in each run.

    Bodies have variables themselves, and constants in their plans.
    """
    if node.type in CONDITIONALS:
        return [0, *(i for i, v in enumerate(node.inputs) if i and not _is_settled(v))]
    body = node.attrs["body"]
    return [
        i
        for i, value in enumerate(node.inputs)
        if value.node.type != HANDLE and not (_is_settled(value) and _is_invariant(body, i))
    ]


def _is_settled(value: Value) -> bool:
    return value.node.type == HANDLE or value.node.is_constant


def _is_invariant(body: Body, index: int) -> bool:
    return body.results[index] is body.arguments[index]


def _constants(body: Body, values: Sequence[Value], settled: Iterable[int]) -> Constants:
    """What arguments of a body are, as far as it is the same in each run."""
    return {
        body.arguments[i]: values[i].node.constant for i in settled if values[i].node.is_constant
    }


class BodyPrograms:
    """The programs of one body in one session, made on first use for the shapes that come."""

    def __init__(
        self, maker: BodyMaker, body: Body, results: Sequence[Tensor], constants: Constants
    ) -> None:
        self.body = body
        self._constants = constants
        self._maker = maker
        self._results = list(results)
        self._fed = [t for t in fed_arguments(body) if t not in constants]
        self._by_shapes: dict[Shapes, Program] = {}
        self._lock = threading.Lock()
        shapes = [_known(t) for t in self._fed]
        #: The one program, where shapes are known beforehand or there are too many.
        self.general: Program | None = None
        self._is_static = all(s is not None for s in shapes)

    def of(self, values: Values) -> Program:
        """The program for arguments of these values' shapes."""
        if self.general is not None:
            return self.general
        if self._is_static:
            return self._make_general()
        shapes = tuple([_shape_of(v) for v in values])
        program = self._by_shapes.get(shapes)
        if program is not None:
            return program
        if len(self._by_shapes) >= _SPECIALISED:
            return self._make_general()
        with self._lock:
            program = self._by_shapes.get(shapes)
            if program is None:
                program = self._by_shapes[shapes] = self._write(shapes)
        return program

    def _make_general(self) -> Program:
        with self._lock:
            if self.general is None:
                self.general = self._write([None] * len(self._fed))
            return self.general

    def _write(self, shapes: Sequence[_Shape | None]) -> Program:
        given = list(zip(self._fed, shapes, strict=True))
        known = [s if _has_shape(t) and not isinstance(s, ElementType) else None for t, s in given]
        lists = {t: s for t, s in given if isinstance(s, ElementType)}
        fed = [*self._fed, *self._constants]
        order = needed_operations(self._results, (), fed)
        missing = missing_feeds_error(order, self._results, fed)
        if missing is not None:
            raise missing
        plan = make_plan(self._results, (), self._fed, known, True, self._constants, lists)
        return self._maker.program(plan)


def keeps_shapes(plan: Plan) -> bool:
    """True where the results have the shapes of the first of the arguments, for sure."""
    for feed, result in zip(plan.feeds, plan.fetches, strict=False):
        shape = static_shape(feed.output())
        if shape is None or static_shape(result) != shape:
            return False
    return plan.misfit is None


def _known(tensor: Tensor) -> tuple[int, ...] | None:
    entries = tensor.entries
    if not _has_shape(tensor):
        found = element_type(tensor)
        return () if found is None or TensorShape.of(found.entries).is_fully_defined() else None
    if entries is None or not all(isinstance(e, int) for e in entries):
        return None
    return entries  # type: ignore[return-value]


def _shape_of(value: Any) -> _Shape:
    """The shape of a value; of a list, what its elements are like, if it is known of all."""
    if isinstance(value, TensorList):
        whole, kind = value.whole, value.kind
        shape = kind.shape if whole is None else whole.shape[1:]
        is_known = is_full(shape) and kind.dtype is not VARIANT
        return ElementType(as_dtype(kind.dtype), shape) if is_known else ()
    shape = getattr(value, "shape", ())
    return shape


def _has_shape(tensor: Tensor) -> bool:
    """True where the value is an array: lists and resources are single things."""
    return tensor.dtype.base_dtype.name not in ("variant", "resource")


class _Conditional:
    """A conditional in a session."""

    def __init__(self, node: Node, maker: BodyMaker) -> None:
        self._node = node
        self._session = maker.session
        self._turns = maker.turns
        values = node.inputs[1:]
        self._branches = [
            BodyPrograms(maker, body, body.results, _constants(body, values, range(len(values))))
            for body in (node.attrs["else_branch"], node.attrs["then_branch"])
        ]

    def run(self, predicate: Any, *values: Any) -> Values:
        if type(predicate) is not np.bool_ and np.ndim(predicate):
            raise errors.InvalidArgumentError(
                None, None, f"The predicate must be a scalar, got shape {np.shape(predicate)}"
            )
        branch = self._branches[1 if predicate else 0]
        if self._turns is not None:
            self._turns.branch(self._node, bool(predicate))
        program = branch.of(values)
        try:
            return program.run(*values)
        except Exception as error:
            raise _located(error, self._node, program) from None


class _Loop:
    """A loop in a session.

    Of its variables some change, others are the same in each iteration; those that are constants
    of the plan are no arguments of the programs.
    """

    def __init__(self, node: Node, maker: BodyMaker) -> None:
        self._node = node
        self._session = maker.session
        condition, body = node.attrs["cond"], node.attrs["body"]
        handed = handed_inputs(node)
        changing = [i for i in handed if not _is_invariant(body, i)]
        lasting = [i for i in handed if i not in changing]
        order = [*changing, *lasting]
        self._count = len(changing)
        self._order = [handed.index(i) for i in order]
        settled = [i for i in range(len(node.inputs)) if i not in handed]
        #: For each used output its place among the variables, or its value.
        self._used = [
            (order.index(i), None) if i in order else (-1, _plain(node.inputs[i].node.constant))
            for i in node.attrs["used"]
        ]
        self._wanted = {i for i, _ in self._used if 0 <= i < self._count}
        self._condition = BodyPrograms(
            maker,
            _reordered(condition, order),
            condition.results,
            _constants(condition, node.inputs, settled),
        )
        self._body = BodyPrograms(
            maker,
            _reordered(body, order),
            [body.results[i] for i in changing],
            _constants(body, node.inputs, settled),
        )
        self._maker = maker
        self._turns = maker.turns

    def run(self, *values: Any) -> Values:
        count = self._count
        ordered = tuple([values[i] for i in self._order])
        state, constant = ordered[:count], ordered[count:]
        condition, body = self._condition.of(ordered), self._body.of(ordered)
        steady = keeps_shapes(body.plan)
        if steady:
            found = self._by_machine_code(self._maker.loop, condition, body, state, constant)
            if found is not None:
                return self._outputs((*found.states, *constant), found.passes)
        iteration = 0
        running = condition
        try:
            while True:
                running = condition
                if not condition.run(*state, *constant)[0]:
                    break
                self._check()
                running = body
                state = body.run(*state, *constant)
                iteration += 1
                if not iteration % _PATIENCE and steady:
                    meanwhile = self._maker.loop_meanwhile
                    found = self._by_machine_code(meanwhile, condition, body, state, constant)
                    if found is not None:
                        return self._outputs((*found.states, *constant), iteration + found.passes)
                if not steady:
                    now = (*state, *constant)
                    condition, body = self._condition.of(now), self._body.of(now)
        except Exception as error:
            raise _located(error, self._node, running, iteration) from None
        return self._outputs((*state, *constant), iteration)

    def _outputs(self, final: Values, passes: int) -> Values:
        """The outputs that are used, from the last values of the variables."""
        if self._turns is not None:
            self._turns.loop(self._node, passes)
        return tuple([final[i] if i >= 0 else value for i, value in self._used])

    def _check(self) -> None:
        """Between passes: raises where the loop is to end."""
        if self._session._closed:
            raise errors.CancelledError(None, None, "The session was closed.")
        scope = current()
        if scope is not None:
            _check_scope(scope)

    def _by_machine_code(
        self,
        loop: Callable[[Plan, Plan, int], Any],
        condition: Program,
        body: Program,
        state: Values,
        constant: Values,
    ) -> LoopResult | None:
        """What comes of it where machine code goes through all passes that are left; else None."""
        native: NativeLoop | None = loop(condition.plan, body.plan, self._count)
        if native is None:
            return None
        return native.run(state, constant, self._check, wanted=self._wanted)


def _check_scope(scope: Scope) -> None:
    if scope.is_cancelled:
        raise errors.CancelledError(None, None, "The run was cancelled.")
    if scope.deadline is not None and time.monotonic() >= scope.deadline:
        raise errors.DeadlineExceededError(
            None, None, f"The run was not done after {scope.seconds:g} s: a loop goes on."
        )


def _plain(value: Any) -> Any:
    return value[()] if not value.ndim else value


def _reordered(body: Body, order: Sequence[int]) -> Body:
    """The same body with those of its arguments that have values, in another order."""
    arguments = [body.arguments[i] for i in order]
    return Body(body.graph, arguments, body.results, body.name)


def _located(
    error: Exception, node: Node, program: Program, iteration: int | None = None
) -> Exception:
    """An error of a body, with the operation inside, and where that is."""
    found = program_error(program, error)
    failure = error if found is None else found
    operation = node.origin
    if not isinstance(failure, errors.OpError) or failure.op is None or operation is None:
        return failure
    # Errors of shapes belong to plans: they are not changed.
    place = in_construct(operation, iteration) + passes_of(node)
    located = make_error(type(failure), failure.op, failure.message + place)
    located.inputs = failure.inputs
    return located


__all__ = ["BodyPrograms", "handed_inputs", "keeps_shapes", "make_step"]
