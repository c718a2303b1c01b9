"""Values that go with an answer."""

from __future__ import annotations

import pytest

from workbench.cluster.execution.enclosed import Enclosed, done, opened
from workbench.cluster.wire.message import Message
from workbench.core.errors import InvalidArgumentError

A, B, C = ("a:0", 1), ("b:0", 2), ("c:0", 3)


@pytest.mark.parametrize(
    ("results", "enclosed"),
    [
        ((), None),
        ((A, B), None),
        ((), Enclosed((), 3)),
        ((A,), Enclosed((B, C), None)),
        # A value may be for the user and for the leader.
        ((A, B), Enclosed((A,), 2)),
    ],
)
def test_what_is_enclosed_is_what_is_opened(results, enclosed):
    answer = done(dict(results), enclosed, (b"trace",))
    assert answer.kind == "done" and answer.blobs == (b"trace",)
    assert opened(answer) == (dict(results), enclosed)


@pytest.mark.parametrize(
    "fields",
    [
        {"enclosed": 2},
        {"enclosed": -1},
        {"enclosed": True},
        {"enclosed": 1.0},
        {"enclosed": "1"},
        {"enclosed": [1]},
        {"enclosed": 1, "ended": "0"},
        {"enclosed": 1, "ended": 0.5},
    ],
)
def test_an_answer_that_cannot_be_is_an_error(fields):
    with pytest.raises(InvalidArgumentError, match="encloses what it does not have"):
        opened(Message("done", fields, (A,)))
