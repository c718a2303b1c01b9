"""What a convolution or pooling does with a value once it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.core.codegen.convolution_writer import Index, KernelWriter
from workbench.core.codegen.emitter import Register
from workbench.core.codegen.expressions import REDUCTIONS, ExpressionEmitter
from workbench.core.codegen.specs import Operand, Step, Store
from workbench.core.codegen.unsupported import Unsupported


class Epilogue:
    """The steps after an accumulator and their stores, at any place of the result.

    Without steps the accumulator itself goes into operand `result`.

    Raises:
      Unsupported: a step needs more than one element of the result.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        stores: Sequence[Store],
        operands: Sequence[Operand],
        dtype: str,
        result: int,
    ) -> None:
        for step in steps:
            if step.function in REDUCTIONS:
                raise Unsupported(f"{step.function} needs the whole result of its windows")
        self.steps = tuple(steps) or (Step("accumulator", (), dtype),)
        self.stores = tuple(stores) if steps else (Store(0, result),)
        self.operands = operands
        #: The operands that it reads, and the flags of its checks.
        self.read = _operands_of(self.steps, "load")
        self.flags = _operands_of(self.steps, "check")
        #: Those that it writes.
        self.stored = frozenset(store.operand for store in self.stores)
        self.used = self.read | self.flags | self.stored
        #: Whether accumulators are stored as they are, and nothing else happens.
        self.is_plain = len(self.steps) == 1

    def emit(
        self,
        writer: KernelWriter,
        cursor: Mapping[int, Register],
        channel: Index,
        value: Register,
        lanes: int,
        mask: Register | None,
        flags: Mapping[int, Register],
    ) -> None:
        """For the elements from the cursor on, along the channels; `channel` is the first one."""

        def source(index: int, step: Step) -> Register:
            if step.function == "accumulator":
                return value
            if step.function == "column":
                first = writer.splat(writer.index(channel), lanes)
                return writer.binary("add", first, writer.constants("i64", range(lanes)))
            assert step.function == "load" and isinstance(step.value, int)
            operand, pointer = self.operands[step.value], cursor[step.value]
            if operand.strides[-1] == 0:
                return writer.splat(writer.load_element(pointer, operand.dtype, 1), lanes)
            return writer.load_element(pointer, operand.dtype, lanes, mask)

        expression = ExpressionEmitter(
            writer, self.steps, lanes, source, mask=mask, flag=lambda number: flags[number]
        )
        # All is read before anything is written: an operand may be both.
        expression.evaluate(store.step for store in self.stores)
        expression.checks()
        for store in self.stores:
            dtype = self.operands[store.operand].dtype
            result = expression.value(store.step)
            writer.store_element(result, cursor[store.operand], dtype, lanes, mask)


def _operands_of(steps: Sequence[Step], function: str) -> frozenset[int]:
    return frozenset(int(step.value or 0) for step in steps if step.function == function)
