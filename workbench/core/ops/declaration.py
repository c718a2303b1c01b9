"""The declaration of an operation: all that the house knows of it, in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from workbench.core.ops.schema import Schema, parse_schema


class NotDifferentiable:
    """The mark of operations through which no gradient flows."""


NOT_DIFFERENTIABLE = NotDifferentiable()


class Sample(NamedTuple):
    """Inputs and attributes to try an operation with, and what must come out.

    `want` is the expected output (a tuple for several outputs), or a function of the input arrays
    that computes it independently, or None where only shapes, dtypes and gradients are checked.
    `gradient` names the inputs to differentiate by finite differences; None means all floating
    ones of a differentiable operation.
    """

    inputs: tuple[Any, ...]
    attrs: dict[str, Any]
    want: Any = None
    gradient: tuple[int, ...] | None = None
    dtype: str | tuple[str | None, ...] | None = None
    tolerance: float = 1e-5


def sample(
    *inputs: Any,
    want: Any = None,
    gradient: Sequence[int] | None = None,
    dtype: str | tuple[str | None, ...] | None = None,
    tolerance: float = 1e-5,
    **attrs: Any,
) -> Sample:
    """A sample for a declaration: nested lists of numbers, then attributes by name.

    Lists of floats become float32, of ints int32, of bools bool, of bytes strings; `dtype` gives
    another type, one for all inputs or one for each (None for the default).
    """
    chosen = None if gradient is None else tuple(gradient)
    return Sample(inputs, attrs, want, chosen, dtype, tolerance)


class Declaration:
    """One operation: schema, shape rule, gradient, reference kernel, samples and flags."""

    def __init__(
        self,
        type_name: str,
        inputs: str,
        outputs: str,
        attrs: str,
        shape: Callable[[Any], Sequence[Any]],
        kernel: Callable[..., Any] | None,
        gradient: Callable[..., Any] | NotDifferentiable | None,
        samples: tuple[Sample, ...],
        *,
        stateful: bool,
        elementwise: bool,
        commutative: bool,
        aliases_input: bool,
        updates: int | None,
        allows_uninitialized: bool,
        cost: Callable[[Any], float] | None,
        expensive: bool,
        blocking: bool,
        frees_nobody: bool,
    ) -> None:
        if blocking and not stateful:
            raise ValueError(f"{type_name} waits for others: declare it stateful")
        self.type = type_name
        self.inputs = inputs
        self.outputs = outputs
        self.attrs = attrs
        #: `shape(op)` gives the static shape of each output (see `shape_rules`).
        self.shape = shape
        #: `kernel(*arrays, **attributes)`; keyword-only parameters name the attributes it needs.
        self.kernel = kernel
        #: `gradient(op, *output_gradients)` gives the gradient of each input.
        self.gradient = gradient
        self.samples = samples
        #: Has an effect or a result that its inputs do not determine: never merged, folded or
        #: dropped when fetched.
        self.stateful = stateful
        #: Works on each element alone (with broadcasting): the result may overwrite an input.
        self.elementwise = elementwise
        self.commutative = commutative
        #: The result may be a view of an input.
        self.aliases_input = aliases_input
        #: How many leading variable inputs the kernel gives new values for; None means all.
        self.updates = updates
        #: True when a variable input may have no value yet.
        self.allows_uninitialized = allows_uninitialized
        #: Floating point operations of one call, from the operation's static shapes.
        self.cost = cost
        #: A long call that releases the interpreter lock.
        self.expensive = expensive
        #: May wait for what other threads, or other operations of the step, do: it is always a
        #: step of its own, interpreted, and no lock or buffer of its step is needed by others.
        self.blocking = blocking
        #: Nobody waits for what it takes, as others do for the room that a queue gets by it: it may
        #: as well be done after another one that waits.
        self.frees_nobody = frees_nobody

    @cached_property
    def schema(self) -> Schema:
        """The inputs, outputs and attributes."""
        return parse_schema(self.type, self.inputs, self.outputs, self.attrs)

    @cached_property
    def kernel_attributes(self) -> tuple[str, ...]:
        """The attributes the kernel takes as keywords, `context` and `out` left out."""
        keywords = keyword_only(self.kernel)
        return tuple(k for k in keywords if k not in ("context", "out", "inplace"))

    @cached_property
    def updated_variables(self) -> int:
        """How many leading variable inputs get new values."""
        references = sum(a.is_reference for a in self.schema.inputs)
        return references if self.updates is None else self.updates

    @cached_property
    def takes_context(self) -> bool:
        """True when the kernel wants the running step, as keyword `context`."""
        return self._takes("context")

    @cached_property
    def takes_out(self) -> bool:
        """True when the kernel can write into a given array, as keyword `out`."""
        import numpy as np

        return isinstance(self.kernel, np.ufunc) or self._takes("out")

    def _takes(self, keyword: str) -> bool:
        code = _code(self.kernel)
        if code is None:
            return False
        return keyword in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _code(kernel: Any) -> CodeType | None:
    """The code of a kernel, of the one behind a decorator where it has one; None without any.

    It tells what `inspect.signature` does at a hundredth of its cost.
    """
    if not isinstance(kernel, FunctionType):
        return None
    while hasattr(kernel, "__wrapped__"):
        kernel = kernel.__wrapped__
    code: CodeType | None = getattr(kernel, "__code__", None)
    return code


def keyword_only(kernel: Any) -> tuple[str, ...]:
    """The keyword-only parameters of a kernel."""
    code = _code(kernel)
    if code is None:
        return ()
    first = code.co_argcount
    return code.co_varnames[first : first + code.co_kwonlyargcount]


def declare(
    type_name: str,
    inputs: str = "",
    outputs: str = "",
    attrs: str = "",
    *,
    shape: Callable[[Any], Sequence[Any]],
    kernel: Callable[..., Any] | None,
    gradient: Callable[..., Any] | NotDifferentiable | None = NOT_DIFFERENTIABLE,
    samples: Sequence[Sample] = (),
    stateful: bool = False,
    elementwise: bool = False,
    commutative: bool = False,
    aliases_input: bool = False,
    updates: int | None = None,
    allows_uninitialized: bool = False,
    cost: Callable[[Any], float] | None = None,
    expensive: bool = False,
    blocking: bool = False,
    frees_nobody: bool = False,
) -> Declaration:
    """Declares an operation and registers it; see `Declaration` for the parts.

    A kernel of an operation on variables takes the variables' arrays (None where one has no value
    and `allows_uninitialized`) and the keyword `inplace`; it returns their new values, followed by
    the outputs that are not variables. With `inplace` it may overwrite the arrays it was given;
    other inputs it never keeps.

    `inputs`, `outputs` and `attrs` are written as in TensorFlow's OpDef, separated by commas:
    `"a: T, b: T"`, `"product: T"`, `"T: {float, double}, transpose_a: bool = false"`.
    """
    from workbench.core.ops.registry import register

    declaration = Declaration(
        type_name,
        inputs,
        outputs,
        attrs,
        shape,
        kernel,
        gradient,
        tuple(samples),
        stateful=stateful,
        elementwise=elementwise,
        commutative=commutative,
        aliases_input=aliases_input,
        updates=updates,
        allows_uninitialized=allows_uninitialized,
        cost=cost,
        expensive=expensive,
        blocking=blocking,
        frees_nobody=frees_nobody,
    )
    register(declaration)
    return declaration
