"""LLVM IR of the driver: a run on several threads, and the end of a pool; see `driver_text`."""

from __future__ import annotations

PARALLEL = """
; Pauses that often, for the pool to learn how long it takes.
define void @workbench_pause(i64 %count) #0 {
entry:
  br label %again
again:
  %i = phi i64 [ 0, %entry ], [ %i1, %again ]
  $PAUSE
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %count
  br i1 %more, label %again, label %end
end:
  ret void
}

; Sends all helpers home.
define void @workbench_stop(ptr %pool) #0 {
  %stop_at = getelementptr i64, ptr %pool, i64 $STOP
  store atomic i32 1, ptr %stop_at seq_cst, align 4
  %generation = atomicrmw add ptr %pool, i32 1 seq_cst
  call void @wake(ptr %pool, i32 2147483647)
  ret void
}

; A run together with the pool's helpers. 0, 1 where a check failed, -1 where the pool is in use.
define internal i32 @parallel(ptr %table, ptr %pool, ptr %records, i64 %first, i64 %last,
                              ptr %flags, i64 %flag_count, i64 %threads) #0 {
entry:
  %owner_at = getelementptr i64, ptr %pool, i64 $OWNER
  %exchange = cmpxchg ptr %owner_at, i32 0, i32 1 acq_rel monotonic, align 4
  %ours = extractvalue { i32, i1 } %exchange, 1
  br i1 %ours, label %prepare, label %taken
prepare:
  %run_at = getelementptr i64, ptr %table, i64 $RUN
  %run_before = load i64, ptr %run_at
  %counted = add i64 %run_before, 1
  %run = and i64 %counted, 2147483647
  %tag = shl i64 %run, 32
  br label %reset
reset:
  %i = phi i64 [ %first, %prepare ], [ %i1, %counter ]
  %more = icmp slt i64 %i, %last
  br i1 %more, label %counter, label %publish
counter:
  %base = getelementptr [$RECORD_WORDS x i64], ptr %records, i64 %i
  %next_at = getelementptr i64, ptr %base, i64 $NEXT
  store atomic i64 %tag, ptr %next_at monotonic, align 8
  %done_at = getelementptr i64, ptr %base, i64 $DONE
  store atomic i64 %tag, ptr %done_at monotonic, align 8
  %i1 = add i64 %i, 1
  br label %reset
publish:
  %first_at = getelementptr i64, ptr %table, i64 $FIRST
  store atomic i64 %first, ptr %first_at release, align 8
  %last_at = getelementptr i64, ptr %table, i64 $LAST
  store atomic i64 %last, ptr %last_at release, align 8
  %threads_at = getelementptr i64, ptr %table, i64 $THREADS
  store atomic i64 %threads, ptr %threads_at release, align 8
  %processor = call i32 @sched_getcpu()
  %processor64 = sext i32 %processor to i64
  %processor_at = getelementptr i64, ptr %table, i64 $PROCESSOR
  store atomic i64 %processor64, ptr %processor_at release, align 8
  %places = or i64 %tag, 1
  %places_at = getelementptr i64, ptr %table, i64 $PLACES
  store atomic i64 %places, ptr %places_at release, align 8
  ; The number goes last and is read first: who reads this one knows the rest to be as new, and who
  ; reads an older one finds nothing to take.
  store atomic i64 %run, ptr %run_at release, align 8
  %job_at = getelementptr i64, ptr %pool, i64 $JOB
  store atomic ptr %table, ptr %job_at seq_cst, align 8
  %generation = atomicrmw add ptr %pool, i32 1 seq_cst
  ; One who still sleeps in an earlier run of this table learns that it is over.
  call void @announce(ptr %table)
  %sleepers_at = getelementptr i64, ptr %pool, i64 $SLEEPERS
  %sleepers = load atomic i32, ptr %sleepers_at seq_cst, align 4
  %asleep = icmp ne i32 %sleepers, 0
  br i1 %asleep, label %rouse, label %share
rouse:
  %helpers = sub i64 %threads, 1
  %helpers32 = trunc i64 %helpers to i32
  call void @wake(ptr %pool, i32 %helpers32)
  br label %share
share:
  %known = call i64 @work(ptr %table, ptr %pool, i64 0, i64 %run, i64 %first, i64 %last)
  %failed = icmp slt i64 %known, 0
  br i1 %failed, label %release, label %join
join:
  %complete = call i64 @await(ptr %table, ptr %pool, ptr %records, i64 %known, i64 %last,
                              i64 %run)
  br label %release
release:
  store atomic ptr null, ptr %job_at seq_cst, align 8
  store atomic i32 0, ptr %owner_at release, align 4
  %bad = call i1 @flagged(ptr %flags, i64 %flag_count)
  %result = zext i1 %bad to i32
  ret i32 %result
taken:
  ret i32 -1
}
"""
