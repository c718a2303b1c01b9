"""LLVM IR of the driver: how threads wait for each other; `driver_text` puts it together."""

from __future__ import annotations

WAITING = """
declare i64 @syscall(i64, ...)
declare i32 @sched_yield()
declare i32 @sched_getcpu()
declare i32 @sched_setaffinity(i32, i64, ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

; Sleeps until the word is no longer as it was seen.
define internal void @sleep(ptr %word, i32 %seen) #0 {
  %status = call i64 (i64, ...) @syscall(i64 $FUTEX, ptr %word, i32 128, i32 %seen, ptr null,
                                         ptr null, i32 0)
  ret void
}

define internal void @wake(ptr %word, i32 %count) #0 {
  %status = call i64 (i64, ...) @syscall(i64 $FUTEX, ptr %word, i32 129, i32 %count, ptr null,
                                         ptr null, i32 0)
  ret void
}

; Moves the thread to another processor than this one; it is free to come back.
define internal void @move_away(ptr %pool, i64 %processor) #0 {
  %allowed = getelementptr i64, ptr %pool, i64 $PROCESSORS
  %others = alloca [$PROCESSOR_WORDS x i64], align 64
  call void @llvm.memcpy.p0.p0.i64(ptr %others, ptr %allowed, i64 $PROCESSOR_BYTES, i1 false)
  %word = lshr i64 %processor, 6
  %known = icmp ult i64 %word, $PROCESSOR_WORDS
  br i1 %known, label %exclude, label %end
exclude:
  %at = getelementptr i64, ptr %others, i64 %word
  %bits = load i64, ptr %at
  %position = and i64 %processor, 63
  %bit = shl i64 1, %position
  %rest = xor i64 %bit, -1
  %left = and i64 %bits, %rest
  store i64 %left, ptr %at
  %moved = call i32 @sched_setaffinity(i32 0, i64 $PROCESSOR_BYTES, ptr %others)
  %freed = call i32 @sched_setaffinity(i32 0, i64 $PROCESSOR_BYTES, ptr %allowed)
  br label %end
end:
  ret void
}

; Wakes those who sleep in a table, if any.
define internal void @announce(ptr %table) #0 {
  %waiters_at = getelementptr i64, ptr %table, i64 $WAITERS
  %waiters = load atomic i32, ptr %waiters_at seq_cst, align 4
  %any = icmp ne i32 %waiters, 0
  br i1 %any, label %change, label %end
change:
  %event_at = getelementptr i64, ptr %table, i64 $EVENT
  %old = atomicrmw add ptr %event_at, i32 1 seq_cst
  call void @wake(ptr %event_at, i32 2147483647)
  br label %end
end:
  ret void
}

; Waits until all records before `target` are complete, given that those before `frontier` are.
; Returns target, or -1 when the run is over.
define internal i64 @await(ptr %table, ptr %pool, ptr %records, i64 %frontier, i64 %target,
                           i64 %run) #0 {
entry:
  %spins_at = getelementptr i64, ptr %pool, i64 $WAIT_SPINS
  %spins = load i64, ptr %spins_at
  %patience = add i64 %spins, 16
  %event_at = getelementptr i64, ptr %table, i64 $EVENT
  %waiters_at = getelementptr i64, ptr %table, i64 $WAITERS
  %tag = shl i64 %run, 32
  br label %next
next:
  %f = phi i64 [ %frontier, %entry ], [ %f1, %advance ]
  %short = icmp slt i64 %f, %target
  br i1 %short, label %examine, label %reached
examine:
  %base = getelementptr [$RECORD_WORDS x i64], ptr %records, i64 %f
  %chunks_at = getelementptr i64, ptr %base, i64 $CHUNKS
  %chunks = load i64, ptr %chunks_at
  %done_at = getelementptr i64, ptr %base, i64 $DONE
  %full = or i64 %tag, %chunks
  br label %look
look:
  %k = phi i64 [ 0, %examine ], [ %k_spin, %spin ], [ %k_yield, %yield ], [ %patience, %slept ]
  %done = load atomic i64, ptr %done_at acquire, align 8
  %complete = icmp eq i64 %done, %full
  br i1 %complete, label %advance, label %incomplete
advance:
  %f1 = add i64 %f, 1
  br label %next
incomplete:
  %its_run = lshr i64 %done, 32
  %current = icmp eq i64 %its_run, %run
  br i1 %current, label %idle, label %over
idle:
  %spinning = icmp slt i64 %k, %spins
  br i1 %spinning, label %spin, label %tired
spin:
  $PAUSE
  %k_spin = add i64 %k, 1
  br label %look
tired:
  %yielding = icmp slt i64 %k, %patience
  br i1 %yielding, label %yield, label %prepare
yield:
  %yielded = call i32 @sched_yield()
  %k_yield = add i64 %k, 1
  br label %look
prepare:
  ; Whoever completes the record afterwards sees that somebody waits; whoever did before is seen.
  %waiters = atomicrmw add ptr %waiters_at, i32 1 seq_cst
  %event = load atomic i32, ptr %event_at seq_cst, align 4
  %done_again = load atomic i64, ptr %done_at seq_cst, align 8
  %same = icmp eq i64 %done_again, %done
  br i1 %same, label %rest, label %slept
rest:
  call void @sleep(ptr %event_at, i32 %event)
  br label %slept
slept:
  %waiters_before = atomicrmw sub ptr %waiters_at, i32 1 seq_cst
  br label %look
reached:
  ret i64 %f
over:
  ret i64 -1
}
"""
