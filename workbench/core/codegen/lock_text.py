"""LLVM IR that holds Python's locks while a step runs.

Only those that are free are taken: whoever holds one may be waiting for the interpreter, which this
thread has.
"""

from __future__ import annotations

LOCKS = """
; Gives back the first `count` of a step's locks.
define internal void @unlock(ptr %context, i64 %count) #0 {
entry:
  %methods = call ptr @pointer(ptr %context, i64 $LOCK_LIST)
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %give ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %give, label %end
give:
  %pair = getelementptr [2 x ptr], ptr %methods, i64 %i
  %method_at = getelementptr ptr, ptr %pair, i64 1
  %method = load ptr, ptr %method_at
  %answer = call ptr @PyObject_CallNoArgs(ptr %method)
  call void @Py_DecRef(ptr %answer)
  %i1 = add i64 %i, 1
  br label %next
end:
  ret void
}

; Takes all of a step's locks, or none where one of them is held.
define internal i1 @lock(ptr %context, ptr %runtime) #0 {
entry:
  %count = call i64 @word(ptr %context, i64 $LOCK_COUNT)
  %methods = call ptr @pointer(ptr %context, i64 $LOCK_LIST)
  %false = call ptr @pointer(ptr %runtime, i64 $FALSE)
  %true = call ptr @pointer(ptr %runtime, i64 $TRUE)
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %taken ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %take, label %all
take:
  %pair = getelementptr [2 x ptr], ptr %methods, i64 %i
  %method = load ptr, ptr %pair
  %answer = call ptr @PyObject_CallOneArg(ptr %method, ptr %false)
  call void @Py_DecRef(ptr %answer)
  %free = icmp eq ptr %answer, %true
  br i1 %free, label %taken, label %held
taken:
  %i1 = add i64 %i, 1
  br label %next
all:
  ret i1 true
held:
  call void @unlock(ptr %context, i64 %i)
  ret i1 false
}
"""
