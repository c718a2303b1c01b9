"""`tf.test`: help for tests of code that builds graphs."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import unittest
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock as mock

import numpy as np

from workbench.core.gradients.checking import compute_gradient, compute_gradient_error
from workbench.core.graph import context
from workbench.core.runtime.session import Session, get_default_session

__all__ = [
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
    """The path of a file beside the running test program."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), relative_path)


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


def main(argv: Any = None) -> None:
    """Runs the tests of the calling program."""
    from workbench.core.platform import app

    app.run(main=lambda _: unittest.main(argv=argv), argv=argv)


def assert_equal_graph_def(actual: Any, expected: Any, checkpoint_v2: bool = False) -> None:
    """Raises AssertionError with the first difference unless two GraphDefs are equal."""
    for value, what in ((actual, "actual"), (expected, "expected")):
        if not hasattr(value, "node"):
            raise TypeError(f"Expected tf.GraphDef for {what}, got {type(value).__name__}")
    found = {n.name: n for n in actual.node}
    wanted = {n.name: n for n in expected.node}
    missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing or extra:
        raise AssertionError(f"GraphDefs differ: missing nodes {missing}, extra nodes {extra}")
    for name, node in wanted.items():
        if found[name].SerializeToString(deterministic=True) != node.SerializeToString(
            deterministic=True
        ):
            raise AssertionError(f"Node {name!r} differs:\n{found[name]}\nexpected\n{node}")


def _rounded(text: str) -> str:
    """A message's text with twelve digits of each number."""
    numbers = r"(?<=: )-?\d+\.\d+(e[-+]?\d+)?$"
    return re.sub(numbers, lambda found: f"{float(found[0]):.12g}", text, flags=re.MULTILINE)


