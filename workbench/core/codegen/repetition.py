"""Loops in the text of a function: the registers that change from one pass to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from workbench.core.codegen.emitter import Emitter, Register


class Repetition:
    """A loop that runs at least once: a block, entered from the open one with `first` values.

    `now` has the values of the current pass. `end` says what they are in the next one, and when
    there is one; afterwards the emitter is in the block behind the loop.

    >>> emitter = Emitter()
    >>> halving = Repetition(emitter, [Register("%n", "i64")])
    >>> half = emitter.binary("lshr", halving.now[0], Register("1", "i64"))
    >>> halving.end([half], emitter.compare("ugt", half, Register("1", "i64")))
    >>> emitter.lines[2]
    '  %now2 = phi i64 [ %n, %entry ], [ %v3, %pass1 ]'
    """

    def __init__(self, emitter: Emitter, first: Sequence[Register]) -> None:
        self._emitter = emitter
        self._first = list(first)
        self._before = emitter.block
        self._label = emitter.new_label("pass")
        emitter.jump(self._label)
        emitter.start_block(self._label)
        self._phis = len(emitter.lines)
        self.now = [Register(emitter.fresh("now"), register.type) for register in first]

    def end(self, following: Sequence[Register], again: Register) -> None:
        """Closes the loop: back with these values if the condition holds."""
        emitter = self._emitter
        # What a phi is made of is known only now, but it stands first in its block.
        emitter.lines[self._phis : self._phis] = [
            f"  {now.name} = phi {now.type} [ {first.name}, %{self._before} ], "
            f"[ {then.name}, %{emitter.block} ]"
            for now, first, then in zip(self.now, self._first, following, strict=True)
        ]
        behind = emitter.new_label("behind")
        emitter.branch(again, self._label, behind)
        emitter.start_block(behind)


@contextmanager
def counted(
    emitter: Emitter, begin: Register | int, end: Register | int, step: Register | int = 1
) -> Iterator[Register]:
    """A loop over begin, begin + step, ... below end; it runs at least once.

    >>> emitter = Emitter()
    >>> with counted(emitter, 0, Register("%rows", "i64")) as row:
    ...     emitter.line(f"call void @of_row({row})")
    >>> emitter.lines[3]
    '  call void @of_row(i64 %now2)'
    """
    loop = Repetition(emitter, [as_i64(begin)])
    yield loop.now[0]
    following = emitter.binary("add", loop.now[0], as_i64(step))
    loop.end([following], emitter.compare("slt", following, as_i64(end)))


def as_i64(value: Register | int) -> Register:
    """A number as the operand of an instruction.

    >>> str(as_i64(3))
    'i64 3'
    """
    return value if isinstance(value, Register) else Register(str(value), "i64")
