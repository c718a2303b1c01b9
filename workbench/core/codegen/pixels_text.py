"""The text of the functions that move pixels: without what fills them up, and mirrored."""

from __future__ import annotations

#: Makes pixels of four bytes ones of three.
PACKED = "workbench_packed_pixels"
#: The bytes that mirrored pixels may have.
MIRRORED_SIZES = (1, 2, 3, 4, 6, 8, 12, 16)

#: How many pixels a vector of 16 bytes holds, and how many must be left so that a whole vector
#: that is stored stays within the result.
_PIXELS, _ROOM = 4, 6


def mirrored_name(size: int) -> str:
    """The name of the function for pixels of so many bytes."""
    return f"workbench_mirrored_pixels_{size}"


def pixels_text() -> str:
    """The module."""
    parts = [_packed(), *(_mirrored(size) for size in MIRRORED_SIZES)]
    return "\n".join([*parts, "attributes #0 = { nounwind }", ""])


def pixels_names() -> tuple[str, ...]:
    """The functions that others call."""
    return (PACKED, *(mirrored_name(size) for size in MIRRORED_SIZES))


def _packed() -> str:
    """`count` pixels of four bytes, of which the last is left out."""
    kept = [4 * pixel + byte for pixel in range(_PIXELS) for byte in range(3)]
    # What is stored beyond the three bytes is overwritten by the next pixels.
    order = ", ".join(f"i32 {i}" for i in [*kept, *[0] * (16 - len(kept))])
    return f"""
define void @{PACKED}(ptr %source, ptr %target, i64 %count) #0 {{
entry:
  br label %check
check:
  %at = phi i64 [ 0, %entry ], [ %after, %several ]
  %left = sub i64 %count, %at
  %has_room = icmp sge i64 %left, {_ROOM}
  br i1 %has_room, label %several, label %rest
several:
  %from_place = mul i64 %at, 4
  %from = getelementptr i8, ptr %source, i64 %from_place
  %to_place = mul i64 %at, 3
  %to = getelementptr i8, ptr %target, i64 %to_place
  %loaded = load <16 x i8>, ptr %from, align 1
  %packed = shufflevector <16 x i8> %loaded, <16 x i8> %loaded, <16 x i32> <{order}>
  store <16 x i8> %packed, ptr %to, align 1
  %after = add i64 %at, {_PIXELS}
  br label %check
rest:
  %has_rest = icmp slt i64 %at, %count
  br i1 %has_rest, label %single, label %end
single:
  %pixel = phi i64 [ %at, %rest ], [ %following, %single ]
  %one_from_place = mul i64 %pixel, 4
  %one_from = getelementptr i8, ptr %source, i64 %one_from_place
  %one_to_place = mul i64 %pixel, 3
  %one_to = getelementptr i8, ptr %target, i64 %one_to_place
  %one = load i24, ptr %one_from, align 1
  store i24 %one, ptr %one_to, align 1
  %following = add i64 %pixel, 1
  %more = icmp slt i64 %following, %count
  br i1 %more, label %single, label %end
end:
  ret void
}}"""


def _mirrored(size: int) -> str:
    """`rows` rows, `stride` bytes apart, of `width` pixels each, the last of which come first."""
    word = f"i{8 * size}"
    return f"""
define void @{mirrored_name(size)}(
    ptr %source, i64 %stride, i64 %rows, i64 %width, ptr %target) #0 {{
entry:
  %last = sub i64 %width, 1
  %last_place = mul i64 %last, {size}
  %row_bytes = mul i64 %width, {size}
  br label %row
row:
  %number = phi i64 [ 0, %entry ], [ %next_number, %row_end ]
  %from_place = mul i64 %number, %stride
  %from = getelementptr i8, ptr %source, i64 %from_place
  %begin = getelementptr i8, ptr %from, i64 %last_place
  %to_place = mul i64 %number, %row_bytes
  %to = getelementptr i8, ptr %target, i64 %to_place
  br label %pixel
pixel:
  %place = phi i64 [ 0, %row ], [ %next_place, %pixel ]
  %back = sub i64 0, %place
  %read = getelementptr i8, ptr %begin, i64 %back
  %written = getelementptr i8, ptr %to, i64 %place
  %content = load {word}, ptr %read, align 1
  store {word} %content, ptr %written, align 1
  %next_place = add i64 %place, {size}
  %more_pixels = icmp ult i64 %next_place, %row_bytes
  br i1 %more_pixels, label %pixel, label %row_end
row_end:
  %next_number = add i64 %number, 1
  %more_rows = icmp ult i64 %next_number, %rows
  br i1 %more_rows, label %row, label %end
end:
  ret void
}}"""
