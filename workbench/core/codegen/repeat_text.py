"""LLVM IR of the driver: runs one table again and again, as long as another one says so.

A loop has two sides. On one side the tables read the states where they are first and write the next
ones elsewhere, on the other side the other way round: so nothing moves but what a pass hands on as
it is.
"""

from __future__ import annotations

#: A side of a loop, in words: its tables, the byte that says whether there is another pass, and
#: what is copied after the pass (address of the list, count); each copy is to, from and bytes.
SIDE_WORDS = 5
SIDE = {"CONDITION": 0, "GOES_ON": 1, "PASS": 2, "COPIES": 3, "COPY_COUNT": 4}
#: Behind the sides: how many threads there are, the pool, and how many passes were made.
LOOP_WORDS = 2 * SIDE_WORDS + 3
LOOP = {"LOOP_THREADS": 10, "LOOP_POOL": 11, "PASSES": 12}

REPEATING = """
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)

; All records of a table that nobody else runs.
define internal i32 @whole(ptr %table, ptr %pool, i64 %threads) #0 {
  %count_at = getelementptr i64, ptr %table, i64 $ALL
  %count = load i64, ptr %count_at
  %status = call i32 @workbench_execute(ptr %table, ptr %pool, i64 0, i64 %count, i64 %threads)
  ret i32 %status
}

; Passes, at most so many, from a side on; PASSES has how many there were. 0: the condition does not
; hold any more, 1: a check failed, 2: so many were made.
define i32 @workbench_repeat(ptr %loop, i64 %first_side, i64 %limit) #0 {
entry:
  %threads_at = getelementptr i64, ptr %loop, i64 $LOOP_THREADS
  %threads = load i64, ptr %threads_at
  %pool_at = getelementptr i64, ptr %loop, i64 $LOOP_POOL
  %pool = load ptr, ptr %pool_at
  %passes_at = getelementptr i64, ptr %loop, i64 $PASSES
  br label %look
look:
  %side = phi i64 [ %first_side, %entry ], [ %other, %next ]
  %passes = phi i64 [ 0, %entry ], [ %more, %next ]
  store i64 %passes, ptr %passes_at
  %here = getelementptr [$SIDE_WORDS x i64], ptr %loop, i64 %side
  %condition_at = getelementptr i64, ptr %here, i64 $CONDITION
  %condition = load ptr, ptr %condition_at
  %looked = call i32 @whole(ptr %condition, ptr %pool, i64 %threads)
  %known = icmp eq i32 %looked, 0
  br i1 %known, label %decide, label %failed
decide:
  %goes_on_at = getelementptr i64, ptr %here, i64 $GOES_ON
  %goes_on_byte = load ptr, ptr %goes_on_at
  %goes_on = load i8, ptr %goes_on_byte
  %again = icmp ne i8 %goes_on, 0
  br i1 %again, label %bound, label %done
bound:
  %within = icmp slt i64 %passes, %limit
  br i1 %within, label %pass, label %enough
pass:
  %pass_at = getelementptr i64, ptr %here, i64 $PASS
  %table = load ptr, ptr %pass_at
  %status = call i32 @whole(ptr %table, ptr %pool, i64 %threads)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %copies, label %failed
copies:
  %copies_at = getelementptr i64, ptr %here, i64 $COPIES
  %list = load ptr, ptr %copies_at
  %copy_count_at = getelementptr i64, ptr %here, i64 $COPY_COUNT
  %copy_count = load i64, ptr %copy_count_at
  br label %copy
copy:
  %c = phi i64 [ 0, %copies ], [ %c1, %move ]
  %left = icmp slt i64 %c, %copy_count
  br i1 %left, label %move, label %next
move:
  %entry_at = getelementptr [3 x i64], ptr %list, i64 %c
  %to = load ptr, ptr %entry_at
  %from_at = getelementptr i64, ptr %entry_at, i64 1
  %from = load ptr, ptr %from_at
  %bytes_at = getelementptr i64, ptr %entry_at, i64 2
  %bytes = load i64, ptr %bytes_at
  call void @llvm.memmove.p0.p0.i64(ptr %to, ptr %from, i64 %bytes, i1 false)
  %c1 = add i64 %c, 1
  br label %copy
next:
  %other = sub i64 1, %side
  %more = add i64 %passes, 1
  br label %look
failed:
  ret i32 1
enough:
  ret i32 2
done:
  ret i32 0
}
"""
