"""Anything at all, said to a roster, to a replica and to groups: no harm, and they go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.wire.ends import client
from tests.fuzzing import NUMBERS, WORDS, examples, json_of
from workbench.cluster.collectives.exchange import Exchange
from workbench.cluster.replication.circle import Circle
from workbench.cluster.replication.roster import Roster
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message

DEADLINE = 20.0
_ANYTHING = json_of(NUMBERS | WORDS, keys=WORDS)
_MARKS = st.lists(NUMBERS, min_size=2, max_size=4)
_VIEWS = st.fixed_dictionaries(
    {
        "epoch": NUMBERS,
        "members": st.lists(WORDS, max_size=3),
        "marks": st.lists(_MARKS, max_size=3),
    }
)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "member": WORDS | _ANYTHING,
        "mark": _MARKS | _ANYTHING,
        "missing": st.lists(WORDS, max_size=3) | _ANYTHING,
        "after": _VIEWS | _ANYTHING,
        "at_once": _ANYTHING,
        "certain": _ANYTHING,
        "stays": _ANYTHING,
        "training": _ANYTHING,
        "epoch": NUMBERS | _ANYTHING,
        "group": st.just("replicas") | _ANYTHING,
        "rank": NUMBERS | _ANYTHING,
        "operation": NUMBERS | _ANYTHING,
        "tag": st.lists(NUMBERS, max_size=3) | _ANYTHING,
    },
)
_KINDS = st.sampled_from(
    "ready leave keep view invite recall over roster collective ping ?".split()
)


class _Lines(logging.Handler):
    """What is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the wire has logged: nothing, where all that came was handled."""
    logger, handler = logging.getLogger("workbench.cluster"), _Lines()
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)


def _says(end: Endpoint, address: str, message: Message) -> None:
    """Says something, and that it was heard: what comes after it is answered, or comes back."""
    end.request(address, message, "nothing").add_done_callback(lambda answer: None)


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


@examples(60)
@given(said=st.lists(st.tuples(_KINDS, _FIELDS), min_size=1, max_size=4))
def test_a_roster_goes_on_whatever_it_is_told(said: Any, lines: list[str]) -> None:
    with Roster(replicas=2, grace=0.2) as roster, client() as end:
        for kind, fields in said:
            _says(end, roster.address, Message(kind, fields))
        view = {"epoch": 1 << 80, "members": [], "marks": []}
        kept = end.request(roster.address, Message("keep", {"after": view}), "an answer")
        assert kept.result(DEADLINE).kind == "kept"
        assert roster.members == () and "workbench-roster" in _threads()
    assert lines == []


@examples(60)
@given(said=st.lists(st.tuples(_KINDS, _FIELDS), min_size=1, max_size=4), has_array=st.booleans())
def test_a_replica_that_waits_to_be_let_in_goes_on(
    said: Any, has_array: bool, lines: list[str]
) -> None:
    arrays = (("x", np.ones(3)),) if has_array else ()
    heard = threading.Event()

    def other(sender: Any, message: Message) -> None:
        if message.kind == "last":
            heard.set()

    with Roster(replicas=1) as roster:
        circle = Circle(roster.address, "tcp://127.0.0.1:0", 5.0, 5.0, False, None, other)
        try:
            with client() as end:
                for kind, fields in said:
                    _says(end, circle.address, Message(kind, fields, arrays))
                end.send(circle.address, Message("last"))
                assert heard.wait(DEADLINE)
        finally:
            circle.leave()
    assert lines == []


@examples(60)
@given(said=st.lists(_FIELDS, min_size=1, max_size=5), size=st.integers(0, 5))
def test_a_group_takes_no_part_in_what_is_not_of_it(
    said: list[dict[str, Any]], size: int, lines: list[str]
) -> None:
    heard = threading.Event()
    exchange = Exchange(other=lambda sender, message: heard.set())
    try:
        group = exchange.open("replicas", 0, [exchange.address], 0)
        with client() as end:
            for fields in said:
                message = Message("collective", fields, [("", np.ones(size))] * size)
                end.send(exchange.address, message)
            end.send(exchange.address, Message("last"))
            assert heard.wait(DEADLINE)
        # Of one member nobody else's letters matter.
        assert group.all_gather([7]) == [[7]]
    finally:
        exchange.close()
    assert lines == []
