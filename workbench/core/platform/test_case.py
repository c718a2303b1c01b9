"""`tf.test.TestCase`."""

from __future__ import annotations

import contextlib
import random
import re
import tempfile
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph import context, versions
from workbench.core.platform.array_assertions import ArrayAssertions
from workbench.core.platform.checked_thread import CheckedThread
from workbench.core.runtime.session import Session, get_default_session

_SEED = 87654321


def _rounded(text: str) -> str:
    """A message's text with twelve digits of each number."""
    numbers = r"(?<=: )-?\d+\.\d+(e[-+]?\d+)?$"
    return re.sub(numbers, lambda found: f"{float(found[0]):.12g}", text, flags=re.MULTILINE)


class TestCase(ArrayAssertions):
    """A test case with sessions and comparisons of arrays.

    Each test starts with an empty default graph and fixed random seeds.
    """

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self._threads: list[CheckedThread] = []
        self._folder: str | None = None
        self._cached: Any = None

    def setUp(self) -> None:
        """Seeds and an empty default graph."""
        self._clear_cached_session()
        random.seed(_SEED)
        np.random.seed(_SEED)
        context.reset_default_graph()
        context.get_default_graph().seed = _SEED

    def tearDown(self) -> None:
        """Checks the threads of the test and closes its session."""
        for thread in self._threads:
            thread.check_termination()
        self._clear_cached_session()

    def _clear_cached_session(self) -> None:
        if self._cached is not None:
            self._cached.close()
            self._cached = None

    def get_temp_dir(self) -> str:
        """A folder for the files of this test, the same one at each call."""
        if self._folder is None:
            from workbench.core.platform import test

            self._folder = tempfile.mkdtemp(dir=test.get_temp_dir())
        return self._folder

    # -- sessions ----------------------------------------------------------------------------

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
    cached_session = test_session

    @contextlib.contextmanager
    def session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Any]:
        """A session of its own."""
        with Session(graph=graph, config=config) as session:
            yield session

    def evaluate(self, tensors: Any) -> Any:
        """The values of tensors in the default session, else in the test's."""
        session = get_default_session()
        if session is not None:
            return session.run(tensors)
        with self.test_session() as session:
            return session.run(tensors)

    def checkedThread(
        self, target: Callable[..., Any], args: Any = None, kwargs: Any = None
    ) -> CheckedThread:
        """A thread, to be started, whose error fails the test; it must be joined."""
        thread = CheckedThread(self, target, args, kwargs)
        self._threads.append(thread)
        return thread

    # -- assertions --------------------------------------------------------------------------

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: str | None = None) -> None:
        """Fails unless two device names mean the same."""
        from workbench.core.graph.device import canonical_name

        self.assertEqual(canonical_name(device1), canonical_name(device2), msg)

    def assertProtoEquals(
        self, expected_message_maybe_ascii: Any, message: Any, msg: str | None = None
    ) -> None:
        """Fails unless a message equals another one, or its text form, to twelve digits."""
        from google.protobuf import text_format

        expected = expected_message_maybe_ascii
        if isinstance(expected, (str, bytes)):
            expected = text_format.Parse(expected, type(message)())
        elif type(expected).__name__ != type(message).__name__:
            self.fail(f"Can't compare protos of type {type(expected)} and {type(message)}")
        self.assertEqual(_rounded(str(expected)), _rounded(str(message)), msg)

    def assertProtoEqualsVersion(
        self,
        expected: str,
        actual: Any,
        producer: int = versions.GRAPH_DEF_VERSION,
        min_consumer: int = versions.GRAPH_DEF_VERSION_MIN_CONSUMER,
        msg: str | None = None,
    ) -> None:
        """As `assertProtoEquals` of a GraphDef's text, to which its versions are added."""
        consumer = f" min_consumer: {min_consumer}" if min_consumer else ""
        stated = f"versions {{ producer: {producer}{consumer} }}\n{expected}"
        self.assertProtoEquals(stated, actual, msg)

    def assertStartsWith(self, actual: str, expected_start: str, msg: str | None = None) -> None:
        """Fails unless a text starts with another."""
        if not actual.startswith(expected_start):
            self.fail(f"{actual!r} does not start with {expected_start!r} {msg or ''}")

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Iterator[None]:
        """Fails unless the block raises an error whose text matches, or for which a function
        of the error is true."""
        try:
            yield
        except exception_type as error:
            if not _matches(error, expected_err_re_or_predicate):
                raise AssertionError(
                    f"Exception of type {type(error)}: {error} does not match "
                    f"{expected_err_re_or_predicate!r}"
                ) from error
        else:
            self.fail(f"{exception_type.__name__} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """Fails unless the block raises a tf.errors.OpError whose text matches."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    assertItemsEqual = unittest.TestCase.assertCountEqual
    assertRaisesRegexp = unittest.TestCase.assertRaisesRegex
    assertRegexpMatches = unittest.TestCase.assertRegex


def _matches(error: Any, expected: Any) -> bool:
    if callable(expected):
        return bool(expected(error))
    text = str(error)
    op = getattr(error, "op", None)
    if op is not None:
        text += f"\nCaused by: {op.name}"
    return re.search(expected, text) is not None
