"""What this machine can do at most, measured: what `session.explain()` compares kernels with."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import numpy as np

from workbench.core.codegen import driver, host
from workbench.core.codegen.compiler import KernelLibrary
from workbench.core.codegen.module import NAME, named
from workbench.core.codegen.specs import Code
from workbench.core.codegen.table import Record, Table
from workbench.core.codegen.target import Target
from workbench.core.codegen.thread_pool import ThreadPool
from workbench.core.codegen.unsupported import Unsupported

#: Independent chains of multiplications with additions: more than any processor has under way.
_CHAINS = 12
#: Rounds of them in a chunk, and chunks for each thread: a fraction of a millisecond each.
_ROUNDS, _CHUNKS = 20_000, 4
#: Elements of each of three arrays: more than caches hold.
_ELEMENTS = 8 << 20
#: A measurement is the best of so many.
_REPEAT = 8


@dataclass(frozen=True)
class Peak:
    """Operations on float32, and bytes read or written, a second; on one thread and on all."""

    flops_one: float
    flops_all: float
    bytes_one: float
    bytes_all: float


@functools.cache
def peak() -> Peak:
    """Measures, which takes a fraction of a second, the first time it is called.

    Raises:
      Unsupported: nothing can be compiled here.
    """
    target = host.target()
    if target is None:
        raise Unsupported("there are no kernels for this processor")
    adding, moving = _arithmetic(target), _triad(target)
    addresses = KernelLibrary.shared().compile([adding, moving])
    arrays = [np.ones(_ELEMENTS, np.float32) for _ in range(3)]
    words = tuple(array.ctypes.data for array in arrays)
    threads = ThreadPool.shared().threads

    def flops(count: int) -> float:
        units = _ROUNDS * _CHUNKS * count
        record = Record(addresses[adding.name], (), units, _ROUNDS, scratch=adding.scratch)
        return units * _CHAINS * target.lanes("float32") * 2 / _seconds(record, count)

    def rate(count: int) -> float:
        record = Record(addresses[moving.name], words, _ELEMENTS, 1 << 16)
        return sum(array.nbytes for array in arrays) / _seconds(record, count)

    return Peak(flops(1), flops(threads), rate(1), rate(threads))


def _seconds(record: Record, threads: int) -> float:
    """The shortest time that a run of one record takes."""
    table = Table([record], threads=threads)
    best = float("inf")
    for _ in range(_REPEAT):
        began = time.perf_counter()
        driver.run(table)
        best = min(best, time.perf_counter() - began)
    return best


def _arithmetic(target: Target) -> Code:
    """A unit is one round of all chains."""
    lanes = target.lanes("float32")
    kind, function = f"<{lanes} x float>", f"@llvm.fma.v{lanes}f32"
    half = f"<{', '.join(['float 0.5'] * lanes)}>"
    chains = range(_CHAINS)
    starts = [f"  %a{k} = phi {kind} [ {half}, %entry ], [ %b{k}, %round ]" for k in chains]
    steps = [
        f"  %b{k} = call {kind} {function}({kind} %a{k}, {kind} {half}, {kind} {half})"
        for k in chains
    ]
    # Results are stored, or there would be nothing to compute.
    stores = [
        f"  %at{k} = getelementptr {kind}, ptr %scratch, i64 {k}\n  store {kind} %b{k}, ptr %at{k}"
        for k in chains
    ]
    lines = [
        f"define void @{NAME}(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0 {{",
        "entry:",
        "  br label %round",
        "round:",
        "  %i = phi i64 [ %begin, %entry ], [ %next, %round ]",
        *starts,
        *steps,
        "  %next = add i64 %i, 1",
        "  %more = icmp slt i64 %next, %end",
        "  br i1 %more, label %round, label %leave",
        "leave:",
        *stores,
        "  ret void",
        "}",
    ]
    declaration = f"declare {kind} {function}({kind}, {kind}, {kind})"
    return named("\n".join(lines), [declaration], _CHAINS * target.vector_bytes, kind="peak")


def _triad(target: Target) -> Code:
    """A unit is one element of c = a + b / 2."""
    lanes = target.lanes("float32")
    kind, half = f"<{lanes} x float>", f"<{', '.join(['float 0.5'] * lanes)}>"
    text = f"""define void @{NAME}(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0 {{
entry:
  %a = load ptr, ptr %args
  %b.at = getelementptr i64, ptr %args, i64 1
  %b = load ptr, ptr %b.at
  %c.at = getelementptr i64, ptr %args, i64 2
  %c = load ptr, ptr %c.at
  br label %round
round:
  %i = phi i64 [ %begin, %entry ], [ %next, %round ]
  %a.i = getelementptr float, ptr %a, i64 %i
  %b.i = getelementptr float, ptr %b, i64 %i
  %c.i = getelementptr float, ptr %c, i64 %i
  %x = load {kind}, ptr %a.i, align 4
  %y = load {kind}, ptr %b.i, align 4
  %scaled = fmul {kind} %y, {half}
  %sum = fadd {kind} %x, %scaled
  store {kind} %sum, ptr %c.i, align 4
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %end
  br i1 %more, label %round, label %leave
leave:
  ret void
}}"""
    return named(text, [], kind="peak")
