"""LLVM IR of the entry: the function that the interpreter calls for a step.

One text serves all plans: what a plan expects is data (`entry_layout`). It looks at every object
before it reads a pointer from it, and gives up, returning NotImplemented, where anything is not
as expected; Ellipsis says that a check of the step failed.
"""

from __future__ import annotations

from workbench.core.codegen import entry_layout, layout

_HELPERS = """
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

; A word of a block of them.
define internal i64 @word(ptr %block, i64 %index) #0 {
  %at = getelementptr i64, ptr %block, i64 %index
  %value = load i64, ptr %at
  ret i64 %value
}

define internal ptr @pointer(ptr %block, i64 %index) #0 {
  %at = getelementptr i64, ptr %block, i64 %index
  %value = load ptr, ptr %at
  ret ptr %value
}

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

; Where the elements of an array are, or 0 if it is not as a feed must be.
define internal i64 @elements(ptr %feed, ptr %object) #0 {
entry:
  %description_at = getelementptr i8, ptr %object, i64 $DESCRIPTION_OFFSET
  %description = load ptr, ptr %description_at
  %wanted = call ptr @pointer(ptr %feed, i64 $DESCRIPTION)
  %same = icmp eq ptr %description, %wanted
  br i1 %same, label %rank, label %kind
kind:
  ; Another object may describe the same elements.
  %number_at = getelementptr i8, ptr %description, i64 $TYPE_NUMBER_OFFSET
  %number = load i32, ptr %number_at
  %number64 = sext i32 %number to i64
  %wanted_number = call i64 @word(ptr %feed, i64 $TYPE_NUMBER)
  %alike = icmp eq i64 %number64, %wanted_number
  %order_at = getelementptr i8, ptr %description, i64 $BYTE_ORDER_OFFSET
  %order = load i8, ptr %order_at
  %native = icmp eq i8 %order, 61
  %irrelevant = icmp eq i8 %order, 124
  %readable = or i1 %native, %irrelevant
  %equal = and i1 %alike, %readable
  br i1 %equal, label %rank, label %misfit
rank:
  %ndim_at = getelementptr i8, ptr %object, i64 $NDIM_OFFSET
  %ndim = load i32, ptr %ndim_at
  %ndim64 = sext i32 %ndim to i64
  %wanted_ndim = call i64 @word(ptr %feed, i64 $DIMENSION_COUNT)
  %ranked = icmp eq i64 %ndim64, %wanted_ndim
  br i1 %ranked, label %sizes, label %misfit
sizes:
  %shape_at = getelementptr i8, ptr %object, i64 $SHAPE_OFFSET
  %shape = load ptr, ptr %shape_at
  %wanted_shape = call ptr @pointer(ptr %feed, i64 $DIMENSION_LIST)
  br label %dimension
dimension:
  %i = phi i64 [ 0, %sizes ], [ %i1, %size ]
  %more = icmp slt i64 %i, %ndim64
  br i1 %more, label %size, label %form
size:
  %size_is = call i64 @word(ptr %shape, i64 %i)
  %size_wanted = call i64 @word(ptr %wanted_shape, i64 %i)
  %fits = icmp eq i64 %size_is, %size_wanted
  %i1 = add i64 %i, 1
  br i1 %fits, label %dimension, label %misfit
form:
  %flags_at = getelementptr i8, ptr %object, i64 $FLAGS_OFFSET
  %flags = load i32, ptr %flags_at
  %flags64 = zext i32 %flags to i64
  %required = call i64 @word(ptr %feed, i64 $REQUIRED_FLAGS)
  %present = and i64 %flags64, %required
  %formed = icmp eq i64 %present, %required
  %data_at = getelementptr i8, ptr %object, i64 $DATA_OFFSET
  %data = load i64, ptr %data_at
  %mask = call i64 @word(ptr %feed, i64 $ALIGNMENT_MASK)
  %odd = and i64 %data, %mask
  %aligned = icmp eq i64 %odd, 0
  %usable = and i1 %formed, %aligned
  %result = select i1 %usable, i64 %data, i64 0
  ret i64 %result
misfit:
  ret i64 0
}

; Takes an object for a feed, if it fits: its address goes where the records expect it.
define internal i1 @bind(ptr %feed, ptr %object, ptr %runtime) #0 {
entry:
  %missing = icmp eq ptr %object, null
  br i1 %missing, label %misfit, label %look
look:
  %type_at = getelementptr i8, ptr %object, i64 $TYPE_OFFSET
  %type = load ptr, ptr %type_at
  %array_type = call ptr @pointer(ptr %runtime, i64 $ARRAY_TYPE)
  %is_array = icmp eq ptr %type, %array_type
  br i1 %is_array, label %array, label %number
array:
  %elements = call i64 @elements(ptr %feed, ptr %object)
  %strange = icmp eq i64 %elements, 0
  br i1 %strange, label %misfit, label %place
number:
  %scalar_type = call ptr @pointer(ptr %feed, i64 $SCALAR_TYPE)
  %is_scalar = icmp eq ptr %type, %scalar_type
  br i1 %is_scalar, label %scalar, label %other
scalar:
  %offset = call i64 @word(ptr %feed, i64 $SCALAR_OFFSET)
  %base = ptrtoint ptr %object to i64
  %inside = add i64 %base, %offset
  br label %place
other:
  %float_type = call ptr @pointer(ptr %runtime, i64 $FLOAT_TYPE)
  %is_float = icmp eq ptr %type, %float_type
  br i1 %is_float, label %convert, label %misfit
convert:
  %bytes = call i64 @word(ptr %feed, i64 $FLOAT_BYTES)
  %storage = call ptr @pointer(ptr %feed, i64 $STORAGE)
  %stored = ptrtoint ptr %storage to i64
  switch i64 %bytes, label %misfit [
    i64 4, label %single
    i64 8, label %double
  ]
single:
  %value4 = call double @PyFloat_AsDouble(ptr %object)
  %rounded = fptrunc double %value4 to float
  store float %rounded, ptr %storage
  br label %place
double:
  %value8 = call double @PyFloat_AsDouble(ptr %object)
  store double %value8, ptr %storage
  br label %place
place:
  %data = phi i64 [ %elements, %array ], [ %inside, %scalar ], [ %stored, %single ],
                  [ %stored, %double ]
  %last_at = getelementptr i64, ptr %feed, i64 $LAST_DATA
  %last = load i64, ptr %last_at
  %known = icmp eq i64 %data, %last
  br i1 %known, label %fits, label %write
write:
  store i64 %data, ptr %last_at
  %count = call i64 @word(ptr %feed, i64 $PATCH_COUNT)
  %patches = call ptr @pointer(ptr %feed, i64 $PATCH_LIST)
  call void @patch(ptr %patches, i64 %count, i64 %data)
  br label %fits
fits:
  ret i1 true
misfit:
  ret i1 false
}

; Lets go of the objects of the first feeds.
define internal void @let_go(ptr %feeds, i64 %count) #0 {
entry:
  br label %next
next:
  %i = phi i64 [ 0, %entry ], [ %i1, %drop ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %drop, label %end
drop:
  %feed = getelementptr [$FEED_WORDS x i64], ptr %feeds, i64 %i
  %object = call ptr @pointer(ptr %feed, i64 $HELD)
  call void @Py_DecRef(ptr %object)
  %i1 = add i64 %i, 1
  br label %next
end:
  ret void
}

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
  %ndim = call i64 @word(ptr %result, i64 $RESULT_DIMENSION_COUNT)
  %ndim32 = trunc i64 %ndim to i32
  %shape = call ptr @pointer(ptr %result, i64 $RESULT_DIMENSION_LIST)
  ; NumPy takes the reference.
  call void @Py_IncRef(ptr %description)
  %many = call ptr %empty(i32 %ndim32, ptr %shape, ptr %description, i32 0)
  store ptr %many, ptr %object_at
  %no_array = icmp eq ptr %many, null
  br i1 %no_array, label %short, label %connect
connect:
  %data_at = getelementptr i8, ptr %many, i64 $DATA_OFFSET
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

_PERFORM = """
; A step with these values.
define internal ptr @perform(ptr %context, ptr %values) #0 {
entry:
  %runtime = call ptr @pointer(ptr %context, i64 $RUNTIME_AT)
  %table = call ptr @pointer(ptr %context, i64 $TABLE)
  %feeds = call ptr @pointer(ptr %context, i64 $FEED_LIST)
  %feed_count = call i64 @word(ptr %context, i64 $FEED_COUNT)
  %results = call ptr @pointer(ptr %context, i64 $RESULT_LIST)
  %result_count = call i64 @word(ptr %context, i64 $RESULT_COUNT)
  %busy_at = getelementptr i64, ptr %table, i64 $BUSY
  %lock = cmpxchg ptr %busy_at, i32 0, i32 1 acq_rel monotonic, align 4
  %ours = extractvalue { i32, i1 } %lock, 1
  br i1 %ours, label %feed, label %busy
