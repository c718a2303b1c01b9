"""What only rare lanes need: computed lane by lane, in blocks that are skipped otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.core.codegen.emitter import Emitter, Register
from workbench.core.codegen.mathematics.arithmetic import Floats


def for_rare_lanes(
    emitter: Emitter,
    is_rare: Register,
    values: Sequence[Register],
    arguments: Sequence[Register],
    compute: Callable[..., list[Register]],
    lanes: int,
) -> list[Register]:
    """The values, of which the marked lanes come from `compute` instead.

    `compute` takes instructions on single doubles and the arguments' elements in a lane, and
    returns the values of that lane. The emitter goes on in another block.
    """
    before = emitter.block
    loop, lane, following, done = (
        emitter.new_label(name) for name in ("rare", "lane", "following", "common")
    )
    if lanes == 1:
        emitter.branch(is_rare, lane, done)
        emitter.start_block(lane)
        found = compute(Floats(emitter, "double", 1), *arguments)
        after = emitter.block
        emitter.jump(done)
        emitter.start_block(done)
        return [
            _phi(emitter, value, (value, before), (new, after))
            for value, new in zip(values, found, strict=True)
        ]
    any_lane = emitter.call(f"@llvm.vector.reduce.or.v{lanes}i1", "i1", is_rare)
    emitter.branch(any_lane, loop, done)
    emitter.start_block(loop)
    # The phis name what is computed further down: their lines are written when that is known.
    index = Register(emitter.fresh(), "i64")
    current = [Register(emitter.fresh(), value.type) for value in values]
    phis = len(emitter.lines)
    marked = emitter.emit("i1", f"extractelement {is_rare}, {index}")
    emitter.branch(marked, lane, following)
    emitter.start_block(lane)
    elements = [_element(emitter, argument, index) for argument in arguments]
    found = compute(Floats(emitter, "double", 1), *elements)
    inserted = [
        emitter.emit(value.type, f"insertelement {value}, {new}, {index}")
        for value, new in zip(current, found, strict=True)
    ]
    computed = emitter.block
    emitter.jump(following)
    emitter.start_block(following)
    merged = [
        _phi(emitter, value, (value, loop), (new, computed))
        for value, new in zip(current, inserted, strict=True)
    ]
    next_index = emitter.emit("i64", f"add {index}, 1")
    more = emitter.compare("ult", next_index, Register(str(lanes), "i64"))
    emitter.branch(more, loop, done)
    first = Register("0", "i64")
    entering = [(index, first, next_index), *zip(current, values, merged, strict=True)]
    emitter.lines[phis:phis] = [
        f"  {phi.name} = phi {phi.type} [ {start.name}, %{before} ], [ {later.name}, %{following} ]"
        for phi, start, later in entering
    ]
    emitter.start_block(done)
    return [
        _phi(emitter, value, (value, before), (new, following))
        for value, new in zip(values, merged, strict=True)
    ]


def _element(emitter: Emitter, vector: Register, index: Register) -> Register:
    element = vector.type[1:-1].split(" x ", 1)[1]
    return emitter.emit(element, f"extractelement {vector}, {index}")


def _phi(
    emitter: Emitter, like: Register, first: tuple[Register, str], second: tuple[Register, str]
) -> Register:
    (a, from_a), (b, from_b) = first, second
    return emitter.emit(
        like.type, f"phi {like.type} [ {a.name}, %{from_a} ], [ {b.name}, %{from_b} ]"
    )
