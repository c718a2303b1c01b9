"""`import` statements that name a namespace: `from workbench.contrib import rnn`.

Namespaces are attributes of `workbench`; their modules stand elsewhere. This finder answers for
them where Python's own find nothing, so that programs may import by the names they know.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

ROOT = "workbench"


class NamespaceFinder(MetaPathFinder, Loader):
    """Finds what is a module when reached as an attribute from `workbench`."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """A spec for the path of a namespace, else None."""
        if not fullname.startswith(f"{ROOT}.") or self._namespace(fullname) is None:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        """Put the namespace itself in the place of the module made for the import."""
        namespace = self._namespace(module.__name__)
        assert namespace is not None
        # Without a path Python does not ask for what stands below.
        vars(namespace).setdefault("__path__", [])
        sys.modules[module.__name__] = namespace

    def _namespace(self, fullname: str) -> ModuleType | None:
        found: object = sys.modules[ROOT]
        for part in fullname.split(".")[1:]:
            if part.startswith("__"):
                return None
            found = getattr(found, part, None)
            if not isinstance(found, ModuleType):
                return None
        return found if isinstance(found, ModuleType) else None


def install() -> None:
    """Let Python ask this finder, after all others."""
    if not any(isinstance(each, NamespaceFinder) for each in sys.meta_path):
        sys.meta_path.append(NamespaceFinder())