feed:
  %i = phi i64 [ 0, %entry ], [ %i1, %hold ]
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
  %prepared = call i1 @make(ptr %results, i64 %result_count, i64 1, ptr %runtime)
  br i1 %prepared, label %ready, label %short
ready:
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
  br label %ran
with:
  %status_with = call i32 %execute(ptr %table, ptr %pool, i64 0, i64 %records, i64 %threads)
  br label %ran
ran:
  %status = phi i32 [ %status_without, %without ], [ %status_with, %with ]
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %broken, label %collect
collect:
  %collected = call i1 @make(ptr %results, i64 %result_count, i64 0, ptr %runtime)
  br i1 %collected, label %build, label %short
build:
  %whole = call ptr @assemble(ptr %context, ptr %results, ptr %runtime)
  ; The step is done, whether or not there is memory for what it returns.
  call void @deliver(ptr %results, i64 %result_count)
  br label %finish
broken:
  %failure = call ptr @constant(ptr %runtime, i64 $ELLIPSIS)
  br label %finish
short:
  br label %finish
misfit:
  call void @let_go(ptr %feeds, i64 %i)
  store atomic i32 0, ptr %busy_at release, align 4
  br label %busy
finish:
  %outcome = phi ptr [ %whole, %build ], [ %failure, %broken ], [ null, %short ]
  call void @discard(ptr %results, i64 %result_count)
  call void @let_go(ptr %feeds, i64 %feed_count)
  store atomic i32 0, ptr %busy_at release, align 4
  ret ptr %outcome
busy:
  %refusal = call ptr @constant(ptr %runtime, i64 $NOT_IMPLEMENTED)
  ret ptr %refusal
}

; What the interpreter calls: `self` is the array that holds the context.
define ptr @workbench_entry(ptr %self, ptr %values, i64 %count) #0 {
  %data_at = getelementptr i8, ptr %self, i64 $DATA_OFFSET
  %context = load ptr, ptr %data_at
  %wanted = call i64 @word(ptr %context, i64 $VALUE_COUNT)
  %right = icmp eq i64 %count, %wanted
  br i1 %right, label %go, label %wrong
go:
  %outcome = call ptr @perform(ptr %context, ptr %values)
  ret ptr %outcome
wrong:
  %runtime = call ptr @pointer(ptr %context, i64 $RUNTIME_AT)
  %refusal = call ptr @constant(ptr %runtime, i64 $NOT_IMPLEMENTED)
  ret ptr %refusal
}
"""

_FRONT = """
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

attributes #0 = { nounwind }
"""

#: How many feeds a front can have.
MOST_VALUES = 64


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
    return layout.filled(_HELPERS + _PERFORM + _FRONT, values)
