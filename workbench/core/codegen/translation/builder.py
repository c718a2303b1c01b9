"""Collects the steps of an expression, each once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from workbench.core.codegen.flag import Flag as Flag
from workbench.core.codegen.specs import Step
from workbench.core.graph.dtypes import as_dtype

Number = int | float | bool


class Parameter(NamedTuple):
    """A number that follows from sizes, such as how many rows there are.

    It is an operand of one element and no part of the code, which is the same for all sizes.
    """

    value: Number
    dtype: str


class Builder:
    """The steps of an expression and what its operands stand for.

    Operands are known by their sources: whatever their owner tells arrays apart by, a `Parameter`
    or a `Flag`. They are numbered in the order in which they are asked for, behind the given ones.

    >>> builder = Builder(["x"])
    >>> x = builder.load("x", "float32")
    >>> total = builder.apply("add", x, builder.load("y", "float32"))
    >>> builder.apply("add", x, builder.load("y", "float32")) == total
    True
    >>> builder.operands, len(builder.steps)
    (['x', 'y'], 3)
    """

    def __init__(self, operands: Iterable[Hashable] = ()) -> None:
        self.operands: list[Hashable] = list(operands)
        self.steps: list[Step] = []
        self._operand_numbers = {source: i for i, source in enumerate(self.operands)}
        self._step_numbers: dict[Hashable, int] = {}

    def operand(self, source: Hashable) -> int:
        """The number of the operand with that source."""
        number = self._operand_numbers.setdefault(source, len(self.operands))
        if number == len(self.operands):
            self.operands.append(source)
        return number

    def load(self, source: Hashable, dtype: str) -> int:
        """The element of an operand."""
        return self._step(Step("load", (), dtype, self.operand(source)))

    def parameter(self, value: Number, dtype: str) -> int:
        """A number that follows from sizes."""
        return self.load(Parameter(value, dtype), dtype)

    def constant(self, value: Number, dtype: str) -> int:
        """A number that never changes, rounded to its dtype."""
        rounded: Number = as_dtype(dtype).as_numpy_dtype(value)
        kind = bool if dtype == "bool" else float if as_dtype(dtype).is_floating else int
        return self._step(Step("constant", (), dtype, kind(rounded)))

    def column(self) -> int:
        """The place in the innermost dimension, as int64."""
        return self._step(Step("column", (), "int64"))

    def accumulator(self, dtype: str) -> int:
        """The element of a product, convolution or pooling, in what goes on with it."""
        return self._step(Step("accumulator", (), dtype))

    def apply(self, function: str, *arguments: int, dtype: str | None = None) -> int:
        """A function of earlier steps, by default in the dtype of the last of them.

        `row_sum` and the other reductions are functions like any other.
        """
        chosen = self.steps[arguments[-1]].dtype if dtype is None else dtype
        return self._step(Step(function, arguments, chosen))

    def cast(self, step: int, dtype: str) -> int:
        """The step in another dtype; itself where it has that one."""
        if self.steps[step].dtype == dtype:
            return step
        return self.apply("cast", step, dtype=dtype)

    def check(self, condition: int, flag: Flag) -> None:
        """Fails the node of the flag, with its message, unless a bool holds for every element."""
        self._step(Step("check", (condition,), "bool", self.operand(flag)))

    def _step(self, step: Step) -> int:
        # By repr, because 0.0 and -0.0 are equal but not the same constant.
        key = (step.function, step.arguments, step.dtype, repr(step.value))
        number = self._step_numbers.setdefault(key, len(self.steps))
        if number == len(self.steps):
            self.steps.append(step)
        return number


def live_steps(steps: Iterable[Step], wanted: Iterable[int]) -> tuple[list[Step], dict[int, int]]:
    """The steps that some steps need, checks included, and the new number of each.

    >>> steps = [
    ...     Step("load", (), "int32", 0),
    ...     Step("column", (), "int64"),
    ...     Step("negative", (0,), "int32"),
    ... ]
    >>> live_steps(steps, [2])[1]
    {0: 0, 2: 1}
    """
    listed = list(steps)
    needed = set(wanted) | {i for i, step in enumerate(listed) if step.function == "check"}
    for i in range(len(listed) - 1, -1, -1):
        if i in needed:
            needed.update(listed[i].arguments)
    numbers: dict[int, int] = {}
    kept: list[Step] = []
    for i, step in enumerate(listed):
        if i in needed:
            numbers[i] = len(kept)
            arguments = tuple(numbers[a] for a in step.arguments)
            kept.append(Step(step.function, arguments, step.dtype, step.value))
    return kept, numbers
