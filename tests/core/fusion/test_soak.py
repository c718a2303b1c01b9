"""Long training in a process of its own: nothing grows, and the tiers stay together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from workbench.core.codegen import host

pytestmark = pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here")

#: How long the long one takes, in seconds.
LONG = float(os.environ.get("WORKBENCH_SOAK_SECONDS", "600"))


def soak(seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.core.fusion.soak", str(seconds)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 100, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_some_seconds() -> None:
    found = soak(8)
    assert min(found["steps"]) > 100


@pytest.mark.slow
@pytest.mark.timeout(LONG + 120)
def test_ten_minutes() -> None:
    found = soak(LONG)
    assert min(found["steps"]) > 10 * LONG
    print(found)
