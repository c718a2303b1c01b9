"""Views and their layouts against NumPy's own views."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.codegen.translating import interpreted, make_node
from workbench.core.codegen.translation import Layout, contiguous, parts, unsupported, view
from workbench.core.codegen.translation.view import viewed_input

Array = np.ndarray[Any, Any]


def layout_of(array: Array, whole: Array) -> Layout:
    """Where a view's elements are among those of a contiguous array."""
    offset = array.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    strides = tuple(s // array.itemsize for s in array.strides)
    return Layout(array.shape, strides, offset // array.itemsize)


def taken(whole: Array, layout: Layout) -> Array:
    """The elements of a contiguous array that a layout names."""
    strides = tuple(s * whole.itemsize for s in layout.strides)
    start = whole.reshape(-1)[layout.offset :]
    return np.lib.stride_tricks.as_strided(start, layout.shape, strides, writeable=False)


@st.composite
def views(draw: st.DrawFn) -> tuple[Array, Array]:
    """A contiguous array, and what some steps of transposing and slicing leave of it."""
    shape = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    whole = np.arange(int(np.prod(shape))).reshape(shape)
    part = whole
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            part = part.transpose(draw(st.permutations(range(part.ndim))))
        else:
            bounds = [
                slice(draw(st.integers(0, s - 1)), None, draw(st.integers(1, 2)))
                for s in part.shape
            ]
            part = part[tuple(bounds)]
    return whole, part


def factorised(draw: Any, count: int) -> tuple[int, ...]:
    """A shape of that many elements."""
    shape: list[int] = []
    while count > 1:
        divisors = [d for d in range(2, count + 1) if count % d == 0]
        shape.append(draw(st.sampled_from(divisors)))
        count //= shape[-1]
    for _ in range(draw(st.integers(0, 2))):
        shape.insert(draw(st.integers(0, len(shape))), 1)
    return tuple(shape)


@settings(max_examples=150, deadline=None)
@given(views(), st.data())
def test_a_layout_is_reshaped_where_numpy_copies_nothing(
    pair: tuple[Array, Array], data: st.DataObject
) -> None:
    whole, part = pair
    layout = layout_of(part, whole)
    np.testing.assert_array_equal(taken(whole, layout), part)
    assert layout.is_contiguous == part.flags.c_contiguous
    shape = factorised(data.draw, part.size)
    want = part.reshape(shape)
    got = layout.reshaped(shape)
    assert (got is not None) == np.shares_memory(want, whole)
    if got is not None:
        np.testing.assert_array_equal(taken(whole, got), want)


def test_layouts_of_nothing() -> None:
    empty = contiguous((0, 3))
    assert empty.is_contiguous
    assert empty.reshaped((5, 0)) == Layout((5, 0), (0, 1))
    assert empty.reshaped((5,)) is None
    assert contiguous(()).reshaped((1, 1)) == Layout((1, 1), (0, 0))
    assert contiguous((2, 3)).broadcast((3,)) is None
    assert contiguous((2, 3)).broadcast((3, 3)) is None


def whole_numbers(*values: Any) -> Array:
    return np.array(values[0] if len(values) == 1 else values, np.int32)


#: Operations on an array of shape (4, 6, 2): its place among the inputs, and the other inputs.
VIEWS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Identity", (None,), {}),
    ("Reshape", (None, whole_numbers(2, 2, -1, 4)), {}),
    ("ExpandDims", (None, whole_numbers(-2)), {}),
    ("Transpose", (None, whole_numbers(2, -3, 1)), {}),
    ("BroadcastTo", (None, whole_numbers(3, 4, 6, 2)), {}),
    ("Slice", (None, whole_numbers(1, 0, 1), whole_numbers(2, -1, 1)), {}),
    ("Split", (whole_numbers(1), None), {"num_split": 3}),
    ("SplitV", (None, whole_numbers(1, -1, 2), whole_numbers(-2)), {"num_split": 3}),
    ("Unpack", (None,), {"num": 6, "axis": -2}),
    ("Unpack", (None,), {"num": 4}),
    (
        "StridedSlice",
        (None, whole_numbers(-1, 4), whole_numbers(0, 1), whole_numbers(1, 1)),
        {"shrink_axis_mask": 1, "end_mask": 2},
    ),
    (
        "StridedSlice",
        (None, whole_numbers(1, 0, 0, 1), whole_numbers(4, 0, 0, 2), whole_numbers(2, 1, 1, 1)),
        {"ellipsis_mask": 2, "new_axis_mask": 4},
    ),
    (
        "StridedSlice",
        (None, whole_numbers(9, -3), whole_numbers(9, 99), whole_numbers(1, 1)),
        {},
    ),
]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize(("type_name", "inputs", "attrs"), VIEWS)
def test_views_are_those_of_numpy(
    type_name: str, inputs: tuple[Any, ...], attrs: dict[str, Any], order: tuple[int, ...]
) -> None:
    """Of a contiguous array, and of one whose axes lie in another order in memory."""
    whole = np.arange(48, dtype=np.float32)
    turned = whole.reshape([(4, 6, 2)[a] for a in order]).transpose(np.argsort(order))
    arrays = [turned if i is None else i for i in inputs]
    node = make_node(type_name, arrays, attrs)
    assert arrays[viewed_input(node)] is turned
    wanted = interpreted(type_name, arrays, node.attrs)
    assert len(wanted) == len(node.dtypes)
    for index, want in enumerate(wanted):
        seen = view(node, index, layout_of(turned, whole))
        if seen is None:
            assert type_name == "Reshape" and not np.shares_memory(want, whole)
            continue
        np.testing.assert_array_equal(taken(whole, seen), want)


_MASKS = {"begin_mask": 2, "end_mask": 2}


@pytest.mark.parametrize(
    ("type_name", "arrays", "attrs"),
    [
        ("ConcatV2", (np.ones((2, 3)), np.zeros((2, 0)), 5 * np.ones((2, 2)), 1), {}),
        ("Concat", (-2, np.ones((2, 3)), np.zeros((1, 3))), {}),
        ("Pack", (np.ones((2, 3)), np.zeros((2, 3))), {"axis": -1}),
        ("PadV2", (np.ones((2, 3)), [[1, 0], [2, 3]], np.array(7.0)), {}),
        ("Tile", (np.arange(6.0).reshape(2, 3), [2, 3]), {}),
        ("StridedSliceGrad", ([4, 5], [1, 4], [4, 0], [2, 1], np.ones((2, 5))), _MASKS),
    ],
)
def test_parts_cover_the_result_once(
    type_name: str, arrays: tuple[Any, ...], attrs: dict[str, Any]
) -> None:
    inputs = [a if isinstance(a, np.ndarray) else np.array(a, np.int32) for a in arrays]
    node = make_node(type_name, inputs, attrs)
    put = parts(node)
    size = int(np.prod(node.shapes[0]))
    covered = np.zeros(size, int)
    result = np.full(size, np.nan if put.fill is None else put.fill)
    for part in put.parts:
        places = taken(np.arange(size), part.place)
        assert places.shape == inputs[part.input].shape
        covered[places] += 1
        result[places] = inputs[part.input]
    assert covered.max() == 1 and (put.fill is not None or covered.min() == 1)
    (want,) = interpreted(type_name, inputs, node.attrs)
    np.testing.assert_array_equal(result.reshape(node.shapes[0]), want)


def test_a_tile_of_axes_of_one_is_a_view_and_of_many_copies_nothing() -> None:
    single = make_node("Tile", [np.ones((1, 3)), whole_numbers(5, 1)], {})
    assert view(single, 0, contiguous((1, 3))) == Layout((5, 3), (0, 1))
    many = make_node("Tile", [np.ones((2, 3)), whole_numbers(5, 100)], {})
    assert unsupported(many) == "it makes more than 64 copies"
