"""The steps of an expression as instructions: in loops, and after products, convolutions, poolings.

A generator says where values come from that no step computes (elements of operands, an accumulator,
sums of rows); everything else is the same wherever an expression stands, so its bits are as well.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np

from workbench.core.codegen.emitter import Emitter, Register, element_type, suffix
from workbench.core.codegen.functions import emit_function
from workbench.core.codegen.specs import Operand, Step

#: The value of a step that is not computed from others: its number, and the step.
Source = Callable[[int, Step], Register]

_ROW_STEPS = ("row_sum", "row_max", "row_min", "row_prod", "row_all", "row_any")
_COLUMN_STEPS = tuple(name.replace("row", "column") for name in _ROW_STEPS)

#: Steps that reduce over the innermost dimension, or over the rows.
REDUCTIONS = frozenset(_ROW_STEPS + _COLUMN_STEPS)

#: Steps whose values come from the generator.
SOURCES = frozenset({"load", "column", "accumulator"}) | REDUCTIONS


def is_row_reduction(step: Step) -> bool:
    """True for `row_sum` and its like."""
    return step.function in _ROW_STEPS


def constant_register(
    emitter: Emitter, dtype: str, value: float | int | bool, lanes: int
) -> Register:
    """A constant of a dtype, rounded to it, in all lanes.

    >>> constant_register(Emitter(), "bfloat16", 1.001, 1).name
    '0x3FF0000000000000'
    """
    if dtype == "float16":
        with np.errstate(over="ignore"):
            value = float(np.float16(value))
    elif dtype == "bfloat16":
        value = _bfloat16(float(value))
    return emitter.constant(element_type(dtype), value, lanes)


def _bfloat16(value: float) -> float:
    """Rounded to nearest, ties to even, from its single precision."""
    with np.errstate(over="ignore"):
        single = np.float32(value)
    if not np.isfinite(single):
        return float(single)
    bits = int(single.view(np.uint32))
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


def invariant_steps(
    steps: Sequence[Step], is_invariant_source: Callable[[Step], bool]
) -> frozenset[int]:
    """The steps that depend on constants and such sources alone.

    >>> double = (Step("load", (), "float32", 0), Step("add", (0, 0), "float32"))
    >>> sorted(invariant_steps(double, lambda step: True))
    [0, 1]
    """
    found: set[int] = set()
    for index, step in enumerate(steps):
        if step.function == "check":
            continue
        if step.function in SOURCES:
            if is_invariant_source(step) and found.issuperset(step.arguments):
                found.add(index)
        elif found.issuperset(step.arguments):
            found.add(index)
    return frozenset(found)


def evaluation_order(
    steps: Sequence[Step], roots: Iterable[int], known: Collection[int] = ()
) -> list[int]:
    """The steps that the roots need, arguments first, so that few values are alive at a time.

    The argument that itself needs the most registers comes first, as Sethi and Ullman have it.

    >>> steps = (
    ...     Step("load", (), "float32", 0),
    ...     Step("load", (), "float32", 1),
    ...     Step("exp", (1,), "float32"),
    ...     Step("add", (2, 2), "float32"),
    ...     Step("subtract", (0, 3), "float32"),
    ... )
    >>> evaluation_order(steps, [4])
    [1, 2, 3, 0, 4]
    """
    need: list[int] = []
    for step in steps:
        sizes = sorted((need[argument] for argument in set(step.arguments)), reverse=True)
        need.append(max([size + place for place, size in enumerate(sizes)], default=1))
    order: list[int] = []
    done = set(known)
    for root in roots:
        waiting = [(root, False)]
        while waiting:
            index, arguments_done = waiting.pop()
            if index in done:
                continue
            if arguments_done:
                done.add(index)
                order.append(index)
                continue
            waiting.append((index, True))
            # The last one pushed is the first one evaluated.
            ranked = sorted(
                dict.fromkeys(_inputs(steps[index])), key=lambda argument: need[argument]
            )
            waiting.extend((argument, False) for argument in ranked)
    return order


def _inputs(step: Step) -> tuple[int, ...]:
    # The argument of a reduction is evaluated by the loop that reduces.
    return () if step.function in REDUCTIONS else step.arguments


def raise_flag(emitter: Emitter, failed: Register, flag: Register) -> None:
    """Sets an int32 to 1 if any lane failed, in a block of its own."""
    if failed.type != "i1":
        failed = emitter.call(f"@llvm.vector.reduce.or.{suffix(failed.type)}", "i1", failed)
    fails, passes = emitter.new_label("fails"), emitter.new_label("passes")
    emitter.branch(failed, fails, passes)
    emitter.start_block(fails)
    emitter.store(emitter.constant("i32", 1), flag, 4)
    emitter.jump(passes)
    emitter.start_block(passes)


class ExpressionEmitter:
    """Emits the steps of an expression at one place, each once, when its value is asked for.

    `source` gives the values of steps in `SOURCES`. `known` has those that are there already, for
    instance because they do not change in a loop. `mask` says which lanes count for `check`, and
    `flag` gives the address of the int32 that a failed one sets. A `check` ends the current block:
    a phi that follows names `emitter.block`.

    >>> emitter = Emitter()
    >>> double = (Step("load", (), "float32", 0), Step("add", (0, 0), "float32"))
    >>> expression = ExpressionEmitter(
    ...     emitter, double, 4, lambda index, step: Register("%x", "<4 x float>")
    ... )
    >>> expression.value(1)
    Register(name='%v1', type='<4 x float>')
    >>> emitter.lines
    ['  %v1 = fadd <4 x float> %x, %x']
    """

    def __init__(
        self,
        emitter: Emitter,
        steps: Sequence[Step],
        lanes: int,
        source: Source,
        *,
        known: Mapping[int, Register] | None = None,
        mask: Register | None = None,
        flag: Callable[[int], Register] | None = None,
    ) -> None:
        self.emitter = emitter
        self.steps = steps
        self.lanes = lanes
        self.values: dict[int, Register] = dict(known or {})
        self._source = source
        self._mask = mask
        self._flag = flag

    def value(self, index: int) -> Register:
        """The register of a step; emits what it needs and is not there yet."""
        self.evaluate([index])
        return self.values[index]

    def evaluate(self, roots: Iterable[int]) -> None:
        """Emits all that these steps need, and themselves."""
        evaluate_together([self], roots)

    def emit(self, index: int) -> None:
        """Emits one step, whose arguments are there."""
        if self.steps[index].function == "check":
            self._check(index)
        else:
            self.values[index] = self._emit(index)

    def checks(self) -> None:
        """Emits the `check` steps."""
        self.evaluate(i for i, step in enumerate(self.steps) if step.function == "check")

    def _emit(self, index: int) -> Register:
        step = self.steps[index]
        if step.function == "constant":
            assert step.value is not None
            return constant_register(self.emitter, step.dtype, step.value, self.lanes)
        if step.function in SOURCES:
            return self._source(index, step)
        return emit_function(
            self.emitter,
            step.function,
            step.dtype,
            [self.values[argument] for argument in step.arguments],
            [self.steps[argument].dtype for argument in step.arguments],
            self.lanes,
        )

    def _check(self, index: int) -> None:
        step = self.steps[index]
        assert self._flag is not None and step.value is not None
        emitter = self.emitter
        holds = self.values[step.arguments[0]]
        failed = emitter.binary("xor", holds, emitter.constant("i1", True, self.lanes))
        if self._mask is not None:
            failed = emitter.binary("and", failed, self._mask)
        raise_flag(emitter, failed, self._flag(int(step.value)))
        self.values[index] = holds


def evaluate_together(expressions: Sequence[ExpressionEmitter], roots: Iterable[int]) -> None:
    """Evaluates one expression at several places, step by step.

    Long chains of instructions that wait for each other leave a processor idle; with those of
    another place between them it is not. All places have the same values already.
    """
    if not expressions:
        return
    first = expressions[0]
    for index in evaluation_order(first.steps, roots, first.values):
        for expression in expressions:
            expression.emit(index)


def scalar_operands(operands: Sequence[Operand]) -> frozenset[int]:
    """The operands that are one element for the whole kernel: to be loaded outside of its loops."""
    return frozenset(number for number, operand in enumerate(operands) if not any(operand.strides))


def emit_invariants(
    emitter: Emitter,
    steps: Sequence[Step],
    operands: Sequence[Operand],
    pointers: Sequence[Register],
    lanes: int,
    *,
    roots: Iterable[int] = (),
    stored: Collection[int] = (),
) -> dict[int, Register]:
    """What of an expression is the same for the whole kernel, loaded and computed once.

    `roots` are the steps that are stored. Operands that the kernel itself stores to (`stored`) are
    left out. The result is `known` of an `ExpressionEmitter`: what is a root, or what a step that
    does change needs.
    """
    scalars = scalar_operands(operands) - set(stored)
    found = invariant_steps(steps, lambda step: step.function == "load" and step.value in scalars)

    def source(index: int, step: Step) -> Register:
        assert isinstance(step.value, int)
        dtype = operands[step.value].dtype
        return emitter.splat(emitter.load_element(pointers[step.value], dtype, 1), lanes)

    expression = ExpressionEmitter(emitter, steps, lanes, source)
    used = set(roots)
    for index, step in enumerate(steps):
        if index not in found:
            used.update(step.arguments)
    expression.evaluate(sorted(found & used))
    return {index: expression.values[index] for index in sorted(found & used)}
