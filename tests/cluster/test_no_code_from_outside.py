"""Nothing that comes over the wire, or lies in a file, is unpickled or evaluated."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import workbench
from workbench.cluster.wire.arrays import decode_array

ROOT = Path(workbench.__file__).parent
#: They make code, or objects of any class, of bytes.
_MODULES = {
    "cPickle",
    "cloudpickle",
    "code",
    "codeop",
    "dill",
    "joblib",
    "jsonpickle",
    "marshal",
    "pickle",
    "runpy",
    "shelve",
    "yaml",
}
_FUNCTIONS = {"eval", "exec", "compile", "__import__"}
#: Of the control plane, whose messages Dask unpickles of those who have its keys: these import a
#: module by a name that stands in a table of ours.
_BY_TABLE = {"pool/runtime.py", "pool/ready.py", "pool/errors.py", "pool/preparation.py"}
_FILES = sorted(path for part in ("cluster", "pool") for path in (ROOT / part).rglob("*.py"))


def _found(source: str) -> list[str]:
    """What a module has of that."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.partition(".")[0] in _MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or ""] * ((node.module or "").partition(".")[0] in _MODULES)
        elif isinstance(node, ast.Name) and node.id in _FUNCTIONS:
            found.append(node.id)
        elif isinstance(node, ast.Attribute) and node.attr in ("import_module", "find_spec"):
            found.append(node.attr)
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            constant = node.value
            found += ["allow_pickle"] * (getattr(constant, "value", True) is not False)
    return found


@pytest.mark.parametrize(
    "source, expected",
    [
        ("import pickle", ["pickle"]),
        ("from cloudpickle import loads", ["cloudpickle"]),
        ("def f():\n    import marshal as m", ["marshal"]),
        ("eval(text)", ["eval"]),
        ("importlib.import_module(name)", ["import_module"]),
        ("np.load(file, allow_pickle=True)", ["allow_pickle"]),
        ("np.load(file, allow_pickle=False)", []),
        ("import json, re", []),
    ],
)
def test_what_is_looked_for_is_found(source: str, expected: list[str]) -> None:
    assert _found(source) == expected


def test_no_module_of_the_cluster_or_of_pools_has_any_of_it() -> None:
    assert len(_FILES) > 60
    found = {str(path.relative_to(ROOT)): _found(path.read_text()) for path in _FILES}
    for name in _BY_TABLE:
        # So that the list of what is excused stays true.
        assert set(found.pop(name)) <= {"import_module", "find_spec"} != set()
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize("kind", ["object", "O", "|O8", "V8", "M8", "resource", "variant", ""])
def test_arrays_of_objects_are_not_made_of_bytes(kind: str) -> None:
    assert decode_array(["float64", [1]], bytes(8)) == 0.0
    with pytest.raises((ValueError, TypeError)):
        decode_array([kind, [1]], bytes(8))
