"""What the code of convolutions and poolings is written with: integers, loops, places in arrays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.module import NAME, named
from workbench.core.codegen.specs import Argument, Code, Operand
from workbench.core.codegen.target import ITEM_BYTES, Target

#: An integer that is known now, or an i64 when the code runs.
Index = Register | int

#: Where a kernel is in each of its operands.
Cursor = dict[int, Register]

#: What a loop does with its counter and the values it carries; gives the values after it.
Body = Callable[[Register, list[Register]], list[Register]]


class KernelWriter(Emitter):
    """Writes one function of a kernel; integers that are known fold.

    >>> writer = KernelWriter()
    >>> writer.add(writer.times(3, 4), 5), writer.lines
    (17, [])
    """

    def __init__(self, target: Target | None = None) -> None:
        super().__init__(target)
        #: What a call of the kernel passes, in order.
        self.arguments: list[Argument] = []

    # -- integers ----------------------------------------------------------------------------

    def index(self, value: Index) -> Register:
        """An i64, of a known integer too."""
        return Register(str(value), "i64") if isinstance(value, int) else value

    def add(self, a: Index, b: Index) -> Index:
        """The sum."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0 or b == 0:
            return b if a == 0 else a
        return self.binary("add", self.index(a), self.index(b))

    def subtract(self, a: Index, b: Index) -> Index:
        """The difference."""
        if isinstance(b, int):
            return self.add(a, -b)
        return self.binary("sub", self.index(a), b)

    def times(self, a: Index, factor: Index) -> Index:
        """A multiple."""
        if isinstance(a, int) and isinstance(factor, int):
            return a * factor
        if a in (0, 1) or factor in (0, 1):
            one, other = (a, factor) if isinstance(a, int) else (factor, a)
            return other if one else 0
        return self.binary("mul", self.index(a), self.index(factor))

    def divided(self, a: Index, by: Index) -> tuple[Index, Index]:
        """Quotient and remainder of what is not negative."""
        if isinstance(a, int) and isinstance(by, int):
            return divmod(a, by)
        if by == 1:
            return a, 0
        dividend, divisor = self.index(a), self.index(by)
        quotient = self.binary("udiv", dividend, divisor)
        return quotient, self.binary("urem", dividend, divisor)

    def at_least(self, a: Index, least: Index) -> Index:
        """The larger one."""
        if isinstance(a, int) and isinstance(least, int):
            return max(a, least)
        return self.intrinsic("smax", "i64", self.index(a), self.index(least))

    def at_most(self, a: Index, most: Index) -> Index:
        """The smaller one."""
        if isinstance(a, int) and isinstance(most, int):
            return min(a, most)
        return self.intrinsic("smin", "i64", self.index(a), self.index(most))

    # -- loops -------------------------------------------------------------------------------

    def folded(
        self,
        begin: Index,
        end: Index,
        starts: Sequence[Register],
        body: Body,
        at_least_once: bool = False,
    ) -> list[Register]:
        """A loop from begin to end that carries values along; they are the result."""
        with self._loop(begin, end, starts, at_least_once) as (counter, carried, after):
            after.extend(body(counter, carried))
        return after

    @contextmanager
    def counted(self, begin: Index, end: Index) -> Iterator[Register]:
        """A loop from begin to end: the block of the `with` is its body."""
        with self._loop(begin, end, (), False) as (counter, _, _):
            yield counter

    @contextmanager
    def _loop(
        self, begin: Index, end: Index, starts: Sequence[Register], at_least_once: bool
    ) -> Iterator[tuple[Register, list[Register], list[Register]]]:
        known = isinstance(begin, int) and isinstance(end, int) and begin < end
        once = at_least_once or known
        before, (body, latch, done) = self.block, map(self.new_label, ("body", "latch", "done"))
        first, last = self.index(begin), self.index(end)
        if once:
            self.jump(body)
        else:
            self.branch(self.compare("slt", first, last), body, done)
        self.start_block(body)
        counter = Register(self.fresh("i"), "i64")
        carried = [Register(self.fresh("c"), start.type) for start in starts]
        place = len(self.lines)
        after: list[Register] = []
        yield counter, carried, after
        self.jump(latch)
        self.start_block(latch)
        following = self.binary("add", counter, self.index(1))
        self.branch(self.compare("slt", following, last), body, done)
        merged = list(zip((first, *starts), (following, *after), strict=True))
        self.lines[place:place] = [
            f"  {value.name} = {_phi(before, start, latch, result)}"
            for value, (start, result) in zip((counter, *carried), merged, strict=True)
        ]
        self.start_block(done)
        if not once:
            after[:] = [
                self.emit(result.type, _phi(before, start, latch, result))
                for start, result in merged[1:]
            ]

    @contextmanager
    def conditional(self, condition: Register) -> Iterator[None]:
        """The block of the `with` runs where the condition holds."""
        then, done = self.new_label("then"), self.new_label("done")
        self.branch(condition, then, done)
        self.start_block(then)
        yield
        self.jump(done)
        self.start_block(done)

    # -- arguments and places ----------------------------------------------------------------

    def address(self, argument: Argument) -> Register:
        """The address of an operand or of work space, which the call then passes."""
        return self._argument(argument, "ptr")

    def integer(self, value: int) -> Register:
        """An integer that the call passes: it is no part of the code."""
        return self._argument(Argument("integer", value), "i64")

    def operands(self, numbers: Collection[int]) -> Cursor:
        """The addresses of operands."""
        return {number: self.address(Argument("operand", number)) for number in sorted(numbers)}

    def _argument(self, argument: Argument, type_name: str) -> Register:
        where = self.offset(Register("%args", "ptr"), "i64", len(self.arguments))
        self.arguments.append(argument)
        return self.load(where, type_name, 8)

    def moved(
        self, cursor: Mapping[int, Register], operands: Sequence[Operand], steps: Sequence[Index]
    ) -> Cursor:
        """Each operand further on by so many (images, rows, columns, channels)."""
        result = {}
        for number, pointer in cursor.items():
            operand = operands[number]
            offset: Index = 0
            for step, stride in zip(steps, operand.strides, strict=True):
                offset = self.add(offset, self.times(step, stride))
            result[number] = self.element(pointer, operand.dtype, offset)
        return result

    def element(self, pointer: Register, dtype: str, index: Index) -> Register:
        """The address of an element of an array."""
        return self.offset(pointer, f"i{8 * ITEM_BYTES[dtype]}", index)

    # -- the function ------------------------------------------------------------------------

    def internal(self, name: str, parameters: Sequence[Register]) -> str:
        """A function of the kernel's own with these instructions; its name follows the kernel's."""
        listed = ", ".join(map(str, parameters))
        head = f"define internal void @{NAME}.{name}({listed}) #0 {{"
        return "\n".join([head, "entry:", *self.lines, "  ret void", "}"])

    def call_internal(self, name: str, arguments: Sequence[Register]) -> None:
        """Calls it."""
        self.line(f"call void @{NAME}.{name}({', '.join(map(str, arguments))})")

    def code(self, kind: str, scratch: int = 0, internal: Sequence[str] = ()) -> Code:
        """The kernel with these instructions, and with the internal functions that it calls."""
        lines = [
            f"define void @{NAME}(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0 {{",
            "entry:",
            *self.lines,
            "  ret void",
            "}",
        ]
        return named("\n".join([*internal, *lines]), self.declarations, scratch, kind)


