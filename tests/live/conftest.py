"""Fixtures of the tests of runs."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def one_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has runs that know nothing of each other give the same numbers: none changes its tier.

    Where each begins interpreted and goes on compiled, it does so at a step of its own.
    """
    if os.environ.get("WORKBENCH_TIER") != "compiled":
        monkeypatch.setenv("WORKBENCH_TIER", "interpreted")
