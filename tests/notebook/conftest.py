"""A hub, and a kernel for the tests that need a real one."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.notebook.hub import Hub


@pytest.fixture
def hub() -> Iterator[Hub]:
    """What views in this process talk to."""
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A kernel in which the workbench is imported under both names."""
    if not all(map(importlib.util.find_spec, ("ipykernel", "jupyter_client"))):
        if os.environ.get("CI"):
            raise ModuleNotFoundError("ipykernel and jupyter_client are part of the test extra")
        pytest.skip("ipykernel or jupyter_client is missing")
    from tests.notebook.kernel_client import Kernel

    folder: Path = tmp_path_factory.mktemp("kernel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        kernel = Kernel(folder)
        try:
            kernel.start()
            kernel.execute("import workbench as wb\nimport workbench as tf")
            kernel.execute("%load_ext workbench")
            yield kernel
        finally:
            kernel.close()
