"""LLVM IR of the driver: the threads that work through a table of records together.

Every thread runs the same code over the same table (`table.py` has its layout): for one record
after the other it waits until the records are complete that this one builds on, then takes chunks
off the record's counter until none is left. Nobody waits for a thread that holds no chunk, so a
thread whose processor is taken away delays one chunk and nothing else.

A thread may therefore wake up in the middle of a later run. Counters carry the number of the run in
their upper half, so what it then does with them fails and it leaves. The pool's slots name the
table that each thread looks at, so a table is not freed under it.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.core.codegen.helper_text import HELPING
from workbench.core.codegen.layout import (
    POOL,
    PROCESSOR_WORDS,
    RECORD,
    RECORD_WORDS,
    TABLE,
    filled,
)
from workbench.core.codegen.learning_text import LEARNING
from workbench.core.codegen.parallel_text import PARALLEL
from workbench.core.codegen.repeat_text import LOOP, REPEATING, SIDE, SIDE_WORDS
from workbench.core.codegen.row_text import ACCESS, ACCESS_WORDS, ROWS
from workbench.core.codegen.waiting_text import WAITING


@dataclass(frozen=True)
class Platform:
    """What differs between processors: the number of Linux's futex call, and how to pause."""

    futex: int
    pause: str
    declaration: str


#: By the first part of LLVM's name for the system.
PLATFORMS = {
    "x86_64": Platform(
        202, "call void @llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"
    ),
    "aarch64": Platform(
        98, "call void @llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)"
    ),
}

_COMMON = """
declare i32 @clock_gettime(i32, ptr)

; Nanoseconds of the system's steady clock.
define internal i64 @now() #0 {
  %time = alloca [2 x i64]
  %status = call i32 @clock_gettime(i32 $CLOCK, ptr %time)
  %seconds = load i64, ptr %time
  %rest = getelementptr i64, ptr %time, i64 1
  %nanoseconds = load i64, ptr %rest
  %scaled = mul i64 %seconds, 1000000000
  %sum = add i64 %scaled, %nanoseconds
  ret i64 %sum
}

; Whether a check has failed.
define internal i1 @flagged(ptr %flags, i64 %count) #0 {
entry:
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %look ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %clear
look:
  %flag = getelementptr i32, ptr %flags, i64 %i
  %value = load atomic i32, ptr %flag monotonic, align 4
  %set = icmp ne i32 %value, 0
  %i1 = add i64 %i, 1
  br i1 %set, label %failed, label %next
failed:
  ret i1 true
clear:
  ret i1 false
}

; All records on this thread, in the same chunks. 0, or 1 where a check failed.
define internal i32 @serial(ptr %records, i64 %first, i64 %last, ptr %flags, i64 %flag_count,
                            ptr %scratch, ptr %stamps) #0 {
entry:
  %stamped = icmp ne ptr %stamps, null
  br label %record
record:
  %r = phi i64 [ %first, %entry ], [ %r1, %done ]
  %more = icmp slt i64 %r, %last
  br i1 %more, label %guard, label %finish
guard:
  %base = getelementptr [$RECORD_WORDS x i64], ptr %records, i64 %r
  %effect_at = getelementptr i64, ptr %base, i64 $EFFECT
  %effect = load i64, ptr %effect_at
  %units_at = getelementptr i64, ptr %base, i64 $UNITS
  %units = load i64, ptr %units_at
  %work = icmp ne i64 %units, 0
  %changes = icmp ne i64 %effect, 0
  %guarded = and i1 %work, %changes
  br i1 %guarded, label %check, label %start
check:
  %stop = call i1 @flagged(ptr %flags, i64 %flag_count)
  br i1 %stop, label %failed, label %start
start:
  %function = load ptr, ptr %base
  %arguments_at = getelementptr i64, ptr %base, i64 $ARGUMENTS
  %arguments = load ptr, ptr %arguments_at
  %chunk_at = getelementptr i64, ptr %base, i64 $CHUNK
  %chunk = load i64, ptr %chunk_at
  br label %chunks
chunks:
  %begin = phi i64 [ 0, %start ], [ %end, %call ]
  %left = icmp slt i64 %begin, %units
  br i1 %left, label %call, label %complete
call:
  %beyond = add i64 %begin, %chunk
  %within = icmp slt i64 %beyond, %units
  %end = select i1 %within, i64 %beyond, i64 %units
  call void %function(ptr %arguments, i64 %begin, i64 %end, ptr %scratch)
  br label %chunks
complete:
  br i1 %stamped, label %stamp, label %done
stamp:
  %time = call i64 @now()
  %stamp_at = getelementptr i64, ptr %stamps, i64 %r
  store i64 %time, ptr %stamp_at
  br label %done
done:
  %r1 = add i64 %r, 1
  br label %record
finish:
  %bad = call i1 @flagged(ptr %flags, i64 %flag_count)
  br i1 %bad, label %failed, label %good
failed:
  ret i32 1
good:
  ret i32 0
}
"""

_SERIAL_ONLY = """
define internal i32 @parallel(ptr %table, ptr %pool, ptr %records, i64 %first, i64 %last,
                              ptr %flags, i64 %flag_count, i64 %threads) #0 {
  ret i32 -1
}
"""

