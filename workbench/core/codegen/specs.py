"""What a kernel is asked to do, and the calls that do it: data between planner and generators.

Sizes that follow the batch (the number of rows of a loop, the rows of a product) are arguments of a
call, never part of its code: plans that differ in such a size alone share their machine code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from workbench.core.codegen.code import Code as Code


@dataclass(frozen=True)
class Step:
    """One step of an expression: a function of the results of earlier steps.

    `function` is a name of `workbench.core.codegen.functions`, or one of

    * `load`: the element of an operand; `value` is the operand's number.
    * `constant`: `value`, a Python number; part of the code, so for what never changes.
    * `column`: the place in the innermost dimension, as int64.
    * `accumulator`: the element of a product or convolution, in its epilogue.
    * `row_sum`, `row_max`, `row_min`, `row_prod`, `row_all`, `row_any`: over the innermost
      dimension; the result is the same for all elements of a row.
    * `column_sum` and so on: over the rows, in a loop whose `order` is "columns".
    * `check`: the argument, a bool, must hold for every element: otherwise the step of the plan
      fails (`value` is the number of an operand, an int32 that is set to 1).

    Every step rounds to its dtype and none is contracted with another, so a value has the same bits
    whatever it is fused with.
    """

    function: str
    arguments: tuple[int, ...]
    #: NumPy's name of the dtype of the result.
    dtype: str
    value: int | float | bool | None = None


@dataclass(frozen=True)
class Operand:
    """An array that a kernel reads or writes."""

    dtype: str
    #: In elements, one for each dimension of the kernel; 0 where all places share the element.
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Store:
    """The value of a step goes into an operand."""

    step: int
    operand: int


@dataclass(frozen=True)
class Partial:
    """A reduction over many rows: every chunk of rows leaves its own part in an operand.

    `over` is "rows" (the part is a row) or "all" (it is one element). The operand is contiguous,
    [chunks, columns] or [chunks]. `function` is `sum`, `max`, `min` or `prod`; another kernel
    combines the parts, always in the same order.
    """

    function: str
    over: Literal["rows", "all"]
    step: int
    operand: int


@dataclass(frozen=True)
class LoopSpec:
    """An element-wise computation, with reductions, over a space of iteration.

    With order "rows" the calls share out the first dimension; `row_*` steps reduce over the last.
    With order "columns" there are two dimensions, the calls share out the second, and `column_*`
    steps reduce over the first; what depends on them is stored once for each column (operands with
    stride 0 in the first dimension).

    A space of one dimension is a flat loop. In the code of a loop the first dimension is an
    argument, the others are constants.
    """

    shape: tuple[int, ...]
    operands: tuple[Operand, ...]
    steps: tuple[Step, ...]
    stores: tuple[Store, ...]
    partials: tuple[Partial, ...] = ()
    order: Literal["rows", "columns"] = "rows"


@dataclass(frozen=True)
class ProductSpec:
    """`accumulator[b..., m, n] = sum over k of left[b..., m, k] * right[b..., k, n]`, then an
    expression on it.

    Operand 0 is the left one with strides (b..., m, k), operand 1 the right one with strides
    (b..., k, n); the others have strides (b..., m, n). `steps` has one `accumulator` step.
    """

    batch: tuple[int, ...]
    m: int
    n: int
    k: int
    dtype: str
    operands: tuple[Operand, ...]
    steps: tuple[Step, ...]
    stores: tuple[Store, ...]


@dataclass(frozen=True)
class ConvolutionSpec:
    """A two-dimensional convolution, forward or one of its gradients, then an expression on it.

    `kind` is "forward" (operand 0 the images, 1 the filter), "input" (0 the filter, 1 the
    gradient) or "filter" (0 the images, 1 the gradient). Images and gradients have strides in the
    order (batch, row, column, channel) whatever the data format; the filter (row, column, in, out).
    The other operands have the strides of the result. `channels` is of the images; for a depthwise
    one `filters` is the channel multiplier.
    """

    kind: Literal["forward", "input", "filter"]
    batch: int
    image: tuple[int, int]
    channels: int
    window: tuple[int, int]
    filters: int
    strides: tuple[int, int]
    dilations: tuple[int, int]
    #: Zeros before the first row and column, and after the last.
    padding: tuple[tuple[int, int], tuple[int, int]]
    result: tuple[int, int]
    dtype: str
    operands: tuple[Operand, ...]
    steps: tuple[Step, ...]
    stores: tuple[Store, ...]
    depthwise: bool = False


@dataclass(frozen=True)
class PoolingSpec:
    """Largest or mean values of windows, or their gradients.

    Operands: "max" and "mean" take (images, result), "max_gradient" (images, result, gradient of
    the result, gradient of the images), "mean_gradient" (gradient of the result, gradient of the
    images). Strides are in the order (batch, row, column, channel). A tie belongs to the first of
    its window; `steps` may go on with the value of the step `accumulator`, as in a convolution,
    with further operands and the stores.
    """

    kind: Literal["max", "mean", "max_gradient", "mean_gradient"]
    batch: int
    image: tuple[int, int]
    channels: int
    window: tuple[int, int]
    strides: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]
    result: tuple[int, int]
    dtype: str
    operands: tuple[Operand, ...]
    steps: tuple[Step, ...] = ()
    stores: tuple[Store, ...] = ()


@dataclass(frozen=True)
class GatherSpec:
    """Rows by their numbers: taken from a table, or added up in one that begins with zeros.

    "gather" has the operands (table [rows, columns], indices [count], result [count, columns],
    check), "scatter_add" (values [count, columns], indices [count], result [rows, columns], check);
    all are contiguous.
    """

    kind: Literal["gather", "scatter_add"]
    count: int
    rows: int
    columns: int
    dtype: str
    index_dtype: str


#: Any of the descriptions above.
Spec = LoopSpec | ProductSpec | ConvolutionSpec | PoolingSpec | GatherSpec


@dataclass(frozen=True)
class Argument:
    """An argument of a call: the address of an operand or of work space, or an integer."""

    kind: Literal["operand", "workspace", "integer"]
    #: The operand's number, the offset in bytes, or the integer.
    value: int


@dataclass(frozen=True)
class Call:
    """A function, what it is called with, and how its work is shared out.

    Each chunk of `chunk` units, from 0 to `units`, is one call with its begin and end; chunks are
    independent and run on any thread. They depend on sizes alone, never on the number of threads:
    so sums are the same on one thread and on many.
    """

    code: Code
    arguments: tuple[Argument, ...]
    units: int
    chunk: int


@dataclass(frozen=True)
class Lowered:
    """The calls of a kernel, one after the other, and the work space they share."""

    calls: tuple[Call, ...]
    #: Bytes that live from the first call to the last.
    workspace: int = 0
    #: Floating point operations, and bytes moved at least.
    flops: float = 0.0
    bytes: float = 0.0
    #: What the generator decided, in words, for `session.explain()`.
    notes: dict[str, Any] = field(default_factory=dict)
