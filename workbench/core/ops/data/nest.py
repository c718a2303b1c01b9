"""Elements of datasets: nested tuples and dicts of components.

Lists are no structure: they become tensors. A `SparseTensorValue` is one component. Dicts are
flattened in the order of their sorted keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from workbench.core.graph.composite import SparseTensorValue


def is_nested(value: Any) -> bool:
    """True for the structures of elements."""
    return isinstance(value, (tuple, dict)) and not isinstance(value, SparseTensorValue)


def flatten(structure: Any) -> list[Any]:
    """The components in order."""
    return list(_walk(structure))


def _walk(structure: Any) -> Iterator[Any]:
    if isinstance(structure, dict):
        for key in sorted(structure):
            yield from _walk(structure[key])
    elif is_nested(structure):
        for part in structure:
            yield from _walk(part)
    else:
        yield structure


def pack(structure: Any, flat: Sequence[Any]) -> Any:
    """`flat` put into the form of `structure`; ValueError where the lengths differ."""
    iterator = iter(flat)
    packed = _pack(structure, iterator)
    if next(iterator, _END) is not _END:
        raise ValueError(f"{len(flat)} components are too many for the structure {structure}")
    return packed


def is_same(first: Any, second: Any) -> bool:
    """True where both have the same form.

    >>> is_same((1, {"a": 2}), (3, {"a": 4})), is_same((1, 2), (1, (2, 3)))
    (True, False)
    """
    if isinstance(first, dict) or isinstance(second, dict):
        both = isinstance(first, dict) and isinstance(second, dict)
        return (
            both and set(first) == set(second) and all(is_same(first[k], second[k]) for k in first)
        )
    if is_nested(first) or is_nested(second):
        both = is_nested(first) and is_nested(second)
        return both and len(first) == len(second) and all(map(is_same, first, second))
    return True


_END = object()


def _pack(structure: Any, flat: Iterator[Any]) -> Any:
    if isinstance(structure, dict):
        parts = {key: _pack(structure[key], flat) for key in sorted(structure)}
        return type(structure)((key, parts[key]) for key in structure)
    if is_nested(structure):
        values = [_pack(part, flat) for part in structure]
        return type(structure)(*values) if hasattr(structure, "_fields") else tuple(values)
    value = next(flat, _END)
    if value is _END:
        raise ValueError(f"Too few components for the structure {structure}")
    return value


def map_structure(function: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """`function` of corresponding components, in the same form."""
    columns = [flatten(structure), *(flatten_up_to(structure, o) for o in others)]
    return pack(structure, [function(*row) for row in zip(*columns, strict=True)])


def flatten_up_to(shallow: Any, deep: Any) -> list[Any]:
    """The parts of `deep` that stand where `shallow` has components."""
    if isinstance(shallow, dict):
        if not isinstance(deep, dict) or set(deep) != set(shallow):
            raise ValueError(f"The structures {shallow} and {deep} differ")
        return [part for key in sorted(shallow) for part in flatten_up_to(shallow[key], deep[key])]
    if isinstance(shallow, tuple):
        if not isinstance(deep, (tuple, list)) or len(deep) != len(shallow):
            raise ValueError(f"The structures {shallow} and {deep} differ")
        return [part for s, d in zip(shallow, deep, strict=True) for part in flatten_up_to(s, d)]
    return [deep]
