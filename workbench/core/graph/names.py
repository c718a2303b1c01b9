"""Names of operations and scopes: what is allowed and how they are kept apart."""

from __future__ import annotations

import re

_OPERATION = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\\-/]*$")
_SCOPE = re.compile(r"^[A-Za-z0-9_.\\\-/]*$")


def check_operation_name(name: str) -> None:
    """Raises ValueError unless `name` may begin a name at the top of the graph."""
    if not _OPERATION.match(name):
        raise ValueError(
            f"{name!r} is not a valid operation name: names start with a letter, digit or '.', and "
            "go on with letters, digits and . _ - / \\"
        )


def check_scope_name(name: str, nested: bool) -> None:
    """Raises ValueError unless `name` may name a scope."""
    pattern = _SCOPE if nested else _OPERATION
    if not isinstance(name, str) or not pattern.match(name):
        raise ValueError(
            f"{name!r} is not a valid scope name: use letters, digits and . _ - / \\"
            + ("" if nested else ", and start with a letter, digit or '.'")
        )


class NameRegistry:
    """The names in use. Names that differ only in case count as the same, as in files."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def unique(self, name: str, mark_as_used: bool) -> str:
        """`name`, or `name_N` with the first free N."""
        used = self._used
        key = name.lower()
        count = used.get(key, 0)
        if mark_as_used:
            used[key] = count + 1
        if not count:
            return name
        stem = key
        while key in used:
            key = f"{stem}_{count}"
            count += 1
        if mark_as_used:
            used[key] = 1
            # The next search starts where this one ended, so long loops stay linear.
            used[stem] = count
        return f"{name}_{count - 1}"

    def is_used(self, name: str) -> bool:
        """True where something has that name, or a scope does."""
        return name.lower() in self._used

    def mark(self, name: str) -> None:
        """Takes `name` itself and the scopes that hold it (importers keep given names)."""
        self._used.setdefault(name.lower(), 1)
