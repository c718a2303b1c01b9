"""LLVM IR of the entry: the function that the interpreter calls for a step.

One text serves all plans: what a plan expects is data (`entry_layout`). It looks at every object
before it reads a pointer from it, and gives up, returning NotImplemented, where anything is not
as expected; Ellipsis says that a check of the step failed.
"""

from __future__ import annotations

import re

from workbench.core.codegen import entry_layout, layout
from workbench.core.codegen.entry_layout import MOST_VALUES
from workbench.core.codegen.feed_text import FEEDS
from workbench.core.codegen.front_text import FRONT
from workbench.core.codegen.lock_text import LOCKS
from workbench.core.codegen.result_text import RESULTS

_COMMON = """
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_IncRef(ptr)
declare void @Py_DecRef(ptr)
declare double @PyFloat_AsDouble(ptr)
declare ptr @PyList_New(i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare i64 @PyList_Size(ptr)
declare ptr @PyList_GetItem(ptr, i64)
declare i64 @PyTuple_Size(ptr)
declare ptr @PyTuple_GetItem(ptr, i64)
declare i64 @PyDict_Size(ptr)
declare i32 @PyDict_Next(ptr, ptr, ptr, ptr)
declare ptr @PyObject_CallOneArg(ptr, ptr)
declare ptr @PyObject_CallNoArgs(ptr)

attributes #0 = { nounwind }

; One of the interpreter's constants, as a result.
define internal ptr @constant(ptr %runtime, i64 %index) #0 {
  %object = call ptr @pointer(ptr %runtime, i64 %index)
  call void @Py_IncRef(ptr %object)
  ret ptr %object
}

; Writes an address into the places that hold it.
define internal void @patch(ptr %patches, i64 %count, i64 %data) #0 {
entry:
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %write ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %write, label %end
write:
  %pair = getelementptr [2 x i64], ptr %patches, i64 %i
  %place = load ptr, ptr %pair
  %offset_at = getelementptr i64, ptr %pair, i64 1
  %offset = load i64, ptr %offset_at
  %address = add i64 %data, %offset
  store i64 %address, ptr %place
  %i1 = add i64 %i, 1
  br label %next
end:
  ret void
}
"""

