"""An explanation of a session's steps, as data and as text."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.core.codegen.peak import Peak

#: More operations of a kernel are counted, not named.
_MOST_NAMES = 6


@dataclass(frozen=True)
class KernelExplanation:
    """A kernel: several operations that machine code does together."""

    #: The names of the user's operations.
    operations: tuple[str, ...]
    #: "elementwise", "product", "convolution"...
    kind: str
    #: What the generator of its code decided.
    notes: dict[str, Any]
    #: Floating point operations, and bytes moved at least.
    flops: float
    bytes: float
    #: How long it took in the measured run; None where nothing was measured.
    seconds: float | None = None
    #: Its arithmetic, as a part of what this machine can do at most in that time; and the bytes it
    #: moved, as a part of what memory gives: more than 1 where they come from the caches.
    share_of_peak: float | None = None
    share_of_memory: float | None = None

    @property
    def gigaflops(self) -> float | None:
        """Billions of floating point operations a second."""
        return None if not self.seconds else self.flops / self.seconds * 1e-9

    @property
    def gigabytes(self) -> float | None:
        """Billions of bytes a second."""
        return None if not self.seconds else self.bytes / self.seconds * 1e-9


@dataclass(frozen=True)
class LeftOperation:
    """An operation that is interpreted in a compiled program."""

    operation: str
    type: str
    reason: str


@dataclass(frozen=True)
class BodiesExplanation:
    """A conditional or loop of a compiled program."""

    operation: str
    type: str
    #: What became of its bodies, and of the loop as a whole.
    account: str


@dataclass(frozen=True)
class ProgramExplanation:
    """A program: what a session runs for given fetches, and feeds of given shapes."""

    fetches: tuple[str, ...]
    #: (name, shape) of what is fed.
    feeds: tuple[tuple[str, tuple[int | None, ...] | None], ...]
    #: "compiled" or "interpreted".
    tier: str
    #: Why it is not compiled; None where it is.
    reason: str | None
    compile_seconds: float
    #: Memory that it keeps between two runs, and with what a run makes anew, in bytes.
    arena_bytes: int
    peak_bytes: int
    threads: int
    kernels: tuple[KernelExplanation, ...]
    interpreted: tuple[LeftOperation, ...]
    #: Conditionals and loops.
    bodies: tuple[BodiesExplanation, ...] = ()
    #: How many loops became their passes, one after the other.
    unrolled: int = 0
    #: How long a whole run took, if one was measured.
    seconds: float | None = None

    def lines(self) -> Iterator[str]:
        """The explanation as lines of text."""
        feeds = ", ".join(f"{name} {_shape(shape)}" for name, shape in self.feeds)
        yield f"{', '.join(self.fetches) or 'nothing'}{f' for {feeds}' if feeds else ''}"
        took = "" if self.seconds is None else f", {_time(self.seconds)} a run"
        memory = f"arena {_size(self.arena_bytes)}, at most {_size(self.peak_bytes)}"
        if self.tier == "interpreted":
            yield f"  interpreted: {self.reason}; {memory}{took}"
            return
        if self.unrolled:
            memory += f"; {self.unrolled} loop{'s' if self.unrolled > 1 else ''} unrolled"
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        yield (
            f"  compiled in {_time(self.compile_seconds)}: {len(self.kernels)} kernels, "
            f"{threads}; {memory}{took}"
        )
        for row in _aligned([_HEADINGS, *(_cells(k) for k in self.kernels)]):
            yield f"    {row}".rstrip()
        for each in self.bodies:
            yield f"  {each.operation} ({each.type}): {each.account}"
        if self.interpreted:
            yield "  interpreted:"
            for reason, names in _by_reason(self.interpreted).items():
                yield f"    {_listed(names)}: {reason}"


@dataclass(frozen=True)
class Explanation:
    """What `Session.explain` gives: print it, or look through `programs`."""

    programs: tuple[ProgramExplanation, ...]
    #: The machine's limits, where times were measured.
    peak: Peak | None = None

    def __str__(self) -> str:
        lines = []
        if self.peak is not None:
            lines.append(
                f"this machine: {self.peak.flops_one * 1e-9:.0f} GFLOP/s on one thread, "
                f"{self.peak.flops_all * 1e-9:.0f} on all; "
                f"{self.peak.bytes_one * 1e-9:.0f} GB/s on one, "
                f"{self.peak.bytes_all * 1e-9:.0f} on all"
            )
        for program in self.programs:
            lines.extend(program.lines())
        return "\n".join(lines) or "Nothing was run yet."

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


# -- text -------------------------------------------------------------------------------------

_HEADINGS = ("kind", "time", "GFLOP/s", "of peak", "GB/s", "of memory", "operations")


def _cells(kernel: KernelExplanation) -> tuple[str, ...]:
    notes = ", ".join(f"{key}: {value}" for key, value in kernel.notes.items() if key != "kind")
    seconds = kernel.seconds
    return (
        kernel.kind,
        "" if seconds is None else _time(seconds),
        "" if kernel.gigaflops is None else f"{kernel.gigaflops:.1f}",
        "" if kernel.share_of_peak is None else f"{kernel.share_of_peak:.0%}",
        "" if kernel.gigabytes is None else f"{kernel.gigabytes:.1f}",
        "" if kernel.share_of_memory is None else f"{kernel.share_of_memory:.0%}",
        _listed(kernel.operations) + (f"  ({notes})" if notes else ""),
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of a table, without the columns in which nothing stands."""
    shown = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    widths = {i: max(len(row[i]) for row in rows) for i in shown}
    last = shown[-1] if shown else 0
    return [
        "  ".join(
            row[i] if i == last else row[i].ljust(widths[i]) if i == 0 else row[i].rjust(widths[i])
            for i in shown
        )
        for row in rows
    ]


def _by_reason(operations: Iterable[LeftOperation]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for left in operations:
        found.setdefault(left.reason, []).append(f"{left.operation} ({left.type})")
    return found


def _listed(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"


def _shape(shape: tuple[int | None, ...] | None) -> str:
    if shape is None:
        return "of any shape"
    return f"[{', '.join('?' if e is None else str(e) for e in shape)}]"


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} us"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
