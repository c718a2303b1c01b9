"""LLVM IR of the driver: elements of lists, which are rows of arrays, at places that a pass tells.

Before a pass, the places of all its accesses are looked at, and then the addresses of the rows are
put where the records expect them. So kernels read and write rows where they are.
"""

from __future__ import annotations

#: An access in words: the address of an int32, or 0 for the number of passes made; the place is
#: START + STEP times that number, and below COUNT. The array begins at BASE, ROW bytes a row.
#: MARKS has a byte for each row, or is 0: those of FORBIDDEN must not be set; then the byte is
#: masked by KEEP, and gets those of SET. The last RIVALS accesses before it are at other places.
#: PATCHES are pairs: the address of a word, and what is added to the address of the row.
ACCESS_WORDS = 16
ACCESS = {
    "INDEX": 0,
    "START": 1,
    "STEP": 2,
    "COUNT": 3,
    "BASE": 4,
    "ROW": 5,
    "MARKS": 6,
    "FORBIDDEN": 7,
    "KEEP": 8,
    "SET": 9,
    "PATCHES": 10,
    "PATCHES_OF_IT": 11,
    "RIVALS": 12,
    "PLACE": 13,
}

ROWS = """
; Finds the places of accesses. -1 where all are there and apart; else the number of one that is
; not there, or less than that: one is where a rival is.
define internal i64 @find_places(ptr %accesses, i64 %count, i64 %passes) #0 {
entry:
  br label %next
next:
  %a = phi i64 [ 0, %entry ], [ %a1, %differs ]
  %more = icmp slt i64 %a, %count
  br i1 %more, label %look, label %found
look:
  %access = getelementptr [$ACCESS_WORDS x i64], ptr %accesses, i64 %a
  %index_at = load ptr, ptr %access
  %counts = icmp eq ptr %index_at, null
  br i1 %counts, label %number, label %load
load:
  %index32 = load i32, ptr %index_at
  %index = sext i32 %index32 to i64
  br label %number
number:
  %n = phi i64 [ %passes, %look ], [ %index, %load ]
  %start_at = getelementptr i64, ptr %access, i64 $START
  %start = load i64, ptr %start_at
  %step_at = getelementptr i64, ptr %access, i64 $STEP
  %step = load i64, ptr %step_at
  %way = mul i64 %n, %step
  %place = add i64 %start, %way
  %place_at = getelementptr i64, ptr %access, i64 $PLACE
  store i64 %place, ptr %place_at
  %count_at = getelementptr i64, ptr %access, i64 $COUNT
  %rows = load i64, ptr %count_at
  %inside = icmp ult i64 %place, %rows
  br i1 %inside, label %compare, label %outside
outside:
  ret i64 %a
compare:
  %rivals_at = getelementptr i64, ptr %access, i64 $RIVALS
  %rivals = load i64, ptr %rivals_at
  br label %rival
rival:
  %r = phi i64 [ %rivals, %compare ], [ %r1, %other ]
  %some = icmp sgt i64 %r, 0
  br i1 %some, label %other, label %differs
other:
  %earlier = sub i64 %a, %r
  %its_access = getelementptr [$ACCESS_WORDS x i64], ptr %accesses, i64 %earlier
  %its_place_at = getelementptr i64, ptr %its_access, i64 $PLACE
  %its_place = load i64, ptr %its_place_at
  %same = icmp eq i64 %its_place, %place
  %r1 = sub i64 %r, 1
  br i1 %same, label %met, label %rival
met:
  ret i64 -2
differs:
  %a1 = add i64 %a, 1
  br label %next
found:
  ret i64 -1
}

; Marks the rows of accesses whose places were found, and puts their addresses where they belong.
; False where a mark forbids an access.
define internal i1 @take_rows(ptr %accesses, i64 %count) #0 {
entry:
  br label %next
next:
  %a = phi i64 [ 0, %entry ], [ %a1, %patch ]
  %more = icmp slt i64 %a, %count
  br i1 %more, label %look, label %taken
look:
  %access = getelementptr [$ACCESS_WORDS x i64], ptr %accesses, i64 %a
  %place_at = getelementptr i64, ptr %access, i64 $PLACE
  %place = load i64, ptr %place_at
  %marks_at = getelementptr i64, ptr %access, i64 $MARKS
  %marks = load ptr, ptr %marks_at
  %unmarked = icmp eq ptr %marks, null
  br i1 %unmarked, label %address, label %mark
mark:
  %byte_at = getelementptr i8, ptr %marks, i64 %place
  %byte8 = load i8, ptr %byte_at
  %byte = zext i8 %byte8 to i64
  %forbidden_at = getelementptr i64, ptr %access, i64 $FORBIDDEN
  %forbidden = load i64, ptr %forbidden_at
  %wrong = and i64 %byte, %forbidden
  %allowed = icmp eq i64 %wrong, 0
  br i1 %allowed, label %change, label %refused
refused:
  ret i1 false
change:
  %keep_at = getelementptr i64, ptr %access, i64 $KEEP
  %keep = load i64, ptr %keep_at
  %set_at = getelementptr i64, ptr %access, i64 $SET
  %set = load i64, ptr %set_at
  %kept = and i64 %byte, %keep
  %changed = or i64 %kept, %set
  %changed8 = trunc i64 %changed to i8
  store i8 %changed8, ptr %byte_at
  br label %address
address:
  %base_at = getelementptr i64, ptr %access, i64 $BASE
  %base = load i64, ptr %base_at
  %row_at = getelementptr i64, ptr %access, i64 $ROW
  %row = load i64, ptr %row_at
  %offset = mul i64 %place, %row
  %data = add i64 %base, %offset
  %patches_at = getelementptr i64, ptr %access, i64 $PATCHES
  %patches = load ptr, ptr %patches_at
  %patch_count_at = getelementptr i64, ptr %access, i64 $PATCHES_OF_IT
  %patch_count = load i64, ptr %patch_count_at
  br label %patch
patch:
  %p = phi i64 [ 0, %address ], [ %p1, %write ]
  %left = icmp slt i64 %p, %patch_count
  %a1 = add i64 %a, 1
  br i1 %left, label %write, label %next
write:
  %entry_at = getelementptr [2 x i64], ptr %patches, i64 %p
  %word = load ptr, ptr %entry_at
  %inside_at = getelementptr i64, ptr %entry_at, i64 1
  %inside = load i64, ptr %inside_at
  %value = add i64 %data, %inside
  store i64 %value, ptr %word
  %p1 = add i64 %p, 1
  br label %patch
taken:
  ret i1 true
}
"""
