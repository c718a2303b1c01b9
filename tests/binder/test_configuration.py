"""The Binder configuration parses and names things that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def lines(name: str) -> list[str]:
    """The lines of a file that are neither empty nor comments."""
    text = (BINDER / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_holds_only_files_that_binder_reads() -> None:
    assert sorted(path.name for path in BINDER.iterdir()) == [
        "postBuild",
        "requirements.txt",
        "runtime.txt",
    ]


def test_python_is_one_that_the_package_accepts() -> None:
    (runtime,) = lines("runtime.txt")
    found = re.fullmatch(r"python-(\d+\.\d+)", runtime)
    assert found
    assert found[1] in SpecifierSet(PROJECT["requires-python"])


def test_requirements_parse_and_have_lower_bounds() -> None:
    requirements = [Requirement(line) for line in lines("requirements.txt")]
    assert {requirement.name for requirement in requirements} == {"jupyterlab", "ipykernel"}
    for requirement in requirements:
        assert requirement.url is None
        assert [bound.operator for bound in requirement.specifier] == [">="]


@pytest.mark.skipif(sys.platform == "win32", reason="Binder runs Linux, and so does the script")
def test_post_build_is_an_executable_script_that_parses() -> None:
    script = BINDER / "postBuild"
    assert os.access(script, os.X_OK)
    bash = shutil.which("bash")
    assert bash
    subprocess.run([bash, "-n", str(script)], check=True, timeout=30)


def test_post_build_installs_what_exists() -> None:
    commands = lines("postBuild")
    (install,) = [line for line in commands if "pip install" in line]
    (extra,) = re.findall(r"'\.\[(\w+)\]'", install)
    assert extra in PROJECT["optional-dependencies"]
    (kernel,) = [line for line in commands if "kernelspec install" in line]
    assert (ROOT / kernel.split()[-1] / "kernel.json").is_file()
