"""The text of the functions that resize an image, linear between pixels.

Rows are first resized along themselves, then two of them put together; a row that two outputs in
turn lie between is resized once. Every number is computed in the order of the NumPy kernel, so the
results have the same bits.
"""

from __future__ import annotations

#: The numbers of channels there are functions for; each pixel is one vector.
CHANNELS = (1, 2, 3, 4)

_LANES = 16


def resized_name(channels: int) -> str:
    """The name of the function for so many channels."""
    return f"workbench_resized_{channels}"


def resizing_names() -> tuple[str, ...]:
    """The functions that others call."""
    return tuple(map(resized_name, CHANNELS))


def resizing_text() -> str:
    """The module.

    Its functions take an image of float32: where it is, and how many bytes its rows are apart. For
    rows and for columns they take how many come out, the two inputs that each lies between (rows
    by their number, columns by the number of their first element in a row), and how far it is from
    the first. Then memory for two rows, and for the result.
    """
    parts = [_blended()]
    for channels in CHANNELS:
        parts += [_columns(channels), _resized(channels)]
    return "\n".join([*parts, "attributes #0 = { nounwind }", ""])


def _between(kind: str, name: str, sources: tuple[str, str], target: str, distance: str) -> str:
    """Values between two; exactly the first where `%is_exact`, even if that is infinite."""
    return f"""
  %first_{name} = load {kind}, ptr {sources[0]}, align 4
  %second_{name} = load {kind}, ptr {sources[1]}, align 4
  %apart_{name} = fsub {kind} %second_{name}, %first_{name}
  %part_{name} = fmul {kind} %apart_{name}, {distance}
  %step_{name} = select i1 %is_exact, {kind} {_zero(kind)}, {kind} %part_{name}
  %value_{name} = fadd {kind} %first_{name}, %step_{name}
  store {kind} %value_{name}, ptr {target}, align 4"""


def _zero(kind: str) -> str:
    return "0.0" if kind == "float" else "zeroinitializer"


def _splat(kind: str, lanes: int) -> str:
    """`%splat`: the distance in every lane."""
    if kind == "float":
        return "  %splat = fadd float %distance, -0.0"
    return f"""
  %lane = insertelement {kind} poison, float %distance, i32 0
  %splat = shufflevector {kind} %lane, {kind} poison, <{lanes} x i32> zeroinitializer"""


def _blended() -> str:
    """The elements of two rows put together."""
    many = f"<{_LANES} x float>"
    return f"""
define internal void @blended(
    ptr %lower, ptr %upper, ptr %target, i64 %count, float %distance) #0 {{
entry:
  %is_exact = fcmp oeq float %distance, 0.0
{_splat(many, _LANES)}
  br label %check
check:
  %at = phi i64 [ 0, %entry ], [ %after, %several ]
  %after = add i64 %at, {_LANES}
  %has_room = icmp ule i64 %after, %count
  br i1 %has_room, label %several, label %rest
several:
  %lower_many = getelementptr float, ptr %lower, i64 %at
  %upper_many = getelementptr float, ptr %upper, i64 %at
  %target_many = getelementptr float, ptr %target, i64 %at
{_between(many, "many", ("%lower_many", "%upper_many"), "%target_many", "%splat")}
  br label %check
rest:
  %place = phi i64 [ %at, %check ], [ %next, %one ]
  %has_rest = icmp ult i64 %place, %count
  br i1 %has_rest, label %one, label %end
one:
  %lower_one = getelementptr float, ptr %lower, i64 %place
  %upper_one = getelementptr float, ptr %upper, i64 %place
  %target_one = getelementptr float, ptr %target, i64 %place
{_between("float", "one", ("%lower_one", "%upper_one"), "%target_one", "%distance")}
  %next = add i64 %place, 1
  br label %rest
end:
  ret void
}}"""


