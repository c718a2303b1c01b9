"""LLVM IR of the driver: learns whether a table runs faster with helpers; see `driver_text`.

Where other programs want the processors, a helper may lose its own with a chunk in its hands, and
the run waits for it: then the calling thread is faster alone. So is it where records are small, or
processors share what computes. Runs are timed: as soon as one with helpers takes longer than one
without, the next ones are alone, twice as many each time it happens again.
"""

from __future__ import annotations

#: The runs alone that a table begins with, to know how long they take.
FIRST_ALONE = 2
#: How many runs are alone after one with helpers that took longer: at first, and at most.
LEAST_ALONE, MOST_ALONE = 4, 256
#: After so many runs with helpers there is one without, to see how long that takes now.
RUNS_TOGETHER = 256

LEARNING = f"""
declare i64 @llvm.smin.i64(i64, i64)
declare i64 @llvm.smax.i64(i64, i64)

; Whether the next run is alone: those that are due count down.
define internal i1 @rests(ptr %table) #0 {{
  %due_at = getelementptr i64, ptr %table, i64 $ALONE_DUE
  %due = load i64, ptr %due_at
  %alone = icmp sgt i64 %due, 0
  br i1 %alone, label %count, label %end
count:
  %left = sub i64 %due, 1
  store i64 %left, ptr %due_at
  br label %end
end:
  ret i1 %alone
}}

; A run alone has ended that began at a time: what counts is the shortest of the last ones.
define internal void @learn_alone(ptr %table, i64 %began) #0 {{
  %now = call i64 @now()
  %took = sub i64 %now, %began
  %best_at = getelementptr i64, ptr %table, i64 $ALONE_TIME
  %best = load i64, ptr %best_at
  %known = icmp ne i64 %best, 0
  %part = ashr i64 %best, 4
  %forgotten = add i64 %best, %part
  %shorter = call i64 @llvm.smin.i64(i64 %took, i64 %forgotten)
  %new = select i1 %known, i64 %shorter, i64 %took
  store i64 %new, ptr %best_at
  ret void
}}

; The same for a run with helpers.
define internal void @learn_together(ptr %table, i64 %began) #0 {{
  %now = call i64 @now()
  %took = sub i64 %now, %began
  %best_at = getelementptr i64, ptr %table, i64 $ALONE_TIME
  %best = load i64, ptr %best_at
  %due_at = getelementptr i64, ptr %table, i64 $ALONE_DUE
  %next_at = getelementptr i64, ptr %table, i64 $ALONE_NEXT
  %next = load i64, ptr %next_at
  %longer = icmp sgt i64 %took, %best
  br i1 %longer, label %lost, label %won
lost:
  store i64 %next, ptr %due_at
  %twice = shl i64 %next, 1
  %more = call i64 @llvm.smin.i64(i64 %twice, i64 {MOST_ALONE})
  store i64 %more, ptr %next_at
  ret void
won:
  %half = ashr i64 %next, 1
  %less = call i64 @llvm.smax.i64(i64 %half, i64 {LEAST_ALONE})
  store i64 %less, ptr %next_at
  %together_at = getelementptr i64, ptr %table, i64 $TOGETHER
  %together = load i64, ptr %together_at
  %counted = add i64 %together, 1
  store i64 %counted, ptr %together_at
  %rest = and i64 %counted, {RUNS_TOGETHER - 1}
  %again = icmp eq i64 %rest, 0
  %due = zext i1 %again to i64
  store i64 %due, ptr %due_at
  ret void
}}
"""
