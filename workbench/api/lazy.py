"""Namespaces whose names are imported when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

#: Module -> names; "public=attribute" renames, "public=" followed by nothing is the module itself.
Table = Mapping[str, str]


def expand(table: Table) -> dict[str, tuple[str, str]]:
    """Each public name with the module and attribute it stands for."""
    places: dict[str, tuple[str, str]] = {}
    for module, names in table.items():
        for entry in names.split():
            public, renamed, attribute = entry.partition("=")
            places[public] = (module, attribute if renamed else public)
    return places


def namespace(
    module_name: str, table: Table, submodules: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a lazy module.

    `table` maps modules to the names they provide, `submodules` names to modules.
    """
    places: dict[str, tuple[str, str]] = {}
    children = dict(submodules or {})

    def get(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
        if not places:
            places.update(expand(table))
        if name in children:
            value: Any = importlib.import_module(children[name])
        elif name in places:
            module, attribute = places[name]
            source = importlib.import_module(module)
            value = getattr(source, attribute) if attribute else source
        else:
            import difflib

            from workbench.api.absent import why_absent

            reason = why_absent(module_name, name)
            if reason:
                raise AttributeError(f"module {module_name!r} has no attribute {name!r}: {reason}")
            known = [*places, *children]
            near = difflib.get_close_matches(name, known, n=3)
            hint = f"; the nearest are {', '.join(near)}" if near else ""
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}{hint}")
        setattr(sys.modules[module_name], name, value)
        return value

    def listing() -> list[str]:
        return sorted({*expand(table), *children, *vars(sys.modules[module_name])})

    names = [*(entry.partition("=")[0] for ns in table.values() for entry in ns.split()), *children]
    return get, listing, names
