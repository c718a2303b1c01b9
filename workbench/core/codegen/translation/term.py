"""Formulas over steps, in the notation of the NumPy kernels that they stand for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from workbench.core.codegen.translation.builder import Builder, Number

#: The types that kernels compute with as float32.
HALVES = frozenset({"float16", "bfloat16"})


class Term:
    """A step of an expression; Python's operators and `apply` make further ones.

    A number beside a term takes its dtype, as NumPy has it for Python numbers.

    >>> builder = Builder()
    >>> x = Term(builder, builder.load("x", "float32"))
    >>> y = (x * x - 1) / 2
    >>> [s.function for s in builder.steps]
    ['load', 'multiply', 'constant', 'subtract', 'constant', 'divide']
    """

    __slots__ = ("builder", "step")

    def __init__(self, builder: Builder, step: int) -> None:
        self.builder = builder
        self.step = step

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return self.builder.steps[self.step].dtype

    @property
    def is_floating(self) -> bool:
        """True where it is neither an integer nor a bool."""
        return "float" in self.dtype

    def apply(self, function: str, *others: Term | Number, dtype: str | None = None) -> Term:
        """A function of this and others, by default in this dtype."""
        steps = (self.step, *(self.like(other).step for other in others))
        return Term(self.builder, self.builder.apply(function, *steps, dtype=dtype or self.dtype))

    def like(self, other: Term | Number) -> Term:
        """The other as a term: numbers become constants of this dtype."""
        if isinstance(other, Term):
            return other
        return Term(self.builder, self.builder.constant(other, self.dtype))

    def cast(self, dtype: str) -> Term:
        """The same in another dtype."""
        return Term(self.builder, self.builder.cast(self.step, dtype))

    def column(self) -> Term:
        """The place in the row, as int64."""
        return Term(self.builder, self.builder.column())

    def where(self, this: Term | Number, other: Term) -> Term:
        """`this` where the bool holds, else `other`."""
        chosen = (self.step, other.like(this).step, other.step)
        return Term(self.builder, self.builder.apply("select", *chosen))

    def _compare(self, function: str, other: Term | Number) -> Term:
        return self.apply(function, other, dtype="bool")

    def equals(self, other: Term | Number) -> Term:
        """True where the two are equal (`==` compares the terms themselves)."""
        return self._compare("equal", other)

    def differs(self, other: Term | Number) -> Term:
        """True where the two are not equal."""
        return self._compare("not_equal", other)

    def __lt__(self, other: Term | Number) -> Term:
        return self._compare("less", other)

    def __le__(self, other: Term | Number) -> Term:
        return self._compare("less_equal", other)

    def __gt__(self, other: Term | Number) -> Term:
        return self._compare("greater", other)

    def __ge__(self, other: Term | Number) -> Term:
        return self._compare("greater_equal", other)

    def __and__(self, other: Term) -> Term:
        return self.apply("logical_and", other)

    def __or__(self, other: Term) -> Term:
        return self.apply("logical_or", other)

    def __add__(self, other: Term | Number) -> Term:
        return self.apply("add", other)

    def __radd__(self, other: Number) -> Term:
        return self.like(other) + self

    def __sub__(self, other: Term | Number) -> Term:
        return self.apply("subtract", other)

    def __rtruediv__(self, other: Number) -> Term:
        return self.like(other) / self

    def __rsub__(self, other: Number) -> Term:
        return self.like(other) - self

    def __mul__(self, other: Term | Number) -> Term:
        return self.apply("multiply", other)

    def __rmul__(self, other: Number) -> Term:
        return self.like(other) * self

    def __truediv__(self, other: Term | Number) -> Term:
        return self.apply("divide", other)

    def __neg__(self) -> Term:
        return self.apply("negative")

    def __abs__(self) -> Term:
        return self.apply("absolute")

    def square(self) -> Term:
        """Times itself."""
        return self.apply("square")

    def sqrt(self) -> Term:
        """The square root."""
        return self.apply("sqrt")

    def maximum(self, other: Term | Number) -> Term:
        """The larger one, NaN where either is."""
        return self.apply("maximum", other)

    def minimum(self, other: Term | Number) -> Term:
        """The smaller one, NaN where either is."""
        return self.apply("minimum", other)

    def wide(self) -> Term:
        """The term, in float32 where its dtype has 16 bits and sums would lose digits."""
        return self.cast("float32") if self.dtype in HALVES else self


def in_float32(write: Callable[..., Term]) -> Callable[..., Term]:
    """Decorates a formula to compute the half types in float32 and round once at the end.

    The counterpart of the decorator of that name that many kernels have.
    """

    @wraps(write)
    def half_aware(*terms: Term) -> Term:
        return write(*(term.wide() for term in terms)).cast(terms[0].dtype)

    return half_aware
