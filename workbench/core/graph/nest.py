"""Nested structures: sequences, named tuples and dicts, in each other, of anything else.

Lists are structure here, other than in elements of datasets; strings and shapes are not. Dicts are
flattened in the order of their sorted keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def is_sequence(value: Any) -> bool:
    """True for the structures: sequences but strings, and dicts.

    >>> is_sequence([1]), is_sequence({"a": 1}), is_sequence("a"), is_sequence(3)
    (True, True, False, False)
    """
    if isinstance(value, (list, tuple, dict)):
        return True
    return isinstance(value, (Sequence, Mapping)) and not isinstance(value, (str, bytes))


def is_named_tuple(value: Any) -> bool:
    """True for instances of named tuples."""
    return isinstance(value, tuple) and hasattr(value, "_fields")


def children(structure: Any) -> list[Any]:
    """What a structure holds directly, in order."""
    if isinstance(structure, Mapping):
        return [structure[key] for key in sorted_keys(structure)]
    return list(structure)


def sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    """The keys in order; TypeError where they have none."""
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def like(structure: Any, values: Sequence[Any]) -> Any:
    """A structure of the same kind that holds `values` directly."""
    if isinstance(structure, Mapping):
        held = dict(zip(sorted_keys(structure), values, strict=True))
        kind: Any = type(structure)
        return kind((key, held[key]) for key in structure)
    return type(structure)(*values) if is_named_tuple(structure) else type(structure)(values)


def flatten(structure: Any) -> list[Any]:
    """All that is in a structure, in order; a list of the value alone where it is no structure.

    >>> flatten([1, (2, {"b": 4, "a": 3})]), flatten(5)
    ([1, 2, 3, 4], [5])
    """
    return list(_walk(structure))


def _walk(structure: Any) -> Iterator[Any]:
    if is_sequence(structure):
        for child in children(structure):
            yield from _walk(child)
    else:
        yield structure


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """`flat_sequence` put into the form of `structure`; ValueError where the lengths differ.

    >>> pack_sequence_as([0, (0, 0)], [1, 2, 3])
    [1, (2, 3)]
    """
    if not is_sequence(flat_sequence):
        raise TypeError(f"flat_sequence must be a sequence, got {flat_sequence!r}")
    count = len(flatten(structure))
    if not is_sequence(structure):
        if len(flat_sequence) != 1:
            raise ValueError(
                f"Structure is a scalar but len(flat_sequence) == {len(flat_sequence)} > 1"
            )
        return flat_sequence[0]
    if count != len(flat_sequence):
        raise ValueError(
            "Could not pack sequence. Structure had "
            f"{count} elements, but flat_sequence had {len(flat_sequence)} elements. Structure: "
            f"{structure}, flat_sequence: {flat_sequence}."
        )
    return _pack(structure, iter(flat_sequence))


def _pack(structure: Any, values: Iterator[Any]) -> Any:
    if not is_sequence(structure):
        return next(values)
    return like(structure, [_pack(child, values) for child in children(structure)])


def map_structure(function: Callable[..., Any], *structures: Any, check_types: bool = True) -> Any:
    """`function` of corresponding values, in the form of the first structure.

    Raises ValueError where the structures differ, TypeError where only their types do.

    >>> map_structure(lambda a, b: a + b, [1, (2, 3)], [10, (20, 30)])
    [11, (22, 33)]
    """
    if not callable(function):
        raise TypeError(f"func must be callable, got: {function!r}")
    if not structures:
        raise ValueError("Must provide at least one structure")
    for other in structures[1:]:
        assert_same_structure(structures[0], other, check_types)
    rows = zip(*map(flatten, structures), strict=True)
    return pack_sequence_as(structures[0], [function(*row) for row in rows])


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True) -> None:
    """ValueError where two structures differ; TypeError where only the types of sequences do."""
    counts = len(flatten(nest1)), len(flatten(nest2))
    if counts[0] != counts[1]:
        raise ValueError(
            "The two structures don't have the same number of elements.\n\nFirst structure "
            f"({counts[0]} elements): {nest1}\n\nSecond structure ({counts[1]} elements): {nest2}"
        )
    _assert_same(nest1, nest2, check_types)


def _assert_same(a: Any, b: Any, check_types: bool) -> None:
    if is_sequence(a) != is_sequence(b):
        raise ValueError(
            "The two structures don't have the same nested structure.\n\nFirst structure: "
            f"{a}\n\nSecond structure: {b}."
        )
    if not is_sequence(a):
        return
    if check_types:
        if type(a) is not type(b):
            raise TypeError(
                "The two structures don't have the same sequence type. First structure has type "
                f"{type(a)}, while second structure has type {type(b)}."
            )
        if isinstance(a, Mapping) and set(a) != set(b):
            raise ValueError(
                "The two dictionaries don't have the same set of keys. First structure has keys "
                f"{set(a)}, while second structure has keys {set(b)}."
            )
    ours, theirs = children(a), children(b)
    if len(ours) != len(theirs):
        raise ValueError(
            "The two structures don't have the same nested structure.\n\nFirst structure: "
            f"{a}\n\nSecond structure: {b}."
        )
    for x, y in zip(ours, theirs, strict=True):
        _assert_same(x, y, check_types)


# -- structures that go deeper than another ------------------------------------------------------


def assert_shallow_structure(shallow_tree: Any, input_tree: Any, check_types: bool = True) -> None:
    """ValueError or TypeError unless `input_tree` is `shallow_tree`, or goes on below it."""
    if not is_sequence(shallow_tree):
        return
    if not is_sequence(input_tree):
        raise TypeError(
            "If shallow structure is a sequence, input must also be a sequence. Input has type: "
            f"{type(input_tree)}."
        )
    if check_types and type(input_tree) is not type(shallow_tree):
        raise TypeError(
            "The two structures don't have the same sequence type. Input structure has type "
            f"{type(input_tree)}, while shallow structure has type {type(shallow_tree)}."
        )
    if len(input_tree) != len(shallow_tree):
        raise ValueError(
            "The two structures don't have the same sequence length. Input structure has length "
            f"{len(input_tree)}, while shallow structure has length {len(shallow_tree)}."
        )
    if isinstance(shallow_tree, Mapping) and check_types and set(input_tree) != set(shallow_tree):
        raise ValueError(
            "The two dictionaries don't have the same keys. Input structure has keys "
            f"{list(input_tree)}, while shallow structure has keys {list(shallow_tree)}."
        )
    for shallow, deep in zip(children(shallow_tree), children(input_tree), strict=True):
        assert_shallow_structure(shallow, deep, check_types)


def flatten_up_to(shallow_tree: Any, input_tree: Any) -> list[Any]:
    """The parts of `input_tree` that stand where `shallow_tree` has values.

    >>> flatten_up_to([True, True], [[1, 2], 3])
    [[1, 2], 3]
    """
    assert_shallow_structure(shallow_tree, input_tree)
    return list(_walk_up_to(shallow_tree, input_tree))


def _walk_up_to(shallow: Any, deep: Any) -> Iterator[Any]:
    if is_sequence(shallow):
        for a, b in zip(children(shallow), children(deep), strict=True):
            yield from _walk_up_to(a, b)
    else:
        yield deep


def map_structure_up_to(shallow_tree: Any, function: Callable[..., Any], *inputs: Any) -> Any:
    """`function` of the parts of `inputs` that stand where `shallow_tree` has values.

    >>> map_structure_up_to([True, True], lambda part, x: (part, x), [[1, 2], 3], [10, 20])
    [([1, 2], 10), (3, 20)]
    """
    if not inputs:
        raise ValueError("Cannot map over no sequences")
    columns = [flatten_up_to(shallow_tree, each) for each in inputs]
    values = [function(*row) for row in zip(*columns, strict=True)]
    return pack_sequence_as(shallow_tree, values)


def get_traverse_shallow_structure(traverse: Callable[[Any], Any], structure: Any) -> Any:
    """The structure of bools that says how deep `traverse` goes into `structure`.

    `traverse` takes each structure on the way and says True (go on), False (leave it whole), or a
    bool for each of its children.
    """
    answer = traverse(structure)
    if not is_sequence(structure):
        if not isinstance(answer, bool):
            raise TypeError(f"traverse_fn returned {answer!r} for {structure!r}: return a bool")
        return answer
    if isinstance(answer, bool):
        answers = [answer] * len(children(structure))
        if not answer:
            return False
    elif not is_sequence(answer):
        raise TypeError(
            "traverse_fn returned a non-bool scalar: "
            f"{answer!r} for {structure!r}: return a bool, or one for each child"
        )
    else:
        assert_shallow_structure(answer, structure)
        answers = children(answer)
    parts = [
        get_traverse_shallow_structure(traverse, child) if wanted else False
        for child, wanted in zip(children(structure), answers, strict=True)
    ]
    return like(structure, parts)


def flatten_dict_items(dictionary: Mapping[Any, Any]) -> dict[Any, Any]:
    """A dict whose keys and values are those that the structures of another hold.

    >>> flatten_dict_items({(4, 5): ("a", "b"), 6: "c"})
    {4: 'a', 5: 'b', 6: 'c'}
    """
    if not isinstance(dictionary, Mapping):
        raise TypeError("input must be a dictionary")
    result: dict[Any, Any] = {}
    for key, value in dictionary.items():
        keys, values = flatten(key), flatten(value)
        if len(keys) != len(values):
            raise ValueError(
                f"Could not flatten dictionary. Key had {len(keys)} elements, but value had "
                f"{len(values)} elements. Key: {keys}, value: {values}."
            )
        for k, v in zip(keys, values, strict=True):
            if k in result:
                raise ValueError(f"Could not flatten dictionary: key {k} is not unique.")
            result[k] = v
    return result
