"""Where a run stopped and why, in the user's terms: operation, line, inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line

#: Fewer are counted; of more the share is said.
_FEW = 10


@dataclass(frozen=True)
class Line:
    """A line of the user's code: the file (or cell) as people know it, number and text."""

    file: str
    line: int
    text: str
    #: The file's name as Python has it.
    filename: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.text else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Input:
    """A tensor that went into an operation, with its type and shape and what it held."""

    tensor: str
    shape: str
    summary: str


@dataclass(frozen=True)
class Failure:
    """What a run failed with."""

    message: str
    operation: str | None = None
    line: Line | None = None
    inputs: tuple[Input, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Failure:
        """From what `to_json` gave."""
        return cls(str(found["message"]), found["operation"], _line(found["line"]), _inputs(found))

    def __str__(self) -> str:
        lines = [self.message, *(f"    {i.tensor}: {i.shape}, {i.summary}" for i in self.inputs)]
        return "\n".join(lines)


@dataclass(frozen=True)
class WatchStop:
    """Where a watched value met its condition.

    The operation is the one that made the value; where a value was not finite, it is the first one
    of the step whose result was not.
    """

    watch: str
    tensor: str
    step: int
    value: str
    operation: str
    line: Line | None
    inputs: tuple[Input, ...]

    @property
    def headline(self) -> str:
        """The step, what was met there, and the operation that it began with."""
        text = f"step {self.step}: {self.watch}: {self.value}"
        if self.tensor.rpartition(":")[0] != self.operation:
            text += f", first in {self.operation!r}"
        return text

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> WatchStop:
        """From what `to_json` gave."""
        texts = [str(found[k]) for k in ("watch", "tensor", "value", "operation")]
        watch, tensor, value, operation = texts
        return cls(
            watch, tensor, int(found["step"]), value, operation, _line(found["line"]),
            _inputs(found),
        )  # fmt: skip

    def __str__(self) -> str:
        lines = [self.headline]
        if self.line is not None:
            lines.append(f"  {self.operation!r} was made at {self.line}")
        lines += [f"    {i.tensor}: {i.shape}, {i.summary}" for i in self.inputs]
        return "\n".join(lines)


def _line(found: Mapping[str, Any] | None) -> Line | None:
    return None if found is None else Line(**found)


def _inputs(found: Mapping[str, Any]) -> tuple[Input, ...]:
    return tuple(Input(**each) for each in found["inputs"])


def line_of(op: Operation | None) -> Line | None:
    """The user's line that made an operation."""
    found = user_line(op.frames) if op is not None else None
    if found is None:
        return None
    file = found.place.rpartition(":")[0]
    return Line(file, found.lineno, found.text, found.filename)


def failure_of(error: BaseException) -> Failure:
    """What a run failed with, from the exception."""
    op = getattr(error, "op", None)
    name = getattr(op, "name", None)
    message = str(error) or type(error).__name__
    if name is None:
        message = f"{type(error).__name__}: {message}"
    values: Mapping[str, Any] = getattr(error, "inputs", None) or {}
    inputs = tuple(Input(tensor, shape_text(v), summary(v)) for tensor, v in values.items())
    return Failure(message, name, line_of(op) if isinstance(op, Operation) else None, inputs)


def described_input(tensor: Any, value: Any) -> Input:
    """An input with what it held."""
    return Input(tensor.name, shape_text(value), summary(value))


def shape_text(value: Any) -> str:
    """The type and shape of an array.

    >>> shape_text(np.zeros((2, 3), np.float32))
    'float32[2,3]'
    """
    array = np.asarray(value)
    kind = "string" if array.dtype.kind in "OSU" else array.dtype.name
    return f"{kind}[{','.join(map(str, array.shape))}]"


def summary(value: Any) -> str:
    """What an array holds, in a line: its value where it is one, else its spread.

    >>> summary(np.array([0.0, 1.0, np.nan]))
    'mean 0.5, from 0 to 1, 1 of 3 zero, 1 of 3 not finite (1 NaN)'
    """
    array = np.asarray(value)
    if not array.size:
        return "empty"
    if array.size == 1 or array.dtype.kind in "OSU":
        return f"{array.reshape(-1)[0]!s:.80}" if array.size == 1 else f"{array.size} strings"
    numbers = array.reshape(-1)
    numbers = np.abs(numbers) if numbers.dtype.kind == "c" else numbers.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    parts = []
    if finite.size:
        low, high = finite.min(), finite.max()
        parts.append(f"mean {finite.mean():.4g}, from {low:.4g} to {high:.4g}")
        zeros = int(np.count_nonzero(numbers == 0))
        if 0 < zeros < max(_FEW, numbers.size // 100):
            parts.append(f"{zeros} of {numbers.size} zero")
        elif zeros:
            parts.append(f"{zeros / numbers.size:.0%} zeros".replace("%", " %"))
    missing = numbers.size - finite.size
    if missing:
        nan = int(np.isnan(numbers).sum())
        kinds = [f"{nan} NaN"] * bool(nan) + [f"{missing - nan} infinite"] * (missing > nan)
        parts.append(f"{missing} of {numbers.size} not finite ({', '.join(kinds)})")
    return ", ".join(parts)
