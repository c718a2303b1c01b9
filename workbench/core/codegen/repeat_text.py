"""LLVM IR of the driver: runs one table again and again, as long as another one says so.

A loop has two sides. On one side the tables read the states where they are first and write the next
ones elsewhere, on the other side the other way round: so nothing moves but what a pass hands on as
it is.
"""

from __future__ import annotations

#: A side of a loop, in words: its tables, the byte that says whether there is another pass, and
#: what is copied after the pass (address of the list, count); each copy is to, from and bytes. Then
#: the table that computes where elements of lists are, or 0, and the accesses to them (`row_text`).
SIDE_WORDS = 8
SIDE = {
    "CONDITION": 0,
    "GOES_ON": 1,
    "PASS": 2,
    "COPIES": 3,
    "COPY_COUNT": 4,
    "INDICES": 5,
    "ACCESSES": 6,
    "ACCESS_COUNT": 7,
}
#: Behind the sides: how many threads there are, the pool, how many passes were made, and before
#: this call; and the access that found no row.
LOOP_WORDS = 2 * SIDE_WORDS + 5
LOOP = {
    "LOOP_THREADS": 2 * SIDE_WORDS,
    "LOOP_POOL": 2 * SIDE_WORDS + 1,
    "PASSES": 2 * SIDE_WORDS + 2,
    "PASSES_BEFORE": 2 * SIDE_WORDS + 3,
    "SHORT": 2 * SIDE_WORDS + 4,
}

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
; hold any more, 1: a check failed, 2: so many were made, 3: a list has no row for the next pass.
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
  br i1 %within, label %lists, label %enough
lists:
  %access_count_at = getelementptr i64, ptr %here, i64 $ACCESS_COUNT
  %access_count = load i64, ptr %access_count_at
  %has_lists = icmp sgt i64 %access_count, 0
  br i1 %has_lists, label %indices, label %pass
indices:
  %accesses_at = getelementptr i64, ptr %here, i64 $ACCESSES
  %accesses = load ptr, ptr %accesses_at
  %indices_at = getelementptr i64, ptr %here, i64 $INDICES
  %index_table = load ptr, ptr %indices_at
  %none_computed = icmp eq ptr %index_table, null
  br i1 %none_computed, label %places, label %compute
compute:
  %computed = call i32 @whole(ptr %index_table, ptr %pool, i64 %threads)
  %are_known = icmp eq i32 %computed, 0
  br i1 %are_known, label %places, label %failed
places:
  %before_at = getelementptr i64, ptr %loop, i64 $PASSES_BEFORE
  %before = load i64, ptr %before_at
  %number = add i64 %before, %passes
  %short = call i64 @find_places(ptr %accesses, i64 %access_count, i64 %number)
  %all_there = icmp eq i64 %short, -1
  br i1 %all_there, label %rows, label %missing
missing:
  %short_at = getelementptr i64, ptr %loop, i64 $SHORT
  store i64 %short, ptr %short_at
  %met = icmp slt i64 %short, 0
  br i1 %met, label %failed, label %too_short
rows:
  %taken = call i1 @take_rows(ptr %accesses, i64 %access_count)
  br i1 %taken, label %pass, label %failed
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
too_short:
  ret i32 3
done:
  ret i32 0
}
"""