_PERFORM = """
; Gets a step ready: its values are bound and held, its arrays are made. 0: ready, 1: refused, and
; nothing has changed; 2: memory is short, to be finished.
define internal i32 @begin(ptr %context, ptr %values) #0 {
entry:
  %runtime = call ptr @pointer(ptr %context, i64 $RUNTIME_AT)
  %table = call ptr @pointer(ptr %context, i64 $TABLE)
  %feeds = call ptr @pointer(ptr %context, i64 $FEED_LIST)
  %feed_count = call i64 @word(ptr %context, i64 $FEED_COUNT)
  %busy_at = getelementptr i64, ptr %table, i64 $BUSY
  %lock = cmpxchg ptr %busy_at, i32 0, i32 1 acq_rel monotonic, align 4
  %ours = extractvalue { i32, i1 } %lock, 1
  br i1 %ours, label %hold_locks, label %refused
hold_locks:
  ; Before the variables are looked up, whose objects may be replaced until then.
  %locked = call i1 @lock(ptr %context, ptr %runtime)
  br i1 %locked, label %feed, label %idle
feed:
  %i = phi i64 [ 0, %hold_locks ], [ %i1, %hold ]
  %more = icmp slt i64 %i, %feed_count
  br i1 %more, label %find, label %prepare
find:
  %its = getelementptr [$FEED_WORDS x i64], ptr %feeds, i64 %i
  %number = load i64, ptr %its
  %held_elsewhere = icmp slt i64 %number, 0
  br i1 %held_elsewhere, label %held, label %given
held:
  %holder = call ptr @pointer(ptr %its, i64 $HOLDER)
  %held_object = load ptr, ptr %holder
  br label %try
given:
  %given_object = call ptr @pointer(ptr %values, i64 %number)
  br label %try
try:
  %object = phi ptr [ %held_object, %held ], [ %given_object, %given ]
  %fits = call i1 @bind(ptr %its, ptr %object, ptr %runtime)
  br i1 %fits, label %hold, label %misfit
hold:
  call void @Py_IncRef(ptr %object)
  %held_at = getelementptr i64, ptr %its, i64 $HELD
  store ptr %object, ptr %held_at
  %i1 = add i64 %i, 1
  br label %feed
prepare:
  %results = call ptr @pointer(ptr %context, i64 $RESULT_LIST)
  %result_count = call i64 @word(ptr %context, i64 $RESULT_COUNT)
  %prepared = call i1 @make(ptr %results, i64 %result_count, i64 1, ptr %runtime)
  %begun = select i1 %prepared, i32 0, i32 2
  ret i32 %begun
misfit:
  call void @let_go(ptr %feeds, i64 %i)
  %all_locks = call i64 @word(ptr %context, i64 $LOCK_COUNT)
  call void @unlock(ptr %context, i64 %all_locks)
  br label %idle
idle:
  store atomic i32 0, ptr %busy_at release, align 4
  br label %refused
refused:
  ret i32 1
}

; Runs all records; 0, or 1 when a check failed.
define internal i32 @run(ptr %context) #0 {
  %runtime = call ptr @pointer(ptr %context, i64 $RUNTIME_AT)
  %table = call ptr @pointer(ptr %context, i64 $TABLE)
  %pool = call ptr @pointer(ptr %context, i64 $POOL)
  %records = call i64 @word(ptr %context, i64 $RECORD_COUNT)
  %threads = call i64 @word(ptr %context, i64 $THREAD_COUNT)
  %execute = call ptr @pointer(ptr %runtime, i64 $EXECUTE)
  %release = call i64 @word(ptr %context, i64 $RELEASE)
  %long = icmp ne i64 %release, 0
  br i1 %long, label %without, label %with
without:
  %thread = call ptr @PyEval_SaveThread()
  %status_without = call i32 %execute(ptr %table, ptr %pool, i64 0, i64 %records, i64 %threads)
  call void @PyEval_RestoreThread(ptr %thread)
  ret i32 %status_without
with:
  %status_with = call i32 %execute(ptr %table, ptr %pool, i64 0, i64 %records, i64 %threads)
  ret i32 %status_with
}

; Ends a step that was begun, and gives what it returns. Status 0: it is done, 1: a check failed, 2:
; memory is short, and the interpreter knows.
define internal ptr @finish(ptr %context, i32 %status) #0 {
entry:
  %runtime = call ptr @pointer(ptr %context, i64 $RUNTIME_AT)
  %table = call ptr @pointer(ptr %context, i64 $TABLE)
  %feeds = call ptr @pointer(ptr %context, i64 $FEED_LIST)
  %feed_count = call i64 @word(ptr %context, i64 $FEED_COUNT)
  %results = call ptr @pointer(ptr %context, i64 $RESULT_LIST)
  %result_count = call i64 @word(ptr %context, i64 $RESULT_COUNT)
  switch i32 %status, label %leave [
    i32 0, label %collect
    i32 1, label %broken
  ]
collect:
  %collected = call i1 @make(ptr %results, i64 %result_count, i64 0, ptr %runtime)
  br i1 %collected, label %build, label %leave
build:
  %whole = call ptr @assemble(ptr %context, ptr %results, ptr %runtime)
  ; The step is done, whether or not there is memory for what it returns.
  call void @deliver(ptr %results, i64 %result_count)
  br label %leave
broken:
  %failure = call ptr @constant(ptr %runtime, i64 $ELLIPSIS)
  br label %leave
leave:
  %outcome = phi ptr [ %whole, %build ], [ %failure, %broken ], [ null, %entry ],
                     [ null, %collect ]
  call void @discard(ptr %results, i64 %result_count)
  call void @let_go(ptr %feeds, i64 %feed_count)
  %lock_count = call i64 @word(ptr %context, i64 $LOCK_COUNT)
  call void @unlock(ptr %context, i64 %lock_count)
  %busy_at = getelementptr i64, ptr %table, i64 $BUSY
  store atomic i32 0, ptr %busy_at release, align 4
  ret ptr %outcome
}

define internal ptr @refusal(ptr %context) #0 {
  %runtime = call ptr @pointer(ptr %context, i64 $RUNTIME_AT)
  %object = call ptr @constant(ptr %runtime, i64 $NOT_IMPLEMENTED)
  ret ptr %object
}

; A step with these values.
define internal ptr @perform(ptr %context, ptr %values) #0 {
  %begun = call i32 @begin(ptr %context, ptr %values)
  switch i32 %begun, label %short [
    i32 0, label %ready
    i32 1, label %refused
  ]
ready:
  %status = call i32 @run(ptr %context)
  %outcome = call ptr @finish(ptr %context, i32 %status)
  ret ptr %outcome
refused:
  %refusal = call ptr @refusal(ptr %context)
  ret ptr %refusal
short:
  %nothing = call ptr @finish(ptr %context, i32 2)
  ret ptr %nothing
}

; The context of the function that the interpreter calls: `self` is the array that holds it.
define internal ptr @context(ptr %self) #0 {
  %data_at = getelementptr i8, ptr %self, i64 $DATA_OFFSET
  %context = load ptr, ptr %data_at
  ret ptr %context
}

define internal i1 @counted(ptr %context, i64 %count) #0 {
  %wanted = call i64 @word(ptr %context, i64 $VALUE_COUNT)
  %right = icmp eq i64 %count, %wanted
  ret i1 %right
}

; `call(*values)`
define ptr @workbench_entry(ptr %self, ptr %values, i64 %count) #0 {
  %context = call ptr @context(ptr %self)
  %right = call i1 @counted(ptr %context, i64 %count)
  br i1 %right, label %go, label %wrong
go:
  %outcome = call ptr @perform(ptr %context, ptr %values)
  ret ptr %outcome
wrong:
  %refusal = call ptr @refusal(ptr %context)
  ret ptr %refusal
}

; `begin(*values)`: None when the step may run.
define ptr @workbench_begin(ptr %self, ptr %values, i64 %count) #0 {
  %context = call ptr @context(ptr %self)
  %runtime = call ptr @pointer(ptr %context, i64 $RUNTIME_AT)
  %right = call i1 @counted(ptr %context, i64 %count)
  br i1 %right, label %go, label %refused
go:
  %begun = call i32 @begin(ptr %context, ptr %values)
  switch i32 %begun, label %short [
    i32 0, label %ready
    i32 1, label %refused
  ]
ready:
  %none = call ptr @constant(ptr %runtime, i64 $NONE)
  ret ptr %none
refused:
  %refusal = call ptr @refusal(ptr %context)
  ret ptr %refusal
short:
  %nothing = call ptr @finish(ptr %context, i32 2)
  ret ptr %nothing
}

; `finish()`: of a step that is done, what it returns; `finish(None)`: of one that is not, Ellipsis.
define ptr @workbench_finish(ptr %self, ptr %values, i64 %count) #0 {
  %context = call ptr @context(ptr %self)
  %incomplete = icmp ne i64 %count, 0
  %status = zext i1 %incomplete to i32
  %outcome = call ptr @finish(ptr %context, i32 %status)
  ret ptr %outcome
}
"""


def entry_text() -> str:
    """The module."""
    values = {
        **entry_layout.RUNTIME,
        **entry_layout.CONTEXT,
        **entry_layout.FEED,
        **entry_layout.RESULT,
        **entry_layout.OBJECT,
        "BUSY": layout.TABLE["BUSY"],
        "FEED_WORDS": entry_layout.FEED_WORDS,
        "RESULT_WORDS": entry_layout.RESULT_WORDS,
        "MOST_VALUES": MOST_VALUES,
    }
    text = layout.filled(_COMMON + LOCKS + FEEDS + RESULTS + _PERFORM + FRONT, values)
    # `word` and `pointer` read a word of a block of them: here, so that LLVM need not inline them.
    return re.sub(
        r"  (%\w+) = call (i64|ptr) @(?:word|pointer)\(ptr (%\w+), i64 (%?\w+)\)",
        r"  \1.at = getelementptr i64, ptr \3, i64 \4\n  \1 = load \2, ptr \1.at",
        text,
    )
