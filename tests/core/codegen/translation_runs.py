"""Compiles the translation of every case and runs it on arrays, in a process of its own.

`python -m tests.core.codegen.translation_runs TARGET PART PARTS` takes one case of so many, prints
one line for each case that failed, and then how many ran.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tests.core.codegen.running import aligned
from tests.core.codegen.translating import interpreted, make_node
from tests.core.codegen.translation_cases import Case, failing_cases, largest_cases
from tests.core.codegen.translation_comparison import assert_close
from workbench.core.codegen import target as targets
from workbench.core.codegen.compiler import KERNEL_TYPE, Library
from workbench.core.codegen.loops import lower_loop
from workbench.core.codegen.module import module_text
from workbench.core.codegen.specs import LoopSpec, Lowered, Operand, Store
from workbench.core.codegen.target import Target
from workbench.core.codegen.translation import (
    Access,
    Builder,
    Expression,
    Flag,
    Layout,
    Parameter,
    Reduction,
    contiguous,
    describe,
    kind_of,
)
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.graph.dtypes import as_dtype
from workbench.core.plan.node import Node

Array = np.ndarray[Any, Any]

#: Functions in a module: compiling is no faster in larger ones.
_MODULE = 100


class Result(NamedTuple):
    """What an operand stands for: a result of the node."""

    number: int


class Kernel(NamedTuple):
    """A case as a loop, with the arrays of its operands and what must be in its results."""

    case: Case
    lowered: Lowered
    operands: list[Array]
    results: list[Array]
    flags: list[Array]
    functions: set[str]
    #: None where a check must fail.
    want: list[Any] | None


def kernels(target: Target, part: int, parts: int) -> Iterator[Kernel]:
    """The kernels of all operations, and then those in which a check must fail."""
    for case in list(largest_cases())[part::parts]:
        node = make_node(case.type_name, case.arrays, case.attrs)
        if kind_of(node) in ("expression", "reduction"):
            try:
                want = interpreted(case.type_name, case.arrays, node.attrs)
                yield _kernel(case, node, target, want)
            except Unsupported as reason:
                print(f"not lowered: {case}: {reason}")
    for case in list(failing_cases())[part::parts]:
        sound = [np.ones_like(array) for array in case.arrays]
        node = make_node(case.type_name, sound, case.attrs)
        if kind_of(node) == "expression":
            yield _kernel(case, node, target, None)


def _kernel(case: Case, node: Node, target: Target, want: list[Any] | None) -> Kernel:
    described = describe(node)
    builder = Builder()
    arrays: dict[Hashable, Array] = {}
    layouts: dict[Hashable, Layout] = {}
    order: Any = "rows"
    if isinstance(described, Expression):
        space, numbers = _expression(described, node, builder)
        for access in described.inputs:
            arrays[access] = np.array(case.arrays[access.input], order="C").reshape(access.shape)
            layouts[access] = _broadcast(access.shape, space)
        shapes = described.results
    else:
        space, order, numbers, layout = _reduction(described, node, builder)
        source = Access(described.input, described.shape)
        arrays[source] = np.array(case.arrays[described.input], order="C")
        layouts[source] = layout
        shapes = ((*space[:-1], 1),) if order == "rows" else ((1, space[1]),)
    stores: list[Store] = []
    results: list[Array] = []
    for i, (number, shape) in enumerate(zip(numbers, shapes, strict=True)):
        dtype = as_dtype(builder.steps[number].dtype).as_numpy_dtype
        stores.append(Store(number, builder.operand(Result(i))))
        arrays[Result(i)] = np.full(shape, 77, dtype)
        layouts[Result(i)] = _broadcast(shape, space)
        results.append(arrays[Result(i)])
    flags: list[Array] = []
    operands: list[Operand] = []
    for operand in builder.operands:
        if isinstance(operand, Parameter):
            arrays[operand] = np.array([operand.value], as_dtype(operand.dtype).as_numpy_dtype)
        elif isinstance(operand, Flag):
            arrays[operand] = np.zeros(1, np.int32)
            flags.append(arrays[operand])
        strides = layouts[operand].strides if operand in layouts else (0,) * len(space)
        operands.append(Operand(as_dtype(arrays[operand].dtype).name, strides))
    spec = LoopSpec(space, tuple(operands), tuple(builder.steps), tuple(stores), order=order)
    return Kernel(
        case,
        lower_loop(spec, target),
        [arrays[o] for o in builder.operands],
        results,
        flags,
        {s.function for s in builder.steps},
        want,
    )


def _expression(
    described: Expression, node: Node, builder: Builder
) -> tuple[tuple[int, ...], list[int]]:
    loads = [builder.load(a, node.inputs[a.input].dtype.base_dtype.name) for a in described.inputs]
    return described.space, described.translate(builder, loads)


def _reduction(
    described: Reduction, node: Node, builder: Builder
) -> tuple[tuple[int, ...], Any, list[int], Layout]:
    """Over leading axes as a loop over columns, else with the reduced axes put last."""
    source = Access(described.input, described.shape)
    load = builder.load(source, node.inputs[described.input].dtype.base_dtype.name)
    block = described.consecutive
    if block is None:
        raise Unsupported("the axes do not stand side by side")
    before, count, after = block
    if before == 1 and after > 1:
        space: tuple[int, ...] = (count, after)
        number = described.translate(builder, load, "column")
        return space, "columns", [number], contiguous(space)
    number = described.translate(builder, load, "row")
    layout = contiguous(block).transposed((0, 2, 1))
    return layout.shape, "rows", [number], layout


def _broadcast(shape: tuple[int, ...], space: tuple[int, ...]) -> Layout:
    layout = contiguous(shape).broadcast(space)
    assert layout is not None
    return layout


def run(kernel: Kernel, library: Library) -> None:
    """Runs a kernel chunk by chunk, which fills its results."""
    scratch = aligned(max([c.code.scratch for c in kernel.lowered.calls], default=0))
    workspace = aligned(kernel.lowered.workspace)
    for call in kernel.lowered.calls:
        values = {
            "operand": lambda v: kernel.operands[v].ctypes.data,
            "workspace": lambda v: workspace.ctypes.data + v,
            "integer": lambda v: v,
        }
        arguments = np.array([values[a.kind](a.value) for a in call.arguments], np.int64)
        function = KERNEL_TYPE(library.address(call.code.name))
        for begin in range(0, call.units, call.chunk):
            end = min(begin + call.chunk, call.units)
            function(arguments.ctypes.data, begin, end, scratch.ctypes.data)


def problem(kernel: Kernel) -> str | None:
    """What is wrong with the results."""
    failed = any(flag[0] for flag in kernel.flags)
    if failed != (kernel.want is None):
        return "a check failed" if failed else "no check failed"
    if kernel.want is None:
        return None
    try:
        for got, want in zip(kernel.results, kernel.want, strict=False):
            assert_close(got, np.asarray(want), kernel.functions, str(kernel.case), ulp=8.0)
    except AssertionError as error:
        return " ".join(str(error).split())[:600]
    return None


def main(arguments: Sequence[str]) -> int:
    warnings.simplefilter("ignore")
    name, part, parts = arguments
    target: Target = getattr(targets, name)
    ran = failed = 0
    waiting = list(kernels(target, int(part), int(parts)))
    while waiting:
        batch, waiting = waiting[:_MODULE], waiting[_MODULE:]
        library = Library(module_text(c.code for k in batch for c in k.lowered.calls))
        for kernel in batch:
            # Read where the process ends here.
            print(kernel.case, file=sys.stderr, flush=True)
            run(kernel, library)
            found = problem(kernel)
            ran += 1
            if found:
                failed += 1
                print(f"FAILED {kernel.case}: {found}")
    print(f"{ran} ran, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
