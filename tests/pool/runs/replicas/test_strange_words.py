"""Anything at all, asked of the boards of a pool: an answer or an error of the asker's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster.wire.ends import client
from tests.fuzzing import NUMBERS, WORDS, examples, json_of
from workbench.cluster.remote_errors import from_fields
from workbench.cluster.wire.message import Message
from workbench.core import errors
from workbench.pool.runs.replicas.board_client import BoardClient
from workbench.pool.runs.replicas.boards import Boards
from workbench.pool.runs.replicas.open_board import KIND

DEADLINE = 20.0
_ANYTHING = json_of(NUMBERS | WORDS, keys=WORDS)
_FIELDS = st.dictionaries(
    st.sampled_from(
        "run worker name wanted strategy replica why ends error words pace number since hold "
        "opening".split()
    ),
    NUMBERS | WORDS | _ANYTHING,
    max_size=8,
)


@pytest.fixture(scope="module")
def boards() -> Iterator[Boards]:
    """The boards of a pool, which look at those who wait often."""
    with closing(Boards()) as made:
        yield made


@examples(150)
@given(
    command=st.sampled_from(
        "open who enter leave failed post pace rests restless close words none".split()
    ),
    fields=_FIELDS,
)
def test_whatever_is_asked_is_answered(boards: Boards, command: str, fields: Any) -> None:
    hold = fields.get("hold")
    if isinstance(hold, (int, float)) and hold > 0:
        # The test does not wait for words that are not said.
        fields["hold"] = 0
    with client() as end:
        asked = Message(KIND, {**fields, "command": command})
        answer = end.request(boards.address, asked, "an answer").result(DEADLINE)
    if answer.kind == "error":
        error = from_fields(answer.fields, "there")
        assert not isinstance(error, errors.InternalError), error.message
        assert len(error.message) < 1000


def test_they_go_on_after_all_that(boards: Boards) -> None:
    leader = BoardClient(boards.address, "another", "tcp://127.0.0.1:9", "worker 0")
    leader.opening = leader.ask("open", wanted=1, strategy="sync")["opening"]
    assert leader.ask("enter", replica="tcp://127.0.0.1:8") == 1
    assert leader.ask("post", words=[{"kind": "said"}]) == 2
    assert [w["kind"] for w in leader.ask("words", since=0, hold=0.0)["words"]] == [
        "joined",
        "said",
    ]
    leader.ask("close")
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("workbench-boards") == 1
