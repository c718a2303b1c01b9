"""`tf.test`: each assertion holds and fails where it should; threads, stubs, measurements."""

from __future__ import annotations

import math
import re
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.graph import versions


@pytest.fixture
def case() -> Any:
    made = tf.test.TestCase()
    made.setUp()
    yield made
    made.tearDown()


ONE = np.ones(2, np.float32)
PARTS = tf.SparseTensorValue([[0]], [1.0], [2])
HOLD: list[tuple[str, tuple[Any, ...]]] = [
    ("assertAllClose", ([1.0, 2.0], np.array([1.0, 2.0 + 1e-7]))),
    ("assertAllClose", ({"a": [1, (2.0, 3)]}, {"a": [1 + 1e-8, (2.0, 3)]})),
    ("assertAllClose", ([ONE, 3.0], (ONE, 3.0))),
    ("assertAllClose", ([1.0, np.nan, 9.0], [1.1, np.nan, 8.0], 0.0, [0.2, 0.0, 1.1])),
    (
        "assertAllClose",
        (
            tf.SparseTensorValue([[0]], [1.0], [2]),
            {"indices": [[0]], "values": [1.0], "dense_shape": [2]},
        ),
    ),
    ("assertAllCloseAccordingToType", (np.float16(1), np.float16(1.0009))),
    ("assertNotAllClose", ([1.0], [1.1])),
    ("assertAllEqual", ([1, np.nan], [1, np.nan])),
    ("assertAllEqual", ([["a"]], np.array([[b"a"]], object))),
    ("assertNear", (1.0, 1.1, 0.2)),
    ("assertArrayNear", ([1.0, 2], [1.1, 2], 0.2)),
    ("assertNDArrayNear", (ONE, ONE + 0.1, 0.2)),
    ("assertAllGreater", ([2, 3], 1)),
    ("assertAllGreaterEqual", ([1, 3], 1)),
    ("assertAllLess", ([2, 3], 4)),
    ("assertAllLessEqual", ([2, 4], 4)),
    ("assertAllInRange", ([0, 5], 0, 5)),
    ("assertAllInSet", ([[True], [False]], {True, False})),
    ("assertDTypeEqual", (ONE, "float32")),
    ("assertStartsWith", ("abc", "ab")),
    ("assertDeviceEqual", ("/device:CPU:0", "/cpu:0")),
]
FAIL: list[tuple[str, tuple[Any, ...], str]] = [
    ("assertAllClose", ([1.0, 2.0], [1.0, 2.1]), "Mismatched elements: 1 / 2"),
    ("assertAllClose", ({"a": [1, (2.0, 3)]}, {"a": [1, (2.5, 3)]}), r"\[a\]\[1\]"),
    ("assertAllClose", ([1.0, 9.0], [1.1, 8.0], 0.0, [0.2, 0.9]), r"at \[\[1\]\]: \[9.\], \[8.\]"),
    ("assertAllClose", ({"a": 1}, {"b": 1}), "mismatched keys"),
    ("assertAllClose", ([ONE, 3.0], [ONE]), "mismatched lengths"),
    ("assertAllClose", ([1.0], [1.0, 1.0]), "Shape mismatch"),
    ("assertNotAllClose", ([1.0], [1.0]), "close at all elements"),
    ("assertAllEqual", ([1], [2]), "Mismatched elements"),
    ("assertAllEqual", (["a"], ["b"]), "b'a'"),
    ("assertNear", (1.0, 1.3, 0.2), "1.0 != 1.3"),
    ("assertArrayNear", ([1.0], [1.0, 2.0], 1), "1 != 2"),
    ("assertNDArrayNear", (ONE, ONE + 1, 0.2), "distance"),
    ("assertAllGreater", ([2, 1], 1), r"greater than 1: those at \[\[1\]\]"),
    ("assertAllLess", ([2, 4], 4), "less than 4"),
    ("assertAllInRange", ([0, 5], 0, 5, True), r"in \(0, 5\]"),
    ("assertAllInSet", ([1, 2], {1}), r"in \[1\]"),
    ("assertAllInRange", ([b"a"], 0, 1), "are not numbers"),
    ("assertAllClose", (np.float16(1), np.float16(1.0009)), "Mismatched elements"),
    ("assertDTypeEqual", (ONE, "float64"), "float64"),
    ("assertStartsWith", ("abc", "b"), "does not start with 'b'"),
]


@pytest.mark.parametrize(("name", "arguments"), HOLD)
def test_assertions_that_hold(case: Any, name: str, arguments: Any) -> None:
    getattr(case, name)(*arguments)


