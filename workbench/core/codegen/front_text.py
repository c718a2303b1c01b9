"""LLVM IR of the front: knows a call of `Session.run` again; `entry_text` puts it together."""

from __future__ import annotations

FRONT = """
; Whether what is fetched is what a front stands for.
define internal i1 @fetches(ptr %context, ptr %fetched, ptr %runtime) #0 {
entry:
  %kind = call i64 @word(ptr %context, i64 $FETCH_KIND)
  %count = call i64 @word(ptr %context, i64 $FETCH_COUNT)
  %known = call ptr @pointer(ptr %context, i64 $FETCH_LIST)
  %type_at = getelementptr i8, ptr %fetched, i64 $TYPE_OFFSET
  %type = load ptr, ptr %type_at
  switch i64 %kind, label %single [
    i64 1, label %list
    i64 2, label %tuple
  ]
single:
  %object = call ptr @pointer(ptr %known, i64 0)
  %same = icmp eq ptr %object, %fetched
  ret i1 %same
list:
  %list_type = call ptr @pointer(ptr %runtime, i64 $LIST_TYPE)
  %is_list = icmp eq ptr %type, %list_type
  br i1 %is_list, label %list_size, label %no
list_size:
  %list_count = call i64 @PyList_Size(ptr %fetched)
  %list_fits = icmp eq i64 %list_count, %count
  br i1 %list_fits, label %next, label %no
tuple:
  %tuple_type = call ptr @pointer(ptr %runtime, i64 $TUPLE_TYPE)
  %is_tuple = icmp eq ptr %type, %tuple_type
  br i1 %is_tuple, label %tuple_size, label %no
tuple_size:
  %tuple_count = call i64 @PyTuple_Size(ptr %fetched)
  %tuple_fits = icmp eq i64 %tuple_count, %count
  br i1 %tuple_fits, label %next, label %no
next:
  %i = phi i64 [ 0, %list_size ], [ 0, %tuple_size ], [ %i1, %compare ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %get, label %yes
get:
  %of_list = icmp eq i64 %kind, 1
  br i1 %of_list, label %get_list, label %get_tuple
get_list:
  %list_item = call ptr @PyList_GetItem(ptr %fetched, i64 %i)
  br label %compare
get_tuple:
  %tuple_item = call ptr @PyTuple_GetItem(ptr %fetched, i64 %i)
  br label %compare
compare:
  %item = phi ptr [ %list_item, %get_list ], [ %tuple_item, %get_tuple ]
  %wanted = call ptr @pointer(ptr %known, i64 %i)
  %equal = icmp eq ptr %item, %wanted
  %i1 = add i64 %i, 1
  br i1 %equal, label %next, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

; Takes the values out of a dictionary that has the known keys in the known order.
define internal i1 @take(ptr %context, ptr %dictionary, ptr %values, ptr %runtime) #0 {
entry:
  %position = alloca i64
  %key_at = alloca ptr
  %value_at = alloca ptr
  store i64 0, ptr %position
  %count = call i64 @word(ptr %context, i64 $VALUE_COUNT)
  %keys = call ptr @pointer(ptr %context, i64 $KEY_LIST)
  %none = call ptr @pointer(ptr %runtime, i64 $NONE)
  %nothing = icmp eq ptr %dictionary, %none
  br i1 %nothing, label %without, label %look
without:
  %no_values = icmp eq i64 %count, 0
  ret i1 %no_values
look:
  %type_at = getelementptr i8, ptr %dictionary, i64 $TYPE_OFFSET
  %type = load ptr, ptr %type_at
  %dict_type = call ptr @pointer(ptr %runtime, i64 $DICT_TYPE)
  %is_dict = icmp eq ptr %type, %dict_type
  br i1 %is_dict, label %size, label %no
size:
  %its_size = call i64 @PyDict_Size(ptr %dictionary)
  %sized = icmp eq i64 %its_size, %count
  br i1 %sized, label %next, label %no
next:
  %i = phi i64 [ 0, %size ], [ %i1, %keep ]
  %status = call i32 @PyDict_Next(ptr %dictionary, ptr %position, ptr %key_at, ptr %value_at)
  %more = icmp ne i32 %status, 0
  br i1 %more, label %compare, label %yes
compare:
  %key = load ptr, ptr %key_at
  %wanted = call ptr @pointer(ptr %keys, i64 %i)
  %same = icmp eq ptr %key, %wanted
  br i1 %same, label %keep, label %no
keep:
  %value = load ptr, ptr %value_at
  %slot = getelementptr ptr, ptr %values, i64 %i
  store ptr %value, ptr %slot
  %i1 = add i64 %i, 1
  br label %next
yes:
  ret i1 true
no:
  ret i1 false
}

; `front(fetches, feed_dict)`: asks one front after the other whether it knows the call.
define ptr @workbench_front(ptr %self, ptr %arguments, i64 %count) #0 {
entry:
  %values = alloca ptr, i64 $MOST_VALUES
  %data_at = getelementptr i8, ptr %self, i64 $DATA_OFFSET
  %leading = load ptr, ptr %data_at
  %runtime = call ptr @pointer(ptr %leading, i64 $RUNTIME_AT)
  %right = icmp eq i64 %count, 2
  br i1 %right, label %open, label %unknown
open:
  %fetched = load ptr, ptr %arguments
  %dictionary = call ptr @pointer(ptr %arguments, i64 1)
  br label %front
front:
  %context = phi ptr [ %leading, %open ], [ %following, %ask ]
  %asked = call i1 @fetches(ptr %context, ptr %fetched, ptr %runtime)
  br i1 %asked, label %feed, label %pass
feed:
  %fed = call i1 @take(ptr %context, ptr %dictionary, ptr %values, ptr %runtime)
  br i1 %fed, label %go, label %pass
go:
  %outcome = call ptr @perform(ptr %context, ptr %values)
  %refusal = call ptr @pointer(ptr %runtime, i64 $NOT_IMPLEMENTED)
  %refused = icmp eq ptr %outcome, %refusal
  br i1 %refused, label %drop, label %end
end:
  ret ptr %outcome
drop:
  ; The next one may be for arrays of another size.
  call void @Py_DecRef(ptr %outcome)
  br label %pass
pass:
  %following = call ptr @pointer(ptr %context, i64 $FOLLOWING)
  br label %ask
ask:
  %last = icmp eq ptr %following, null
  br i1 %last, label %unknown, label %front
unknown:
  %nobody = call ptr @constant(ptr %runtime, i64 $NOT_IMPLEMENTED)
  ret ptr %nobody
}
"""
