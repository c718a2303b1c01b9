"""The Binder configuration parses and names things that exist."""

from __future__ import annotations

import json
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
        "apt.txt",
        "postBuild",
        "requirements.txt",
        "runtime.txt",
        "start",
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


def test_packages_of_the_system_are_names() -> None:
    assert lines("apt.txt")
    for name in lines("apt.txt"):
        assert re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name)


@pytest.mark.skipif(sys.platform == "win32", reason="Binder runs Linux, and so do the scripts")
@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_is_an_executable_script_that_parses(name: str) -> None:
    script = BINDER / name
    assert os.access(script, os.X_OK)
    bash = shutil.which("bash")
    assert bash
    subprocess.run([bash, "-n", str(script)], check=True, timeout=30)


def test_post_build_installs_what_exists() -> None:
    (install,) = [line for line in lines("postBuild") if "pip install" in line]
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", install)
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])


def test_links_open_notebooks_that_exist_with_what_they_need() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    opened = re.findall(r"mybinder\.org/v2/\S+\?urlpath=lab/tree/([^)]+)", readme)
    assert {"examples/quickstart.ipynb", "examples/pool.ipynb"} <= set(opened)
    for path in opened:
        assert (ROOT / path).is_file(), path
    (install,) = [line for line in lines("postBuild") if "pip install" in line]
    assert re.search(r"\bpool\b", install), "the example about pools cannot start one"


@pytest.mark.skipif(sys.platform == "win32", reason="Binder runs Linux, and so do the scripts")
def test_start_runs_the_command_in_an_environment_that_reaches_for_no_network() -> None:
    python = Path(sys.executable).parent
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    done = subprocess.run(
        [str(BINDER / "start"), sys.executable, "-c", show],
        cwd=ROOT,
        env={"PATH": f"{python}:{os.environ['PATH']}", "JUPYTER_CONFIG_PATH": "/theirs"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    shown = json.loads(done.stdout)
    assert shown["BOKEH_RESOURCES"] == "inline"
    ours, theirs = shown["JUPYTER_CONFIG_PATH"].split(":")
    assert (Path(ours) / "labconfig" / "default_setting_overrides.json").is_file()
    assert theirs == "/theirs"
