"""LLVM IR of the entry: makes the objects that go out; `entry_text` puts it together."""

from __future__ import annotations

RESULTS = """
; Drops what was made of the results.
define internal void @discard(ptr %results, i64 %count) #0 {
entry:
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %after ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %end
look:
  %result = getelementptr [$RESULT_WORDS x i64], ptr %results, i64 %i
  %object_at = getelementptr i64, ptr %result, i64 $RESULT_OBJECT
  %object = load ptr, ptr %object_at
  store ptr null, ptr %object_at
  %none = icmp eq ptr %object, null
  br i1 %none, label %after, label %drop
drop:
  call void @Py_DecRef(ptr %object)
  br label %after
after:
  %i1 = add i64 %i, 1
  br label %next
end:
  ret void
}

; A NumPy scalar with the number at an address.
define internal ptr @number(ptr %result, ptr %address, ptr %scalar) #0 {
  %allocate = call ptr @pointer(ptr %result, i64 $ALLOCATE)
  %bytes = call i64 @word(ptr %result, i64 $RESULT_BYTES)
  %type = call ptr @pointer(ptr %result, i64 $RESULT_TYPE)
  %offset = call i64 @word(ptr %result, i64 $RESULT_OFFSET)
  switch i64 %bytes, label %general [
    i64 4, label %four
    i64 8, label %eight
  ]
general:
  %description = call ptr @pointer(ptr %result, i64 $RESULT_DESCRIPTION)
  %made = call ptr %scalar(ptr %address, ptr %description, ptr null)
  ret ptr %made
four:
  %object4 = call ptr %allocate(ptr %type, i64 0)
  %none4 = icmp eq ptr %object4, null
  br i1 %none4, label %short, label %fill4
fill4:
  %value4 = load i32, ptr %address
  %place4 = getelementptr i8, ptr %object4, i64 %offset
  store i32 %value4, ptr %place4
  ret ptr %object4
eight:
  %object8 = call ptr %allocate(ptr %type, i64 0)
  %none8 = icmp eq ptr %object8, null
  br i1 %none8, label %short, label %fill8
fill8:
  %value8 = load i64, ptr %address
  %place8 = getelementptr i8, ptr %object8, i64 %offset
  store i64 %value8, ptr %place8
  ret ptr %object8
short:
  ret ptr null
}

; Makes the results of a kind: arrays before the run, scalars after it. False when memory is short.
define internal i1 @make(ptr %results, i64 %count, i64 %kind, ptr %runtime) #0 {
entry:
  %empty = call ptr @pointer(ptr %runtime, i64 $EMPTY)
  %scalar = call ptr @pointer(ptr %runtime, i64 $SCALAR)
  %arrays = icmp eq i64 %kind, 1
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %after ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %made
look:
  %result = getelementptr [$RESULT_WORDS x i64], ptr %results, i64 %i
  %object_at = getelementptr i64, ptr %result, i64 $RESULT_OBJECT
  %its_kind = load i64, ptr %result
  %now = icmp eq i64 %its_kind, %kind
  br i1 %now, label %create, label %after
create:
  %description = call ptr @pointer(ptr %result, i64 $RESULT_DESCRIPTION)
  br i1 %arrays, label %array, label %number
number:
  %address = call ptr @pointer(ptr %result, i64 $RESULT_ADDRESS)
  %one = call ptr @number(ptr %result, ptr %address, ptr %scalar)
  store ptr %one, ptr %object_at
  %no_scalar = icmp eq ptr %one, null
  br i1 %no_scalar, label %short, label %after
array:
  %standing = call ptr @pointer(ptr %result, i64 $STANDING)
  %is_new = icmp eq ptr %standing, null
  br i1 %is_new, label %allocate, label %again
again:
  call void @Py_IncRef(ptr %standing)
  br label %connect
allocate:
  %ndim = call i64 @word(ptr %result, i64 $RESULT_DIMENSION_COUNT)
  %ndim32 = trunc i64 %ndim to i32
  %shape = call ptr @pointer(ptr %result, i64 $RESULT_DIMENSION_LIST)
  ; NumPy takes the reference.
  call void @Py_IncRef(ptr %description)
  %many = call ptr %empty(i32 %ndim32, ptr %shape, ptr %description, i32 0)
  %no_array = icmp eq ptr %many, null
  br i1 %no_array, label %short, label %connect
connect:
  %its = phi ptr [ %standing, %again ], [ %many, %allocate ]
  store ptr %its, ptr %object_at
  %data_at = getelementptr i8, ptr %its, i64 $DATA_OFFSET
  %data = load i64, ptr %data_at
  %patch_count = call i64 @word(ptr %result, i64 $RESULT_PATCH_COUNT)
  %patches = call ptr @pointer(ptr %result, i64 $RESULT_PATCH_LIST)
  call void @patch(ptr %patches, i64 %patch_count, i64 %data)
  br label %after
after:
  %i1 = add i64 %i, 1
  br label %next
made:
  ret i1 true
short:
  ret i1 false
}

; The object that a place of the structure gets, with a reference.
define internal ptr @item(ptr %results, i64 %number, ptr %runtime) #0 {
  %none = icmp slt i64 %number, 0
  br i1 %none, label %nothing, label %something
nothing:
  %constant = call ptr @constant(ptr %runtime, i64 $NONE)
  ret ptr %constant
something:
  %result = getelementptr [$RESULT_WORDS x i64], ptr %results, i64 %number
  %object = call ptr @pointer(ptr %result, i64 $RESULT_OBJECT)
  call void @Py_IncRef(ptr %object)
  ret ptr %object
}

; Puts the results together as the caller wants them.
define internal ptr @assemble(ptr %context, ptr %results, ptr %runtime) #0 {
entry:
  %structure = call i64 @word(ptr %context, i64 $STRUCTURE)
  %count = call i64 @word(ptr %context, i64 $ITEM_COUNT)
  %items = call ptr @pointer(ptr %context, i64 $ITEM_LIST)
  switch i64 %structure, label %single [
    i64 1, label %list
    i64 2, label %tuple
  ]
single:
  %only = call i64 @word(ptr %items, i64 0)
  %object = call ptr @item(ptr %results, i64 %only, ptr %runtime)
  ret ptr %object
list:
  %new_list = call ptr @PyList_New(i64 %count)
  br label %new
tuple:
  %new_tuple = call ptr @PyTuple_New(i64 %count)
  br label %new
new:
  %whole = phi ptr [ %new_list, %list ], [ %new_tuple, %tuple ]
  %short = icmp eq ptr %whole, null
  br i1 %short, label %end, label %next
next:
  %i = phi i64 [ 0, %new ], [ %i1, %set_list ], [ %i1, %set_tuple ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %set, label %end
set:
  %number = call i64 @word(ptr %items, i64 %i)
  %part = call ptr @item(ptr %results, i64 %number, ptr %runtime)
  %i1 = add i64 %i, 1
  %is_list = icmp eq i64 %structure, 1
  br i1 %is_list, label %set_list, label %set_tuple
set_list:
  %list_status = call i32 @PyList_SetItem(ptr %whole, i64 %i, ptr %part)
  br label %next
set_tuple:
  %tuple_status = call i32 @PyTuple_SetItem(ptr %whole, i64 %i, ptr %part)
  br label %next
end:
  ret ptr %whole
}

; Results that a holder keeps go there; the object it had becomes the one to drop.
define internal void @deliver(ptr %results, i64 %count) #0 {
entry:
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %after ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %look, label %end
look:
  %result = getelementptr [$RESULT_WORDS x i64], ptr %results, i64 %i
  %destination = call ptr @pointer(ptr %result, i64 $DESTINATION)
  %none = icmp eq ptr %destination, null
  br i1 %none, label %after, label %exchange
exchange:
  %object_at = getelementptr i64, ptr %result, i64 $RESULT_OBJECT
  %object = load ptr, ptr %object_at
  %old = load ptr, ptr %destination
  store ptr %object, ptr %destination
  store ptr %old, ptr %object_at
  br label %after
after:
  %i1 = add i64 %i, 1
  br label %next
end:
  ret void
}
"""
