"""The kernel spec starts a real kernel with the workbench loaded."""

from __future__ import annotations

import importlib.util
import os
import struct
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "kernels" / "workbench"
DEADLINE = 60.0

if importlib.util.find_spec("ipykernel") is None or not importlib.util.find_spec("jupyter_client"):
    if os.environ.get("CI"):
        raise ModuleNotFoundError("ipykernel and jupyter_client are part of the test extra")
    pytest.skip("ipykernel or jupyter_client is missing", allow_module_level=True)


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a kernel started from the spec, as installed in a prefix of its own."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    installed = KernelSpecManager().install_kernel_spec(str(SPEC), prefix=str(tmp_path))
    specs = KernelSpecManager(kernel_dirs=[str(Path(installed).parent)])
    manager = KernelManager(kernel_name="workbench", kernel_spec_manager=specs)
    manager.start_kernel()
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=DEADLINE)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def evaluate(client: Any, expression: str) -> str:
    """The text of an expression's value, or the error it ended with."""
    reply = client.execute_interactive(
        "",
        user_expressions={"value": expression},
        timeout=DEADLINE,
        output_hook=lambda message: None,
        stdin_hook=lambda message: None,
    )
    value = reply["content"]["user_expressions"]["value"]
    return value["data"]["text/plain"] if value["status"] == "ok" else repr(value)


def test_starts_with_the_workbench_under_both_names(kernel: Any) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert evaluate(kernel, "wb.__version__") == repr(project["version"])
    assert evaluate(kernel, "tf is wb") == "True"


def test_starts_with_the_extension_loaded(kernel: Any) -> None:
    loaded = "'workbench.notebook.extension' in get_ipython().extension_manager.loaded"
    assert evaluate(kernel, loaded) == "True"
    targets = "get_ipython().kernel.comm_manager.targets"
    assert evaluate(kernel, f"'workbench.control' in {targets}") == "True"


def test_shows_errors_of_the_graph_first_with_the_users_line(kernel: Any) -> None:
    message: dict[str, Any] = {}

    def keep(output: dict[str, Any]) -> None:
        if output["msg_type"] == "error":
            message.update(output["content"])

    kernel.execute_interactive(
        "a = wb.zeros([2, 3])\nb = wb.zeros([2, 3])\nwb.matmul(a, b)",
        timeout=DEADLINE,
        output_hook=keep,
    )
    assert message["ename"] == "ValueError"
    assert "wb.matmul(a, b)" in message["evalue"].splitlines()[0]


def test_has_a_name_and_pictures() -> None:
    from jupyter_client.kernelspec import KernelSpec

    spec = KernelSpec.from_resource_dir(str(SPEC))
    assert spec.display_name == "Workbench"
    for size in (32, 64):
        header = (SPEC / f"logo-{size}x{size}.png").read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", header[16:]) == (size, size)
    assert "<svg" in (SPEC / "logo-svg.svg").read_text(encoding="utf-8")
