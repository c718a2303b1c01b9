"""Kernels of a few lines for the tests of what runs kernels: each does one thing per unit."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from workbench.core.codegen.compiler import KernelLibrary
from workbench.core.codegen.module import NAME, named
from workbench.core.codegen.specs import Code
from workbench.core.codegen.table import Record

#: How often a kernel looks for what it waits for before it gives up: many seconds.
_PATIENCE = 1 << 33


def kernel(arguments: str, body: str, scratch: int = 0) -> Code:
    """A loop over the units: `%i` is the unit, `%begin` and `%end` the chunk's, `%scratch` the
    thread's memory; arguments (pointers, or `n` an integer) have the names given."""
    lines = []
    for number, name in enumerate(arguments.split()):
        lines.append(f"  %{name}.at = getelementptr i64, ptr %args, i64 {number}")
        lines.append(f"  %{name} = load {'i64' if name == 'n' else 'ptr'}, ptr %{name}.at")
    head = "\n".join(lines)
    text = f"""define void @{NAME}(ptr %args, i64 %begin, i64 %end, ptr %scratch) #0 {{
entry:
{head}
  br label %unit
unit:
  %i = phi i64 [ %begin, %entry ], [ %next, %last ]
{body}
  br label %last
last:
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %end
  br i1 %more, label %unit, label %leave
leave:
  ret void
}}"""
    return named(text, [], scratch, kind="small")


#: counts[i] += 1
COUNT = kernel(
    "counts",
    """  %at = getelementptr i32, ptr %counts, i64 %i
  %old = load i32, ptr %at
  %new = add i32 %old, 1
  store i32 %new, ptr %at""",
)

#: ends[begin of the chunk] = end of the chunk
BOUNDS = kernel(
    "ends",
    """  %at = getelementptr i64, ptr %ends, i64 %begin
  store i64 %end, ptr %at""",
)

#: to[i] = from[(i * 7919) % n] + 1: needs all that came before
GATHER = kernel(
    "from to n",
    """  %far = mul i64 %i, 7919
  %other = urem i64 %far, %n
  %at = getelementptr i64, ptr %from, i64 %other
  %old = load i64, ptr %at
  %new = add i64 %old, 1
  %to.at2 = getelementptr i64, ptr %to, i64 %i
  store i64 %new, ptr %to.at2""",
)

#: flag = 1 where values[i] < 0
CHECK = kernel(
    "values flag",
    """  %at = getelementptr float, ptr %values, i64 %i
  %value = load float, ptr %at
  %bad = fcmp olt float %value, 0.0
  br i1 %bad, label %set, label %last
set:
  store i32 1, ptr %flag""",
)

#: out[i] = a[i] * b[i], in float32
MULTIPLY = kernel(
    "a b out",
    """  %a.i = getelementptr float, ptr %a, i64 %i
  %b.i = getelementptr float, ptr %b, i64 %i
  %out.i = getelementptr float, ptr %out, i64 %i
  %x = load float, ptr %a.i
  %y = load float, ptr %b.i
  %product = fmul float %x, %y
  store float %product, ptr %out.i""",
)

#: to[i] = from[i], in bytes
COPY = kernel(
    "from to",
    """  %at = getelementptr i8, ptr %from, i64 %i
  %to.i = getelementptr i8, ptr %to, i64 %i
  %value = load i8, ptr %at
  store i8 %value, ptr %to.i""",
)

#: error = 1 unless the first n of `counts` are what is `expected`; then mine += 1
ORDER = kernel(
    "counts expected mine error n",
    """  br label %look
look:
  %k = phi i64 [ 0, %unit ], [ %k1, %right ]
  %further = icmp slt i64 %k, %n
  br i1 %further, label %compare, label %count
compare:
  %count.at = getelementptr i64, ptr %counts, i64 %k
  %is = load atomic i64, ptr %count.at monotonic, align 8
  %expected.at2 = getelementptr i64, ptr %expected, i64 %k
  %should = load i64, ptr %expected.at2
  %same = icmp eq i64 %is, %should
  br i1 %same, label %right, label %wrong
right:
  %k1 = add i64 %k, 1
  br label %look
wrong:
  store atomic i64 1, ptr %error monotonic, align 8
  br label %count
count:
  %old = atomicrmw add ptr %mine, i64 1 monotonic""",
)

#: word += 1
ADD = kernel("word", "  %old = atomicrmw add ptr %word, i64 1 acq_rel")

#: Unit 0 waits until the word is n, and says in `saw` whether it came to that; others add 1 to it.
HOLD = kernel(
    "word saw n",
    f"""  %first = icmp eq i64 %i, 0
  br i1 %first, label %look, label %count
look:
  %k = phi i64 [ 0, %unit ], [ %k1, %look ]
  %value = load atomic i64, ptr %word acquire, align 8
  %there = icmp sge i64 %value, %n
  %k1 = add i64 %k, 1
  %tired = icmp sgt i64 %k1, {_PATIENCE}
  %stop = or i1 %there, %tired
  br i1 %stop, label %tell, label %look
tell:
  %result = zext i1 %there to i64
  store i64 %result, ptr %saw
  br label %last
count:
  %old = atomicrmw add ptr %word, i64 1 acq_rel""",
)

#: right[i] = whether 64 words of the thread's memory kept what was written there
SCRATCH = kernel(
    "right",
    """  br label %write
write:
  %k = phi i64 [ 0, %unit ], [ %k1, %write ]
  %at = getelementptr i64, ptr %scratch, i64 %k
  store atomic i64 %i, ptr %at monotonic, align 8
  %k1 = add i64 %k, 1
  %again = icmp slt i64 %k1, 64
  br i1 %again, label %write, label %read
read:
  %j = phi i64 [ 0, %write ], [ %j1, %read ]
  %wrong = phi i64 [ 0, %write ], [ %wrong1, %read ]
  %from = getelementptr i64, ptr %scratch, i64 %j
  %found = load atomic i64, ptr %from monotonic, align 8
  %difference = xor i64 %found, %i
  %wrong1 = or i64 %wrong, %difference
  %j1 = add i64 %j, 1
  %further = icmp slt i64 %j1, 64
  br i1 %further, label %read, label %compare
compare:
  %good = icmp eq i64 %wrong1, 0
  %byte = zext i1 %good to i8
  %right.i = getelementptr i8, ptr %right, i64 %i
  store i8 %byte, ptr %right.i""",
    scratch=512,
)


@functools.cache
def _address(code: Code) -> int:
    return KernelLibrary.shared().compile([code])[code.name]


def call(code: Code, *arguments: Any, units: int, chunk: int = 1, **options: Any) -> Record:
    """A record that calls a kernel with arrays and integers; the caller keeps the arrays."""
    words = [a.ctypes.data if isinstance(a, np.ndarray) else int(a) for a in arguments]
    return Record(_address(code), tuple(words), units, chunk, scratch=code.scratch, **options)
