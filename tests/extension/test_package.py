"""What the front end's own files promise, and what ends up in the Python package."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

import workbench

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "extension"
BUILT = ROOT / "workbench" / "labextension"
DEADLINE = 100


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built() -> Path:
    """The built extension: an installation from a working copy has made it."""
    if not BUILT.is_dir():
        if os.environ.get("CI"):
            raise FileNotFoundError(BUILT)
        pytest.skip("the extension is not built: pip install -e . or make extension")
    return BUILT


def test_has_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = read_json(EXTENSION / "package-lock.json")
    versions = {
        project["version"],
        workbench.__version__,
        read_json(EXTENSION / "package.json")["version"],
        lock["version"],
        lock["packages"][""]["version"],
    }
    assert len(versions) == 1


def test_the_lock_file_names_no_address() -> None:
    text = (EXTENSION / "package-lock.json").read_text(encoding="utf-8")
    assert not re.search(r"https?://", text)
    locked = json.loads(text)["packages"]
    del locked[""]
    assert all("version" in entry and "integrity" in entry for entry in locked.values())


def test_only_the_bundler_is_needed_to_build() -> None:
    package = read_json(EXTENSION / "package.json")
    assert set(package["dependencies"]) == {"esbuild"}
    locked = read_json(EXTENSION / "package-lock.json")["packages"]
    needed = [
        name.removeprefix("node_modules/")
        for name, entry in locked.items()
        if name and not entry.get("dev") and not entry.get("optional")
    ]
    assert needed == ["esbuild"]


def test_the_built_extension_is_what_jupyterlab_reads(built: Path) -> None:
    description = read_json(built / "package.json")
    assert description["name"] == "workbench"
    assert description["version"] == workbench.__version__
    build = description["jupyterlab"]["_build"]
    assert (built / build["load"]).is_file()
    assert [path.name for path in (built / "static").iterdir()] == [Path(build["load"]).name]
    assert read_json(built / "install.json")["packageName"] == "workbench"
    for schema in (EXTENSION / "schema").iterdir():
        assert (built / "schemas" / "workbench" / schema.name).read_bytes() == schema.read_bytes()


def test_the_built_extension_carries_nothing_of_jupyterlab(built: Path) -> None:
    description = read_json(built / "package.json")
    script = (built / description["jupyterlab"]["_build"]["load"]).read_text(encoding="utf-8")
    shared = description["dependencies"]
    assert "@jupyterlab/application" in shared
    assert all(re.match("@(jupyterlab|lumino)/", name) for name in shared)
    for name in shared:
        assert f'"{name}"' in script
    assert "node_modules" not in script


def test_every_address_in_the_scripts_is_a_name_and_not_a_request(built: Path) -> None:
    scripts = [*built.glob("static/*.js"), *(ROOT / "workbench/notebook/static").glob("widget.*")]
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[\w./-]+", text)) <= names, script.name


def test_the_schemas_and_the_plugins_agree() -> None:
    for schema in (EXTENSION / "schema").glob("*.json"):
        plugin = f'"workbench:{schema.stem}"'
        sources = (EXTENSION / "src" / "lab").glob("*.ts")
        assert any(plugin in source.read_text(encoding="utf-8") for source in sources), plugin


def run_hatchling(folder: Path, *arguments: str, root: Path = ROOT) -> None:
    """Builds without an isolated environment, and so without the network."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder), *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def source_distribution(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not os.environ.get("CI"):
        pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("sdist")
    run_hatchling(folder, "-t", "sdist")
    (archive,) = folder.iterdir()
    return archive


def test_a_source_distribution_builds_without_node(
    source_distribution: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(source_distribution) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    assert not list(unpacked.rglob("node_modules"))
    monkeypatch.setenv("PATH", str(tmp_path))
    run_hatchling(tmp_path / "wheel", "-t", "wheel", root=unpacked)
    (wheel,) = (tmp_path / "wheel").iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    shared = f"workbench-{workbench.__version__}.data/data/share/jupyter/"
    load = read_json(BUILT / "package.json")["jupyterlab"]["_build"]["load"]
    for wanted in (
        f"{shared}labextensions/workbench/package.json",
        f"{shared}labextensions/workbench/install.json",
        f"{shared}labextensions/workbench/{load}",
        f"{shared}labextensions/workbench/schemas/workbench/graph.json",
        f"{shared}kernels/workbench/kernel.json",
        f"{shared}kernels/workbench/logo-svg.svg",
        "workbench/notebook/static/widget.js",
        "workbench/notebook/static/widget.css",
        "workbench/lab/config/labconfig/default_setting_overrides.json",
        *(f"workbench/examples/{path.name}" for path in (ROOT / "examples").glob("*.ipynb")),
    ):
        assert wanted in names
    # Not twice: JupyterLab reads the shared copy.
    assert not [name for name in names if name.startswith("workbench/labextension/")]
