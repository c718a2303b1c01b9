"""The end of a session closes all that it held, whatever fails in between."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as tf


class Resource:
    """Notes in a list that it was closed, and may fail in that."""

    def __init__(self, closed: list[str], name: str, failure: Exception | None = None) -> None:
        self._closed, self._name, self._failure = closed, name, failure

    def close(self) -> None:
        self._closed.append(self._name)
        if self._failure is not None:
            raise self._failure


@pytest.mark.parametrize("ends", [tf.Session.close, lambda s: s.state.forget(["a", "b", "c"])])
def test_one_that_fails_keeps_none_from_being_closed(ends: Any) -> None:
    closed: list[str] = []
    with tf.Graph().as_default():
        session = tf.Session()
    failures = {"b": OSError("no space left"), "c": OSError("later")}
    for name in "abc":
        resource = Resource(closed, name, failures.get(name))
        session.state.resources[name, "resource"] = resource
    session.state.resources["d", "plain"] = object()
    with pytest.raises(OSError, match="no space left"):
        ends(session)
    assert sorted(closed) == ["a", "b", "c"]
    session.close()
