"""`tf.test`: help for tests of code that builds graphs."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from typing import Any
from unittest import mock as mock

from workbench.core.gradients.checking import compute_gradient, compute_gradient_error
from workbench.core.platform.benchmark import Benchmark, run_benchmarks
from workbench.core.platform.stubs import StubOutForTesting
from workbench.core.platform.test_case import TestCase

__all__ = [
    "Benchmark",
    "StubOutForTesting",
    "TestCase",
    "assert_equal_graph_def",
    "compute_gradient",
    "compute_gradient_error",
    "get_temp_dir",
    "gpu_device_name",
    "is_built_with_cuda",
    "is_gpu_available",
    "main",
    "mock",
    "test_src_dir_path",
]

_scratch: list[tempfile.TemporaryDirectory[str]] = []


def get_temp_dir() -> str:
    """A folder for the files of tests, removed when the process ends."""
    if not _scratch:
        _scratch.append(tempfile.TemporaryDirectory(prefix="workbench-test-"))
    return _scratch[0].name


def test_src_dir_path(relative_path: str) -> str:
    """The path of a file of the tests' source tree.

    It is looked for beside the running test program, and in the folders around it.
    """
    beside = os.path.dirname(os.path.abspath(sys.argv[0]))
    folder = beside
    while not os.path.exists(found := os.path.join(folder, relative_path)):
        if folder == os.path.dirname(folder):
            # It may be about to be written.
            return os.path.join(beside, relative_path)
        folder = os.path.dirname(folder)
    return found


# Its name is TensorFlow's; it is no test.
setattr(test_src_dir_path, "__test__", False)  # noqa: B010


def gpu_device_name() -> str:
    """The name of a GPU device: there is none."""
    return ""


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether there is a GPU to run on: programs run on processors."""
    return False


def is_built_with_cuda() -> bool:
    """Whether CUDA code is included: it is not."""
    return False


_BENCHMARKS = "--benchmarks="


def main(argv: Any = None) -> None:
    """Runs the tests of the calling program, or its measurements with `--benchmarks=REGEX`."""
    from workbench.core.platform import app

    given = list(sys.argv if argv is None else argv)
    patterns = [a.removeprefix(_BENCHMARKS) for a in given if a.startswith(_BENCHMARKS)]
    if patterns:
        run_benchmarks(patterns[-1])
        return
    app.run(main=lambda _: unittest.main(argv=argv), argv=argv)


def assert_equal_graph_def(actual: Any, expected: Any, checkpoint_v2: bool = False) -> None:
    """Raises AssertionError with the first difference unless two GraphDefs are equal."""
    for value, what in ((actual, "actual"), (expected, "expected")):
        if not hasattr(value, "node"):
            raise TypeError(f"Expected tf.GraphDef for {what}, got {type(value).__name__}")
    found = {n.name: n for n in actual.node}
    wanted = {n.name: n for n in expected.node}
    for name in sorted(found.keys() - wanted.keys()):
        raise AssertionError(f"Found unexpected node '{name}': {found[name]}")
    for name in sorted(wanted.keys() - found.keys()):
        raise AssertionError(f"Did not find expected node '{name}': {wanted[name]}")
    for name, node in wanted.items():
        if found[name].SerializeToString(deterministic=True) != node.SerializeToString(
            deterministic=True
        ):
            raise AssertionError(f"Node {name!r} differs:\n{found[name]}\nexpected\n{node}")
