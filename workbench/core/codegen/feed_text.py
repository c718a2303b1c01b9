"""LLVM IR of the entry: looks at the objects that come in; `entry_text` puts it together."""

from __future__ import annotations

FEEDS = """
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
  %count = call i64 @word(ptr %feed, i64 $PATCH_COUNT)
  %unused = icmp eq i64 %count, 0
  br i1 %unused, label %fits, label %compare
compare:
  ; Most often it is where it was. The table knows: another entry may have written there since.
  %patches = call ptr @pointer(ptr %feed, i64 $PATCH_LIST)
  %first = load ptr, ptr %patches
  %offset_at = getelementptr i64, ptr %patches, i64 1
  %first_offset = load i64, ptr %offset_at
  %address = add i64 %data, %first_offset
  %last = load i64, ptr %first
  %known = icmp eq i64 %address, %last
  br i1 %known, label %fits, label %write
write:
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
"""
