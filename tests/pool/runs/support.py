"""What tests of runs elsewhere expect of them, sooner or later."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import workbench as wb
from tests.live.support import PATIENCE


def values_of(run: Any) -> dict[str, Any]:
    return dict(run.eval({v.name: v for v in wb.global_variables()}))


def assert_equal_runs(one: Any, other: Any) -> None:
    assert np.array_equal(one.history.steps, other.history.steps)
    assert np.array_equal(one.history["loss"], other.history["loss"])
    ours, theirs = values_of(one), values_of(other)
    assert ours and ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert np.array_equal(value, theirs[name]), name


def eventually(is_so: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)