_RUN = """
; Runs the records [first, last) of a table that the caller has marked busy. 0: done, 1: a check
; failed.
define i32 @workbench_execute(ptr %table, ptr %pool, i64 %first, i64 %last, i64 %threads) #0 {
entry:
  %records = load ptr, ptr %table
  %flags_at = getelementptr i64, ptr %table, i64 $FLAGS
  %flags = load ptr, ptr %flags_at
  %flag_count_at = getelementptr i64, ptr %table, i64 $FLAG_COUNT
  %flag_count = load i64, ptr %flag_count_at
  %stamps_at = getelementptr i64, ptr %table, i64 $STAMPS
  %stamps = load ptr, ptr %stamps_at
  br label %flag
flag:
  %i = phi i64 [ 0, %entry ], [ %i1, %unset ]
  %more = icmp slt i64 %i, %flag_count
  br i1 %more, label %unset, label %timing
unset:
  %flag_at = getelementptr i32, ptr %flags, i64 %i
  store atomic i32 0, ptr %flag_at monotonic, align 4
  %i1 = add i64 %i, 1
  br label %flag
timing:
  %stamped = icmp ne ptr %stamps, null
  br i1 %stamped, label %stamp, label %choose
stamp:
  %time = call i64 @now()
  %began_at = getelementptr i64, ptr %table, i64 $BEGAN
  store i64 %time, ptr %began_at
  br label %choose
choose:
  %several = icmp sgt i64 %threads, 1
  %available = icmp ne ptr %pool, null
  %together = and i1 %several, %available
  br i1 %together, label %weigh, label %alone
weigh:
  %learns_at = getelementptr i64, ptr %table, i64 $LEARNS
  %learns = load i64, ptr %learns_at
  %all = sub i64 %last, %first
  %compared = icmp eq i64 %all, %learns
  %any = icmp ne i64 %all, 0
  %learning = and i1 %compared, %any
  br i1 %learning, label %decide, label %share
decide:
  %began = call i64 @now()
  %rests = call i1 @rests(ptr %table)
  br i1 %rests, label %alone, label %share
share:
  %share_began = phi i64 [ 0, %weigh ], [ %began, %decide ]
  %shared = call i32 @parallel(ptr %table, ptr %pool, ptr %records, i64 %first, i64 %last,
                               ptr %flags, i64 %flag_count, i64 %threads)
  %refused = icmp slt i32 %shared, 0
  br i1 %refused, label %alone, label %shared_done
shared_done:
  %shared_timed = icmp ne i64 %share_began, 0
  br i1 %shared_timed, label %learn_shared, label %end
learn_shared:
  call void @learn_together(ptr %table, i64 %share_began)
  br label %end
alone:
  ; Where others have the pool there is nothing to learn.
  %alone_began = phi i64 [ 0, %choose ], [ %began, %decide ], [ 0, %share ]
  %scratch_at = getelementptr i64, ptr %table, i64 $SCRATCH
  %scratch = load ptr, ptr %scratch_at
  %result = call i32 @serial(ptr %records, i64 %first, i64 %last, ptr %flags, i64 %flag_count,
                             ptr %scratch, ptr %stamps)
  %alone_timed = icmp ne i64 %alone_began, 0
  br i1 %alone_timed, label %learn_alone, label %end
learn_alone:
  call void @learn_alone(ptr %table, i64 %alone_began)
  br label %end
end:
  %status = phi i32 [ %shared, %shared_done ], [ %shared, %learn_shared ], [ %result, %alone ],
                    [ %result, %learn_alone ]
  ret i32 %status
}

; The same for any table. 2: it is being run already.
define i32 @workbench_run(ptr %table, ptr %pool, i64 %first, i64 %last, i64 %threads) #0 {
  %busy_at = getelementptr i64, ptr %table, i64 $BUSY
  %exchange = cmpxchg ptr %busy_at, i32 0, i32 1 acq_rel monotonic, align 4
  %ours = extractvalue { i32, i1 } %exchange, 1
  br i1 %ours, label %go, label %busy
go:
  %status = call i32 @workbench_execute(ptr %table, ptr %pool, i64 %first, i64 %last,
                                        i64 %threads)
  store atomic i32 0, ptr %busy_at release, align 4
  ret i32 %status
busy:
  ret i32 2
}

attributes #0 = { nounwind }
"""


def driver_text(triple: str) -> str:
    """The module for a system, by LLVM's name for it; serial where the pool is not supported.

    >>> (
    ...     "syscall" in driver_text("x86_64-unknown-linux-gnu"),
    ...     "syscall" in driver_text("arm64-apple"),
    ... )
    (True, False)
    """
    linux = "linux" in triple
    platform = PLATFORMS.get(triple.partition("-")[0]) if linux else None
    # CLOCK_MONOTONIC, here and on macOS.
    values = {
        **RECORD,
        **TABLE,
        **POOL,
        **SIDE,
        **LOOP,
        **ACCESS,
        "SIDE_WORDS": SIDE_WORDS,
        "ACCESS_WORDS": ACCESS_WORDS,
        "RECORD_WORDS": RECORD_WORDS,
        "PROCESSOR_WORDS": PROCESSOR_WORDS,
        "PROCESSOR_BYTES": 8 * PROCESSOR_WORDS,
        "CLOCK": 1 if linux else 6,
    }
    if platform is None:
        return filled(_COMMON + LEARNING + _SERIAL_ONLY + _RUN + ROWS + REPEATING, values)
    text = platform.declaration + _COMMON + WAITING + HELPING + PARALLEL + LEARNING + _RUN
    text += ROWS + REPEATING
    return filled(text.replace("$PAUSE", platform.pause), {**values, "FUTEX": platform.futex})