@pytest.mark.parametrize(("name", "arguments", "message"), FAIL)
def test_assertions_that_fail(case: Any, name: str, arguments: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        getattr(case, name)(*arguments)


def test_errors_of_runs(case: Any) -> None:
    with case.test_session() as session:
        x = tf.placeholder(tf.float32, name="x")
        bad = tf.check_numerics(x, "not good", name="checked")
        with case.assertRaisesOpError("not good"):
            session.run(bad, {x: np.nan})
        with case.assertRaisesOpError(lambda error: error.op.name == "checked"):
            session.run(bad, {x: np.inf})
        with pytest.raises(AssertionError, match="does not match"), case.assertRaisesOpError("x y"):
            session.run(bad, {x: np.nan})
    with pytest.raises(AssertionError, match="OpError not raised"), case.assertRaisesOpError("x"):
        pass
    with pytest.raises(ZeroDivisionError), case.assertRaisesOpError("x"):
        raise ZeroDivisionError


def test_messages(case: Any) -> None:
    graph = tf.Graph()
    with graph.as_default():
        tf.no_op(name="nothing")
    definition = graph.as_graph_def()
    case.assertProtoEquals(definition, definition)
    case.assertProtoEqualsVersion("node { name: 'nothing' op: 'NoOp' }", definition)
    other = tf.GraphDef()
    other.versions.producer = versions.GRAPH_DEF_VERSION
    with pytest.raises(AssertionError, match="nothing"):
        case.assertProtoEquals(other, definition)
    with pytest.raises(AssertionError, match="Can't compare protos of type"):
        case.assertProtoEquals(tf.NodeDef(), definition)


def test_sessions(case: Any) -> None:
    with case.test_session() as first:
        v = tf.Variable(1)
        v.initializer.run()
    with case.test_session() as second:
        assert second is first
        assert v.eval() == 1
    assert case.evaluate(v) == 1
    with case.session() as other:
        assert other is not first
    case.assertAllClose([tf.constant(1.0), 2.0], [1.0, tf.constant(2.0)])
    with pytest.raises(ValueError, match="Can't compare dict to non-dict"):
        case.assertAllClose({"a": 1}, [1])
    case.assertShapeEqual(np.ones([2, 3]), tf.zeros([2, 3]))
    with pytest.raises(TypeError, match="must be a Numpy ndarray"):
        case.assertShapeEqual([1], tf.zeros([1]))
    case.setUp()
    assert tf.get_default_graph().seed == 87654321
    assert case.get_temp_dir() == case.get_temp_dir()


def test_threads(case: Any) -> None:
    found: list[int] = []
    good = case.checkedThread(found.append, args=(1,))
    good.start()
    good.join()
    assert found == [1]
    assert not good.is_alive()
    bad = case.checkedThread(lambda: 1 / 0)
    bad.start()
    with pytest.raises(AssertionError, match="Error in checkedThread: division by zero"):
        bad.join()


def test_threads_that_are_not_joined() -> None:
    case = tf.test.TestCase()
    case.setUp()
    stop = threading.Event()
    thread = case.checkedThread(stop.wait, args=(60,))
    thread.start()
    with pytest.raises(AssertionError, match="was not joined"):
        case.tearDown()
    stop.set()
    thread.join()
    case.tearDown()


class _Base:
    value = 1

    @staticmethod
    def fixed() -> str:
        return "old"


class _Derived(_Base):
    pass


def test_stubs() -> None:
    stubs = tf.test.StubOutForTesting()
    stubs.SmartSet(_Derived, "value", 2)
    # The attribute of the base was replaced, where it stands.
    assert _Base.value == 2
    stubs.Set(math, "tau", 6)
    stubs.Set(math, "tau", 7)
    stubs.Set(_Base, "fixed", lambda: "new")
    assert (math.tau, _Base.fixed()) == (7, "new")
    stubs.CleanUp()
    assert (_Base.value, math.tau) == (1, 2 * math.pi)
    assert _Base().fixed() == "old"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        stubs.SmartSet(_Derived, "nothing", 1)


def test_benchmarks(capsys: Any, monkeypatch: Any, tmp_path: Any) -> None:
    class Small(tf.test.Benchmark):
        def benchmark_sum(self) -> None:
            with tf.Graph().as_default(), tf.Session() as session:
                found = self.run_op_benchmark(
                    session, tf.constant(1) + 1, min_iters=3, extras={"threads": 2}, mbs=1.0
                )
            assert found["iters"] == 3
            assert found["throughput"] == pytest.approx(1 / found["wall_time"])

        def benchmark_other(self) -> None:
            self.report_benchmark(iters=1, wall_time=0.5, name="own name")

    assert tf.test.Benchmark.is_abstract()
    tf.test.main(["program", "--benchmarks=Small.*sum"])
    printed = capsys.readouterr().out
    assert re.search(r'entry \{\n  name: "Small.benchmark_sum"\n  iters: 3\n  wall_time', printed)
    assert 'key: "threads" value { double_value: 2.0 }' in printed
    assert "own name" not in printed
    monkeypatch.setenv("TEST_REPORT_FILE_PREFIX", str(tmp_path / "report_"))
    tf.test.main(["program", "--benchmarks=Small.*other"])
    assert 'name: "own name"' in (tmp_path / "report_own name").read_text()
    with pytest.raises(tf.errors.AlreadyExistsError):
        tf.test.main(["program", "--benchmarks=Small.*other"])


def test_source_files_are_found_in_folders_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = tmp_path / "package" / "tests"
    (tests / "data").mkdir(parents=True)
    (tmp_path / "package" / "data").mkdir()
    (tmp_path / "package" / "data" / "table").touch()
    monkeypatch.setattr(sys, "argv", [str(tests / "some_test.py")])
    found = tf.test.test_src_dir_path
    assert found("data") == str(tests / "data")
    assert found("data/table") == str(tmp_path / "package" / "data" / "table")
    assert found("data/nothing") == str(tests / "data" / "nothing")
