"""The text of the functions that move pixels: without what fills them up, and mirrored."""

from __future__ import annotations

#: Makes pixels of four bytes ones of three.
PACKED = "workbench_packed_pixels"
#: The bytes that mirrored pixels may have.
MIRRORED_SIZES = (1, 2, 3, 4, 6, 8, 12, 16)

_VECTOR = 16
_BYTES = f"<{_VECTOR} x i8>"
#: How many pixels of four bytes a vector holds, and how many must be left so that a whole vector
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
    # What is stored after them is overwritten by the next pixels.
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
  %loaded = load {_BYTES}, ptr %from, align 1
  %packed = shufflevector {_BYTES} %loaded, {_BYTES} %loaded, {_indices(kept)}
  store {_BYTES} %packed, ptr %to, align 1
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
    """`rows` rows, `stride` bytes apart, of `width` pixels each, the last of which come first.

    As many pixels at a time as fit into a vector. Where they do not fill it, it begins before them,
    and what it stores after them is overwritten by the next ones: there must be some left.
    """
    word = f"i{8 * size}"
    pixels = _VECTOR // size
    before = _VECTOR - pixels * size
    order = [
        before + size * pixel + byte for pixel in reversed(range(pixels)) for byte in range(size)
    ]
    return f"""
define void @{mirrored_name(size)}(
    ptr %source, i64 %stride, i64 %rows, i64 %width, ptr %target) #0 {{
entry:
  %row_bytes = mul i64 %width, {size}
  br label %row
row:
  %number = phi i64 [ 0, %entry ], [ %next_number, %row_end ]
  %from_place = mul i64 %number, %stride
  %from = getelementptr i8, ptr %source, i64 %from_place
  %to_place = mul i64 %number, %row_bytes
  %to = getelementptr i8, ptr %target, i64 %to_place
  br label %check
check:
  %left = phi i64 [ %row_bytes, %row ], [ %left_after, %several ]
  %has_room = icmp sge i64 %left, {pixels * size + before}
  br i1 %has_room, label %several, label %rest
several:
  %left_after = sub i64 %left, {pixels * size}
  %vector_place = sub i64 %left_after, {before}
  %vector_from = getelementptr i8, ptr %from, i64 %vector_place
  %vector_done = sub i64 %row_bytes, %left
  %vector_to = getelementptr i8, ptr %to, i64 %vector_done
  %loaded = load {_BYTES}, ptr %vector_from, align 1
  %turned = shufflevector {_BYTES} %loaded, {_BYTES} %loaded, {_indices(order)}
  store {_BYTES} %turned, ptr %vector_to, align 1
  br label %check
rest:
  %left_of_row = phi i64 [ %left, %check ], [ %left_pixel, %pixel ]
  %has_rest = icmp sgt i64 %left_of_row, 0
  br i1 %has_rest, label %pixel, label %row_end
pixel:
  %left_pixel = sub i64 %left_of_row, {size}
  %pixel_from = getelementptr i8, ptr %from, i64 %left_pixel
  %pixel_done = sub i64 %row_bytes, %left_of_row
  %pixel_to = getelementptr i8, ptr %to, i64 %pixel_done
  %content = load {word}, ptr %pixel_from, align 1
  store {word} %content, ptr %pixel_to, align 1
  br label %rest
row_end:
  %next_number = add i64 %number, 1
  %more_rows = icmp ult i64 %next_number, %rows
  br i1 %more_rows, label %row, label %end
end:
  ret void
}}"""


def _indices(order: list[int]) -> str:
    """What a shuffle takes as its third operand; what is missing of a vector is any byte."""
    filled = [*order, *[0] * (_VECTOR - len(order))]
    return f"<{_VECTOR} x i32> <{', '.join(f'i32 {i}' for i in filled)}>"