def _columns(channels: int) -> str:
    """A row resized along itself."""
    kind = "float" if channels == 1 else f"<{channels} x float>"
    return f"""
define internal void @columns_{channels}(
    ptr %row, ptr %target, i64 %width, ptr %lowers, ptr %uppers, ptr %distances) #0 {{
entry:
  br label %pixel
pixel:
  %number = phi i64 [ 0, %entry ], [ %next, %pixel ]
  %lower_place = getelementptr i64, ptr %lowers, i64 %number
  %lower = load i64, ptr %lower_place
  %upper_place = getelementptr i64, ptr %uppers, i64 %number
  %upper = load i64, ptr %upper_place
  %distance_place = getelementptr float, ptr %distances, i64 %number
  %distance = load float, ptr %distance_place
  %is_exact = fcmp oeq float %distance, 0.0
{_splat(kind, channels)}
  %from_lower = getelementptr float, ptr %row, i64 %lower
  %from_upper = getelementptr float, ptr %row, i64 %upper
  %element = mul i64 %number, {channels}
  %to = getelementptr float, ptr %target, i64 %element
{_between(kind, "pixel", ("%from_lower", "%from_upper"), "%to", "%splat")}
  %next = add i64 %number, 1
  %more = icmp ult i64 %next, %width
  br i1 %more, label %pixel, label %end
end:
  ret void
}}"""


def _resized(channels: int) -> str:
    return f"""
define void @{resized_name(channels)}(
    ptr %image, i64 %stride,
    i64 %height, ptr %row_lowers, ptr %row_uppers, ptr %row_distances,
    i64 %width, ptr %lowers, ptr %uppers, ptr %distances,
    ptr %memory, ptr %result) #0 {{
entry:
  %count = mul i64 %width, {channels}
  %other = getelementptr float, ptr %memory, i64 %count
  br label %row
row:
  %number = phi i64 [ 0, %entry ], [ %next, %blend ]
  %held = phi ptr [ %memory, %entry ], [ %lower_row, %blend ]
  %held_number = phi i64 [ -1, %entry ], [ %lower, %blend ]
  %spare = phi ptr [ %other, %entry ], [ %upper_row, %blend ]
  %spare_number = phi i64 [ -1, %entry ], [ %upper_number, %blend ]
  %lower_place = getelementptr i64, ptr %row_lowers, i64 %number
  %lower = load i64, ptr %lower_place
  %upper_place = getelementptr i64, ptr %row_uppers, i64 %number
  %upper = load i64, ptr %upper_place
  %distance_place = getelementptr float, ptr %row_distances, i64 %number
  %distance = load float, ptr %distance_place
  ; The row that was the upper one is the lower one now, mostly.
  %in_spare = icmp eq i64 %lower, %spare_number
  %lower_row = select i1 %in_spare, ptr %spare, ptr %held
  %lower_number = select i1 %in_spare, i64 %spare_number, i64 %held_number
  %upper_row = select i1 %in_spare, ptr %held, ptr %spare
  %left_number = select i1 %in_spare, i64 %held_number, i64 %spare_number
  %has_lower = icmp eq i64 %lower_number, %lower
  br i1 %has_lower, label %lower_there, label %lower_made
lower_made:
  %lower_bytes = mul i64 %lower, %stride
  %lower_from = getelementptr i8, ptr %image, i64 %lower_bytes
  call void @columns_{channels}(
    ptr %lower_from, ptr %lower_row, i64 %width, ptr %lowers, ptr %uppers, ptr %distances)
  br label %lower_there
lower_there:
  %is_same = icmp eq i64 %upper, %lower
  %is_left = icmp eq i64 %upper, %left_number
  %has_upper = or i1 %is_same, %is_left
  br i1 %has_upper, label %blend, label %upper_made
upper_made:
  %upper_bytes = mul i64 %upper, %stride
  %upper_from = getelementptr i8, ptr %image, i64 %upper_bytes
  call void @columns_{channels}(
    ptr %upper_from, ptr %upper_row, i64 %width, ptr %lowers, ptr %uppers, ptr %distances)
  br label %blend
blend:
  %upper_number = phi i64 [ %left_number, %lower_there ], [ %upper, %upper_made ]
  %second_row = select i1 %is_same, ptr %lower_row, ptr %upper_row
  %element = mul i64 %number, %count
  %to = getelementptr float, ptr %result, i64 %element
  call void @blended(ptr %lower_row, ptr %second_row, ptr %to, i64 %count, float %distance)
  %next = add i64 %number, 1
  %more = icmp ult i64 %next, %height
  br i1 %more, label %row, label %end
end:
  ret void
}}"""
