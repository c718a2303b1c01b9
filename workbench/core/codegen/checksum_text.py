"""The text of the functions that sum content and find the records of a block.

Eight bytes at a time, each with a table of its own (`tables`), as the checksum of a byte that so
many others follow is looked up; the processor needs to be little-endian, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: The functions that others call.
NAMES = ("workbench_crc32c", "workbench_records")

_WORD = 8
#: What is added to a checksum in a file of records.
_MASK = 0xA282EAD8


def tables(first: Sequence[int]) -> NDArray[np.uint32]:
    """For a byte that 0 to 7 others follow, what it makes of the register; `first` for none."""
    made = np.empty((_WORD, 256), np.uint32)
    made[0] = first
    for number in range(1, _WORD):
        before = made[number - 1]
        made[number] = made[0][before & 0xFF] ^ (before >> 8)
    return made


def checksum_text() -> str:
    """The module."""
    return "\n".join([_sum(), _crc32c(), _records(), "attributes #0 = { nounwind }", ""])


def _sum() -> str:
    lookups = []
    for place in range(_WORD):
        shifted = "%mixed" if place == 0 else f"%shifted{place}"
        if place:
            lookups.append(f"  {shifted} = lshr i64 %mixed, {8 * place}")
        lookups += [
            f"  %byte{place} = and i64 {shifted}, 255",
            f"  %index{place} = add i64 %byte{place}, {256 * (_WORD - 1 - place)}",
            f"  %place{place} = getelementptr i32, ptr %tables, i64 %index{place}",
            f"  %value{place} = load i32, ptr %place{place}",
        ]
        if place:
            before = "%value0" if place == 1 else f"%part{place - 1}"
            lookups.append(f"  %part{place} = xor i32 {before}, %value{place}")
    return f"""
define internal i32 @sum(ptr %data, i64 %size, ptr %tables) #0 {{
entry:
  %words = lshr i64 %size, 3
  %bulk = shl i64 %words, 3
  %has_words = icmp ne i64 %words, 0
  br i1 %has_words, label %word, label %rest
word:
  %number = phi i64 [ 0, %entry ], [ %following, %word ]
  %register = phi i32 [ -1, %entry ], [ %part7, %word ]
  %source = getelementptr i64, ptr %data, i64 %number
  %content = load i64, ptr %source, align 1
  %wide = zext i32 %register to i64
  %mixed = xor i64 %content, %wide
{chr(10).join(lookups)}
  %following = add i64 %number, 1
  %more_words = icmp ult i64 %following, %words
  br i1 %more_words, label %word, label %rest
rest:
  %begun = phi i32 [ -1, %entry ], [ %part7, %word ]
  %has_rest = icmp ult i64 %bulk, %size
  br i1 %has_rest, label %single, label %end
single:
  %at = phi i64 [ %bulk, %rest ], [ %at_next, %single ]
  %state = phi i32 [ %begun, %rest ], [ %state_next, %single ]
  %one_source = getelementptr i8, ptr %data, i64 %at
  %one = load i8, ptr %one_source
  %one_wide = zext i8 %one to i32
  %one_mixed = xor i32 %state, %one_wide
  %one_byte = and i32 %one_mixed, 255
  %one_index = zext i32 %one_byte to i64
  %one_place = getelementptr i32, ptr %tables, i64 %one_index
  %one_value = load i32, ptr %one_place
  %one_shifted = lshr i32 %state, 8
  %state_next = xor i32 %one_value, %one_shifted
  %at_next = add i64 %at, 1
  %more = icmp ult i64 %at_next, %size
  br i1 %more, label %single, label %end
end:
  %last = phi i32 [ %begun, %rest ], [ %state_next, %single ]
  %inverted = xor i32 %last, -1
  ret i32 %inverted
}}
define internal i1 @agrees(ptr %data, i64 %size, ptr %stored, ptr %tables) #0 {{
  %plain = call i32 @sum(ptr %data, i64 %size, ptr %tables)
  %low = lshr i32 %plain, 15
  %high = shl i32 %plain, 17
  %turned = or i32 %low, %high
  %masked = add i32 %turned, {_MASK - (1 << 32)}
  %found = load i32, ptr %stored, align 1
  %same = icmp eq i32 %masked, %found
  ret i1 %same
}}"""


def _crc32c() -> str:
    return """
define i32 @workbench_crc32c(ptr %data, i64 %size, ptr %tables) #0 {
  %value = call i32 @sum(ptr %data, i64 %size, ptr %tables)
  ret i32 %value
}"""


def _records() -> str:
    """Where the contents of the whole, sound records at the beginning of a block are."""
    return """
define i64 @workbench_records(ptr %data, i64 %size, ptr %places, i64 %most, ptr %tables) #0 {
entry:
  br label %record
record:
  %at = phi i64 [ 0, %entry ], [ %at_next, %found ]
  %count = phi i64 [ 0, %entry ], [ %count_next, %found ]
  %left = sub i64 %size, %at
  %has_frame = icmp uge i64 %left, 16
  %has_place = icmp ult i64 %count, %most
  %goes_on = and i1 %has_frame, %has_place
  br i1 %goes_on, label %header, label %end
header:
  %start = getelementptr i8, ptr %data, i64 %at
  %header_sum = getelementptr i8, ptr %start, i64 8
  %header_agrees = call i1 @agrees(ptr %start, i64 8, ptr %header_sum, ptr %tables)
  br i1 %header_agrees, label %body, label %end
body:
  %length = load i64, ptr %start, align 1
  %room = sub i64 %left, 16
  %fits = icmp ule i64 %length, %room
  br i1 %fits, label %content, label %end
content:
  %begin = add i64 %at, 12
  %stop = add i64 %begin, %length
  %body_start = getelementptr i8, ptr %data, i64 %begin
  %body_sum = getelementptr i8, ptr %data, i64 %stop
  %body_agrees = call i1 @agrees(ptr %body_start, i64 %length, ptr %body_sum, ptr %tables)
  br i1 %body_agrees, label %found, label %end
found:
  %pair = shl i64 %count, 1
  %first_place = getelementptr i64, ptr %places, i64 %pair
  store i64 %begin, ptr %first_place
  %second_place = getelementptr i64, ptr %first_place, i64 1
  store i64 %stop, ptr %second_place
  %at_next = add i64 %stop, 4
  %count_next = add i64 %count, 1
  br label %record
end:
  ret i64 %count
}"""