class TestCase(unittest.TestCase):
    """A test case with sessions and comparisons of arrays.

    Each test starts with an empty default graph and fixed random seeds.
    """

    def setUp(self) -> None:
        """Seeds and an empty default graph."""
        np.random.seed(87654321)
        context.reset_default_graph()
        context.get_default_graph().seed = 87654321
        self._cached: Any = None
        self._folder: str | None = None

    def get_temp_dir(self) -> str:
        """A folder for the files of this test, the same one at each call."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(dir=get_temp_dir())
        return self._folder

    @contextlib.contextmanager
    def test_session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Any]:
        """A session; without a graph, the same one for the whole test."""
        if graph is not None:
            with Session(graph=graph, config=config) as session:
                yield session
            return
        if self._cached is None:
            self._cached = Session(config=config)
        with self._cached.graph.as_default(), self._cached.as_default():
            yield self._cached

    setattr(test_session, "__test__", False)  # noqa: B010 - its name is TensorFlow's
    session = cached_session = test_session

    def evaluate(self, tensors: Any) -> Any:
        """The values of tensors in the default session, else in the test's."""
        session = get_default_session()
        if session is not None:
            return session.run(tensors)
        with self.test_session() as session:
            return session.run(tensors)

    def assertNear(self, f1: Any, f2: Any, err: float, msg: str | None = None) -> None:
        """Fails unless the numbers differ by at most `err`."""
        self.assertTrue(
            f1 == f2 or abs(f1 - f2) <= err, f"{f1!r} != {f2!r} +/- {err!r} {msg or ''}"
        )

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float) -> None:
        """Fails unless the sequences have pairs that differ by at most `err`."""
        self.assertEqual(len(farray1), len(farray2))
        for f1, f2 in zip(farray1, farray2, strict=True):
            self.assertNear(float(f1), float(f2), err)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float) -> None:
        """Fails unless the distance of the arrays is below `err`."""
        difference = np.linalg.norm(np.asarray(ndarray1) - np.asarray(ndarray2))
        self.assertTrue(difference < err, f"distance {difference} is not below {err}")

    def assertAllClose(
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None
    ) -> None:
        """Fails unless arrays, or structures of them, are equal within tolerances."""
        if isinstance(a, dict):
            self.assertEqual(a.keys(), b.keys())
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, f"{key} {msg or ''}")
            return
        if isinstance(a, (list, tuple)) and any(np.ndim(x) != np.ndim(a[0]) for x in a):
            self.assertEqual(len(a), len(b))
            for x, y in zip(a, b, strict=True):
                self.assertAllClose(x, y, rtol, atol, msg)
            return
        first, second = _numbers(a), _numbers(b)
        if 2 in (first.dtype.itemsize, second.dtype.itemsize):
            rtol, atol = max(rtol, 1e-3), max(atol, 1e-3)
        if first.dtype.kind == "V":
            first = first.astype(np.float32)
        if second.dtype.kind == "V":
            second = second.astype(np.float32)
        self.assertEqual(first.shape, second.shape, msg)
        np.testing.assert_allclose(first, second, rtol=rtol, atol=atol, err_msg=msg or "")

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
    ) -> None:
        """As `assertAllClose`, with tolerances by the arrays' type."""
        kinds = {_numbers(a).dtype.name, _numbers(b).dtype.name}
        if kinds & {"float32", "complex64"}:
            rtol, atol = max(rtol, float_rtol), max(atol, float_atol)
        if "float16" in kinds:
            rtol, atol = max(rtol, half_rtol), max(atol, half_atol)
        if "bfloat16" in kinds:
            rtol, atol = max(rtol, bfloat16_rtol), max(atol, bfloat16_atol)
        self.assertAllClose(a, b, rtol, atol)

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fails unless arrays have the same shape and elements; NaN equals NaN."""
        first, second = _numbers(a), _numbers(b)
        self.assertEqual(first.shape, second.shape, msg)
        if first.dtype == object or second.dtype == object:
            self.assertEqual(_text(first), _text(second), msg)
            return
        np.testing.assert_array_equal(first, second, err_msg=msg or "")

    def assertShapeEqual(self, np_array: Any, tf_tensor: Any) -> None:
        """Fails unless a tensor has the static shape of an array."""
        self.assertAllEqual(np_array.shape, tf_tensor.get_shape().as_list())

    def assertDeviceEqual(self, device1: Any, device2: Any) -> None:
        """Fails unless two device names mean the same."""
        from workbench.core.graph.device import canonical_name

        self.assertEqual(canonical_name(device1), canonical_name(device2))

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: Any) -> None:
        """Fails unless a message equals another one, or its text form, to twelve digits."""
        from google.protobuf import text_format

        expected = expected_message_maybe_ascii
        if isinstance(expected, str):
            expected = text_format.Parse(expected, type(message)())
        self.assertEqual(_rounded(str(expected)), _rounded(str(message)))

    def assertStartsWith(self, actual: str, expected_start: str, msg: str | None = None) -> None:
        """Fails unless a text starts with another."""
        self.assertTrue(
            actual.startswith(expected_start), f"{actual!r} does not start with {expected_start!r}"
        )

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Iterator[None]:
        """Fails unless the block raises an error whose text matches."""
        import re

        matches: Callable[[Any], bool]
        if callable(expected_err_re_or_predicate):
            matches = expected_err_re_or_predicate
        else:

            def matches(error: Any) -> bool:
                return re.search(expected_err_re_or_predicate, str(error)) is not None

        try:
            yield
        except exception_type as error:
            if not matches(error):
                raise AssertionError(
                    f"{error!r} does not match {expected_err_re_or_predicate!r}"
                ) from error
        else:
            self.fail(f"{exception_type} was not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """Fails unless the block raises a tf.errors.OpError whose text matches."""
        from workbench.core import errors

        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    assertItemsEqual = unittest.TestCase.assertCountEqual
    assertRaisesRegexp = unittest.TestCase.assertRaisesRegex
    assertRegexpMatches = unittest.TestCase.assertRegex


def _numbers(value: Any) -> np.ndarray[Any, Any]:
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], (str, bytes)):
        return np.array(value, dtype=object)
    return np.asarray(value)


def _text(array: np.ndarray[Any, Any]) -> list[Any]:
    return [v.encode() if isinstance(v, str) else v for v in array.reshape(-1).tolist()]
