"""Runs one file of TensorFlow's unit tests in this process, an engine in TensorFlow's place.

    python -m tests.peers.unit_test_process ENGINE FILE RESULTS [--only TEXT] [--test-timeout N]

`run_unit_tests` starts it. Each result is a line of JSON, written as soon as the test has ended, so
that a crash loses one test.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import json
import resource
import signal
import sys
import time
import traceback
import unittest
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any

from tests.peers import engines, support

GIBIBYTE = 2**30


class TestTimeout(BaseException):
    """A test took too long. Not an Exception, lest a test's assertRaises catch it."""

    __test__ = False


class Recorder(unittest.TestResult):
    """Writes what became of each test."""

    def __init__(self, path: Path, seconds: float, engine: ModuleType, fresh_graphs: bool) -> None:
        super().__init__()
        self._file = path.open("a", encoding="utf-8")
        self._seconds = seconds
        self._engine = engine
        self._fresh_graphs = fresh_graphs
        self._started = 0.0
        self._outcome = ("passed", "", "")

    def close(self) -> None:
        """Close the file of results."""
        self._file.close()

    def write(self, test: str, outcome: str, reason: str, details: str, seconds: float) -> None:
        """One line."""
        line = {
            "test": test,
            "outcome": outcome,
            "reason": reason,
            "details": details,
            "seconds": round(seconds, 3),
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def startTest(self, test: unittest.TestCase) -> None:
        """Start the clock, in a new graph."""
        super().startTest(test)
        self._outcome = ("passed", "", "")
        if self._fresh_graphs:
            self._engine.reset_default_graph()
        self._started = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def stopTest(self, test: unittest.TestCase) -> None:
        """Write the result."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.write(test_name(test), *self._outcome, time.monotonic() - self._started)
        super().stopTest(test)

    def _note(self, outcome: str, error: Any) -> None:
        kind, value, trace = error
        reason = f"{kind.__name__}: {support.summary(str(value))}"
        self._outcome = (outcome, reason, self._where(kind, value, trace))

    @staticmethod
    def _where(kind: type[BaseException], value: BaseException, trace: TracebackType | None) -> str:
        """The end of the traceback."""
        return "".join(traceback.format_exception(kind, value, trace, limit=-6))[-3000:]

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        """An error, or a timeout."""
        self._note("timeout" if err[0] is TestTimeout else "error", err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        """An assertion that did not hold."""
        self._note("failed", err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        """A part of a test: its failure is the test's."""
        if err is not None:
            self._note("failed" if issubclass(err[0], AssertionError) else "error", err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        """A skipped test."""
        self._outcome = ("skipped", reason, "")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        """A test that should have failed."""
        self._outcome = ("failed", "unexpected success", "")


def test_name(test: unittest.TestCase) -> str:
    """`Class.method`."""
    return f"{type(test).__name__}.{test._testMethodName}"


def cases(module: ModuleType) -> Iterator[unittest.TestCase]:
    """The tests of a module, one after the other."""
    todo: list[Any] = [unittest.defaultTestLoader.loadTestsFromModule(module)]
    while todo:
        each = todo.pop(0)
        if isinstance(each, unittest.TestSuite):
            todo = [*each, *todo]
        elif each._testMethodName not in ("test_session", "testSession"):
            yield each


def load(file: Path, inner: str = "tensorflow") -> ModuleType:
    """Execute a file of tests as a program, up to its call of `test.main`.

    Many files add tests just before that call, so they are no mere modules. What they import from
    `tensorflow.python` comes from below `inner`.
    """
    tree = ast.parse(file.read_bytes(), str(file))
    if inner != "tensorflow":
        redirect(tree, inner)
    module = ModuleType("__main__")
    module.__file__ = str(file)
    sys.modules["__main__"] = module
    with contextlib.suppress(support.EndOfFileError):
        exec(compile(tree, str(file), "exec"), module.__dict__)
    return module


def redirect(tree: ast.Module, inner: str) -> None:
    """Let the imports from `tensorflow.python` in a syntax tree name another package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            node.module = _redirected(node.module, inner)
        elif isinstance(node, ast.Import):
            for each in node.names:
                each.name = _redirected(each.name, inner)


def _redirected(name: str, inner: str) -> str:
    root, _, rest = name.partition(".")
    return f"{inner}.{rest}" if root == "tensorflow" and rest.startswith("python") else name


def root_of(file: Path) -> Path:
    """The folder in which a tree of `tensorflow/...` stands, or the file's own."""
    for folder in file.parents:
        if (folder / "tensorflow" / "python").is_dir():
            return folder
    return file.parent


def _out_of_time(number: int, frame: FrameType | None) -> None:
    raise TestTimeout("the test took too long")


def main(arguments: Sequence[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine")
    parser.add_argument("file", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--only", default="", help="run the tests whose names have this in them")
    parser.add_argument("--test-timeout", type=float, default=60.0)
    parser.add_argument("--memory", type=float, default=0.0, help="GiB of address space, 0 for all")
    options = parser.parse_args(arguments)
    if options.memory:
        limit = int(options.memory * GIBIBYTE)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, _out_of_time)
    file = options.file.resolve()
    engine = engines.install(options.engine, lenient=True, folders=[root_of(file)])
    oracle = options.engine == "tensorflow"
    if hasattr(engine, "test"):
        engine.test.main = support.end_of_file
    if not oracle:
        engine.Graph._kernel_label_map = support.any_kernels
    warnings.simplefilter("ignore")
    sys.argv = [str(file)]
    sys.path[0] = str(file.parent)
    # Tests name their data relative to the root of the tree.
    if (root_of(file) / "tensorflow").is_dir():
        Path("tensorflow").symlink_to(root_of(file) / "tensorflow")
    recorder = Recorder(options.results, options.test_timeout, engine, not oracle)
    try:
        module = load(file, engines.ORACLE_INNER if oracle else "tensorflow")
    except Exception as error:
        reason = f"{type(error).__name__}: {support.summary(str(error))}"
        recorder.write("(file)", "error", reason, traceback.format_exc(limit=-6), 0.0)
        recorder.close()
        return
    for case in cases(module):
        if options.only in test_name(case):
            case.run(recorder)
    recorder.close()


if __name__ == "__main__":
    main(sys.argv[1:])
