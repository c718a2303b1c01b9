"""Nested structures."""

from __future__ import annotations

import collections
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.core.graph import nest

Pair = collections.namedtuple("Pair", ["left", "right"])
STRUCTURES = st.recursive(
    st.integers(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.builds(Pair, inner, inner),
        st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(STRUCTURES)
def test_packing_undoes_flattening(structure: Any) -> None:
    flat = nest.flatten(structure)
    assert all(isinstance(value, int) for value in flat)
    packed = nest.pack_sequence_as(structure, flat)
    assert packed == structure and type(packed) is type(structure)
    nest.assert_same_structure(structure, packed)
    with pytest.raises(ValueError):
        nest.pack_sequence_as(structure, [*flat, 0])


@given(STRUCTURES)
def test_mapping_works_on_each_value(structure: Any) -> None:
    doubled = nest.map_structure(lambda a, b: a + b, structure, structure)
    assert nest.flatten(doubled) == [2 * value for value in nest.flatten(structure)]


def test_dicts_are_taken_in_the_order_of_their_keys() -> None:
    value = collections.OrderedDict([("b", 2), ("a", 1)])
    assert nest.flatten(value) == [1, 2]
    assert list(nest.pack_sequence_as(value, [10, 20]).items()) == [("b", 20), ("a", 10)]


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [
        ([1, 2], [1], ValueError),
        ([1, [2]], [[1], 2], ValueError),
        ([1, 2], (1, 2), TypeError),
        (Pair(1, 2), (1, 2), TypeError),
        ({"a": 1}, {"b": 1}, ValueError),
        (1, [1], ValueError),
    ],
)
def test_structures_that_differ(a: Any, b: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        nest.assert_same_structure(a, b)


def test_types_need_not_be_checked() -> None:
    nest.assert_same_structure([1, (2, 3)], (1, [2, 3]), check_types=False)


@pytest.mark.parametrize(
    ("shallow", "deep", "error", "problem"),
    [
        ([1, 2], 3, TypeError, "input must also be a sequence"),
        ([1], [1, 2], ValueError, "same sequence length"),
        ((1,), [1], TypeError, "same sequence type"),
        ({"a": 1}, {"b": 1}, ValueError, "same keys"),
    ],
)
def test_structures_that_do_not_go_deeper(
    shallow: Any, deep: Any, error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        nest.flatten_up_to(shallow, deep)


def test_how_deep_to_go() -> None:
    def visit(value: Any) -> Any:
        return Pair(False, True) if isinstance(value, Pair) else not isinstance(value, str)

    found = nest.get_traverse_shallow_structure(visit, [Pair(1, 2), "a", [3, "b"]])
    assert found == [Pair(False, True), False, [True, False]]
    with pytest.raises(TypeError, match="non-bool"):
        nest.get_traverse_shallow_structure(lambda value: 1, [1])
    with pytest.raises(TypeError, match="return a bool"):
        nest.get_traverse_shallow_structure(lambda value: 1, 1)


def test_errors() -> None:
    with pytest.raises(TypeError, match="callable"):
        nest.map_structure("no", [1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        nest.map_structure(abs)
    with pytest.raises(TypeError, match="must be a sequence"):
        nest.pack_sequence_as([1], 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sortable"):
        nest.flatten({1: 2, "a": 3})
    with pytest.raises(ValueError, match="not unique"):
        nest.flatten_dict_items({1: 2, (1, 3): (4, 5)})
    with pytest.raises(ValueError, match="Key had 2 elements, but value had 1"):
        nest.flatten_dict_items({(1, 2): 3})
    with pytest.raises(TypeError, match="must be a dictionary"):
        nest.flatten_dict_items([1])  # type: ignore[arg-type]
