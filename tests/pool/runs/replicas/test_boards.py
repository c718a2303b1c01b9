"""The boards of a pool, asked by workers: who means an earlier board is told so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.core.errors import AbortedError
from workbench.pool.runs.replicas.board_client import BoardClient
from workbench.pool.runs.replicas.boards import Boards


@pytest.fixture
def boards() -> Iterator[Boards]:
    made = Boards()
    try:
        yield made
    finally:
        made.close()


def test_what_is_about_a_board_that_was_opened_again_is_refused(boards: Boards) -> None:
    """A replica of before the run ended must not speak for one of after."""
    before = BoardClient(boards.address, "run", "tcp://a:1", "worker 0")
    before.opening = before.ask("open", wanted=1, strategy="sync")["opening"]
    before.ask("enter", replica="tcp://a:2")
    after = BoardClient(boards.address, "run", "tcp://a:1", "worker 0")
    after.opening = after.ask("open", wanted=1, strategy="sync")["opening"]
    assert after.ask("enter", replica="tcp://a:3") == 1
    for command, fields in (
        ("words", {"since": 0, "hold": 0.0}),
        ("failed", {"error": {}}),
        ("leave", {"ends": True}),
        ("close", {}),
    ):
        with pytest.raises(AbortedError, match="are let go"):
            before.ask(command, **fields)
    words = after.ask("words", since=0, hold=0.0)["words"]
    assert [word["kind"] for word in words] == ["joined"]
