"""The assertions and sessions of TensorFlow 1's TestCase, for engines that lack some of them."""

from __future__ import annotations

import contextlib
import re
import tempfile
import unittest
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tests.peers.support import _Thread

# Tolerances of the coarse types.
COARSE = {"float16": 1e-3, "bfloat16": 1e-2}


class Assertions(unittest.TestCase):
    """The methods TensorFlow's unit tests call on themselves."""

    engine: Any = None
    _cached: Any = None
    _folder: str | None = None

    def tearDown(self) -> None:
        """Close the session that the test's `test_session` calls shared."""
        if self._cached is not None:
            self._cached.close()
            self._cached = None
        super().tearDown()

    # Sessions and files -----------------------------------------------------------------------

    @contextlib.contextmanager
    def test_session(
        self,
        graph: Any = None,
        config: Any = None,
        use_gpu: bool = False,
        force_gpu: bool = False,
    ) -> Iterator[Any]:
        """A session; without `graph` the same one in the whole test."""
        if graph is not None:
            with graph.as_default(), self.engine.Session(graph=graph, config=config) as session:
                yield session
            return
        if self._cached is None:
            self._cached = self.engine.Session(config=config)
        with self._cached.graph.as_default(), self._cached.as_default():
            yield self._cached

    cached_session = test_session

    @contextlib.contextmanager
    def session(
        self,
        graph: Any = None,
        config: Any = None,
        use_gpu: bool = False,
        force_gpu: bool = False,
    ) -> Iterator[Any]:
        """A new session."""
        with self.engine.Session(graph=graph, config=config) as session:
            yield session

    def evaluate(self, tensors: Any) -> Any:
        """The values of tensors in the default session."""
        session = self.engine.get_default_session()
        if session is None:
            with self.test_session() as session:
                return session.run(tensors)
        return session.run(tensors)

    def get_temp_dir(self) -> str:
        """A folder of this test's own."""
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="peer_test_")
        return self._folder

    def checkedThread(
        self, target: Callable[..., Any], args: Any = None, kwargs: Any = None
    ) -> Any:
        """A thread whose errors fail the test when it is joined."""
        return _Thread(target, args, kwargs)

    # Values -------------------------------------------------------------------------------------

    def _value(self, value: Any) -> np.ndarray:
        if hasattr(value, "graph"):
            value = self.evaluate(value)
        return value if isinstance(value, np.ndarray) else np.array(value)

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Equal shapes and elements; NaN equals NaN."""
        a, b = self._value(a), self._value(b)
        self.assertEqual(a.shape, b.shape, msg)
        same = a == b
        if a.dtype.kind in "fc" and b.dtype.kind in "fc":
            same = same | (np.isnan(a) & np.isnan(b))
        if not np.all(same):
            self.fail(f"{msg or ''} not equal: {a!r} and {b!r}")

    def assertAllClose(
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None
    ) -> None:
        """Equal within tolerances, through dictionaries and sequences of unlike arrays too."""
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            self.assertEqual(set(a), set(b), msg)
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, msg)
            return
        try:
            a_array, b_array = self._value(a), self._value(b)
        except ValueError:
            a_array = b_array = np.array(None)
        if a_array.dtype == object or b_array.dtype == object:
            self.assertEqual(len(a), len(b), msg)
            for left, right in zip(a, b, strict=True):
                self.assertAllClose(left, right, rtol, atol, msg)
            return
        self.assertEqual(a_array.shape, b_array.shape, msg)
        for each in (a_array, b_array):
            if each.dtype.name == "bfloat16":
                rtol, atol = max(rtol, 1e-2), max(atol, 1e-2)
        wide = [x.astype(np.float64) if x.dtype.kind not in "c" else x for x in (a_array, b_array)]
        np.testing.assert_allclose(*wide, rtol=rtol, atol=atol, err_msg=msg or "")

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
        msg: str | None = None,
    ) -> None:
        """As `assertAllClose`, with the tolerance of the coarser of both types."""
        a, b = self._value(a), self._value(b)
        names = {a.dtype.name, b.dtype.name}
        if names & {"float32", "complex64"}:
            rtol, atol = max(rtol, float_rtol), max(atol, float_atol)
        if "float16" in names:
            rtol, atol = max(rtol, half_rtol), max(atol, half_atol)
        if "bfloat16" in names:
            rtol, atol = max(rtol, bfloat16_rtol), max(atol, bfloat16_atol)
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertNotAllClose(self, a: Any, b: Any, **keywords: Any) -> None:
        """Not equal within tolerances."""
        try:
            self.assertAllClose(a, b, **keywords)
        except AssertionError:
            return
        self.fail("The two values are close at all elements")

    def assertNear(self, f1: float, f2: float, err: float, msg: str | None = None) -> None:
        """Within `err`."""
        self.assertTrue(f1 == f2 or abs(f1 - f2) <= err, f"{f1} != {f2} +/- {err} {msg or ''}")

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float, msg: Any = None) -> None:
        """Each element within `err`."""
        self.assertEqual(len(farray1), len(farray2))
        for f1, f2 in zip(farray1, farray2, strict=True):
            self.assertNear(float(f1), float(f2), err, msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: Any = None) -> None:
        """The norm of the difference below `err`."""
        difference = float(np.linalg.norm(np.asarray(ndarray1) - np.asarray(ndarray2)))
        self.assertLess(difference, err, msg)

    def assertShapeEqual(self, np_array: Any, tf_tensor: Any, msg: Any = None) -> None:
        """The array's shape is the tensor's static one."""
        self.assertEqual(list(np_array.shape), tf_tensor.get_shape().as_list(), msg)

    def assertAllTrue(self, a: Any) -> None:
        """Every element is true."""
        self.assertTrue(np.all(self._value(a)))

    # Names, messages and errors -----------------------------------------------------------------

    def assertStartsWith(self, actual: str, expected_start: str, msg: Any = None) -> None:
        """A text's beginning."""
        self.assertTrue(actual.startswith(expected_start), msg or f"{actual!r}")

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: Any = None) -> None:
        """The same device, however it is spelled."""
        spec = self.engine.DeviceSpec.from_string
        texts = [
            device if isinstance(device, str) else device.to_string()
            for device in (device1 or "", device2 or "")
        ]
        self.assertEqual(*[spec(text).to_string() for text in texts], msg)

    def assertProtoEquals(
        self, expected_message_maybe_ascii: Any, message: Any, msg: Any = None
    ) -> None:
        """Equal messages; the first may be text."""
        from google.protobuf import text_format

        expected = expected_message_maybe_ascii
        if isinstance(expected, str):
            expected = text_format.Merge(expected, type(message)())
        self.assertEqual(
            text_format.MessageToString(expected), text_format.MessageToString(message), msg
        )

    def assertProtoEqualsVersion(
        self, expected: str, actual: Any, producer: int | None = None, min_consumer: int = 0
    ) -> None:
        """Equal graphs of the present version."""
        if producer is None:
            producer = self.engine.GRAPH_DEF_VERSION
        versions = f"versions {{ producer: {producer} min_consumer: {min_consumer} }}"
        if min_consumer == 0:
            versions = f"versions {{ producer: {producer} }}"
        self.assertProtoEquals(f"{expected} {versions}", actual)

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Iterator[None]:
        """An error whose message matches, or of which a predicate holds."""
        try:
            yield
        except exception_type as error:
            if callable(expected_err_re_or_predicate):
                matches = expected_err_re_or_predicate(error)
            else:
                text = f"{getattr(error, 'message', error)}\n{error}"
                matches = re.search(expected_err_re_or_predicate, text)
            if not matches:
                raise AssertionError(f"Exception of type {type(error)}: {error}") from error
        else:
            self.fail(f"{exception_type} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """An error at run time whose message matches."""
        return self.assertRaisesWithPredicateMatch(
            self.engine.errors.OpError, expected_err_re_or_predicate
        )

    assertItemsEqual = unittest.TestCase.assertCountEqual


# The older spellings of unittest, where this Python has lost them.
for _old, _new in {
    "assertEquals": "assertEqual",
    "assertNotEquals": "assertNotEqual",
    "assertAlmostEquals": "assertAlmostEqual",
    "assertRaisesRegexp": "assertRaisesRegex",
    "assertRegexpMatches": "assertRegex",
    "assert_": "assertTrue",
}.items():
    setattr(Assertions, _old, getattr(unittest.TestCase, _new))