def _phi(before: str, start: Register, latch: str, result: Register) -> str:
    return f"phi {start.type} [ {start.name}, %{before} ], [ {result.name}, %{latch} ]"


BEGIN, END = Register("%begin", "i64"), Register("%end", "i64")
SCRATCH = Register("%scratch", "ptr")


def for_channels(
    writer: KernelWriter,
    channels: int,
    lanes: int,
    most: int,
    body: Callable[[Index, Sequence[Register | None]], None],
) -> None:
    """All channels, at most so many vectors at a time; the last vector may have a mask.

    The body gets the first channel and a mask, or None, for each vector.
    """
    full, tail = divmod(channels, lanes)
    loops = 0 if -(-channels // lanes) <= most else full // most
    if loops == 1:
        body(0, [None] * most)
    elif loops:
        with writer.counted(0, loops) as group:
            body(writer.times(group, most * lanes), [None] * most)
    masks: list[Register | None] = [None] * (full - loops * most)
    if tail:
        masks.append(writer.constants("i1", [lane < tail for lane in range(lanes)]))
    if masks:
        body(loops * most * lanes, masks)


def for_vectors(
    writer: KernelWriter,
    length: int,
    lanes: int,
    body: Callable[[Index, Register | None], None],
) -> None:
    """A run of elements, a vector at a time; the body gets the first element and maybe a mask."""

    def one(first: Index, masks: Sequence[Register | None]) -> None:
        body(first, masks[0])

    if length > 0:
        for_channels(writer, length, lanes, 1, one)
