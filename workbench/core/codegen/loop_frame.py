"""The frame of a kernel: its function, its arguments, and loops with values that are carried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.module import NAME, named
from workbench.core.codegen.specs import Code
from workbench.core.codegen.target import CACHE_LINE, Target

#: What a kernel is called with.
ARGS = Register("%args", "ptr")
BEGIN = Register("%begin", "i64")
END = Register("%end", "i64")
SCRATCH = Register("%scratch", "ptr")


class Frame:
    """A kernel that is being written: what stands before all loops, and memory of its own."""

    def __init__(self, kind: str, target: Target) -> None:
        self.emitter = Emitter(target)
        self.scratch_bytes = 0
        self._kind = kind

    def pointer(self, number: int) -> Register:
        """Loads an argument that is an address."""
        return self._argument(number, "ptr")

    def integer(self, number: int) -> Register:
        """Loads an argument that is an integer."""
        return self._argument(number, "i64")

    def _argument(self, number: int, kind: str) -> Register:
        where = self.emitter.offset(ARGS, "i64", number)
        return self.emitter.load(where, kind, 8)

    def scratch(self, size: int) -> Register:
        """The address of some bytes that this thread has for itself, on a cache line."""
        where = self.emitter.offset(SCRATCH, "i8", self.scratch_bytes)
        # Rows of scratch memory start on cache lines.
        self.scratch_bytes += -(-size // CACHE_LINE) * CACHE_LINE
        return where

    def code(self) -> Code:
        """The finished function."""
        lines = [
            f"define void @{NAME}(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0 {{",
            "entry:",
            *self.emitter.lines,
            "  ret void",
            "}",
        ]
        return named(
            "\n".join(lines), self.emitter.declarations, self.scratch_bytes, kind=self._kind
        )


class CountedLoop:
    """`for index in range(begin, end, step)`, entered only if there is something to do.

    After the loop `carried` has the last values: what `carry` was given in the last round, or what
    they were before if there was none.
    """

    def __init__(
        self,
        emitter: Emitter,
        begin: Register | int,
        end: Register | int,
        step: int = 1,
        carried: Sequence[Register] = (),
    ) -> None:
        self._emitter = emitter
        self._begin = integer(begin)
        self._end = integer(end)
        self._step = step
        self._initial = tuple(carried)
        self._next = self._initial
        self.index = Register(emitter.fresh("i"), "i64")
        self.carried = tuple(Register(emitter.fresh("c"), value.type) for value in carried)

    def carry(self, values: Sequence[Register]) -> None:
        """The carried values of the next round."""
        self._next = tuple(values)

    @contextmanager
    def body(self) -> Iterator[Register]:
        """What is emitted inside is done for each index."""
        emitter = self._emitter
        before = emitter.block
        head, inside, after = (emitter.new_label(name) for name in ("head", "body", "after"))
        emitter.jump(head)
        emitter.start_block(head)
        place = len(emitter.lines)
        going = emitter.compare("slt", self.index, self._end)
        emitter.branch(going, inside, after)
        emitter.start_block(inside)
        yield self.index
        advanced = emitter.binary("add", self.index, integer(self._step))
        last = emitter.block
        emitter.jump(head)
        phis = zip(
            (self.index, *self.carried),
            (self._begin, *self._initial),
            (advanced, *self._next),
            strict=True,
        )
        emitter.lines[place:place] = [
            f"  {phi.name} = phi {phi.type} [ {first.name}, %{before} ], [ {later.name}, %{last} ]"
            for phi, first, later in phis
        ]
        emitter.start_block(after)


def integer(value: Register | int) -> Register:
    """A register, or an integer as one."""
    return Register(str(value), "i64") if isinstance(value, int) else value


def smaller(emitter: Emitter, a: Register, b: Register) -> Register:
    """The smaller of two integers."""
    return emitter.intrinsic("smin", "i64", a, b)


def plus(emitter: Emitter, a: Register | int, b: Register | int) -> Register | int:
    """The sum of two integers, at once where both are known."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if a == 0:
        return b
    if b == 0:
        return a
    return emitter.binary("add", integer(a), integer(b))


def minus(emitter: Emitter, a: Register | int, b: Register | int) -> Register | int:
    """The difference of two integers, at once where it is known."""
    if isinstance(a, int) and isinstance(b, int):
        return a - b
    return a if b == 0 else emitter.binary("sub", integer(a), integer(b))


def times(emitter: Emitter, a: Register | int, b: int) -> Register | int:
    """A multiple of an integer, at once where it is known."""
    if isinstance(a, int):
        return a * b
    if b == 0:
        return 0
    return a if b == 1 else emitter.binary("mul", a, integer(b))
