"""What a worker answers to those who ask nonsense."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.fuzzing import json_of
from tests.live.support import PATIENCE, make_model
from workbench.cluster.wire.message import Message
from workbench.live.spec import Options, make_spec
from workbench.pool.runs import data
from workbench.pool.runs.data import CHUNK_BYTES, Chunks, ReceivedData
from workbench.pool.runs.host import RunHost
from workbench.pool.runs.package import pack
from workbench.pool.runs.service import COMMANDS

HAVE = {"life": None, "epoch": 0, "rows": 0, "events": 0}


@pytest.fixture
def host(tmp_path: Path) -> Iterator[RunHost]:
    made = RunHost(tmp_path)
    yield made
    made.close()


def began(host: RunHost) -> Message:
    model = make_model()
    options = Options()
    spec = make_spec(model.train, 5, {model.x: model.data.arrays[0], model.y: model.data.arrays[1]},
                     {"loss": model.loss}, options)  # fmt: skip
    package = pack(spec, None, 1)
    fields = {**package.fields, "run": "abc", "name": "one", "keep": True, "paused": True,
              "data": None, "have": HAVE}  # fmt: skip
    answer = host.answer("start", Message("service", fields, package.arrays, blobs=package.blobs))
    assert answer.kind == "update", answer.fields
    return answer


def test_the_service_names_all_that_can_be_asked(host: RunHost) -> None:
    assert sorted(COMMANDS) == sorted(host.commands)


JSON = json_of(st.integers() | st.floats() | st.text(max_size=8))
NAMES = ["run", "obey", "arguments", "have", "key", "described", "index", "observe", "tap", "name"]


def test_garbage_is_refused_and_changes_nothing(host: RunHost) -> None:
    began(host)
    run = host.runs.find("abc").run

    @settings(max_examples=60, deadline=None, database=None)
    @given(
        st.sampled_from([n for n in host.commands if n not in ("close", "delete")]),
        st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
        st.booleans(),
    )
    def ask(command: str, fields: dict[str, Any], of_the_run: bool) -> None:
        asked = {**fields, "hold": 0.0} | ({"run": "abc"} if of_the_run else {})
        answer = host.answer(command, Message("service", asked, blobs=(b"x",)))
        assert isinstance(answer, Message)
        kinds = ("refused", "hello", "runs", "update", "left", "graph", "data", "keeps")
        assert answer.kind in kinds

    ask()
    assert run.step_number == 0 and run.state == "paused" and run.history.events == []


@pytest.mark.parametrize(
    ("obey", "arguments"),
    [
        (None, {}),
        ("explode", {}),
        ("step", {}),
        ("step", {"count": True}),
        ("step", {"count": "9"}),
        ("step", {"count": 1, "more": 2}),
        ("set", {"values": [1]}),
        ("set", {"values": {"lr": None}}),
        ("fork", {"step": 0, "name": "../../outside", "values": {}, "paused": True}),
        ("watch", {"tensor": "loss:0", "when": "explode", "threshold": None}),
        ("evaluate", {"fetches": [["loss:0"]]}),
        ("__class__", {}),
    ],
)
def test_commands_that_are_none_are_refused(host: RunHost, obey: Any, arguments: Any) -> None:
    began(host)
    asked = {"run": "abc", "obey": obey, "arguments": arguments, "have": HAVE}
    answer = host.answer("obey", Message("service", asked))
    assert answer.kind == "refused" and answer.fields["refusal"]["message"]
    assert host.runs.find("abc").run.step_number == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "../up"),
        ("run", "../up"),
        ("targets", ["nothing"]),
        ("targets", 7),
        ("options", {"snapshot_bytes": -1}),
        ("options", {"explode": 1}),
        ("feed", {"kind": "function"}),
        ("steps", 0),
        ("data", "unknown"),
        ("version", "0.0.0"),
    ],
)
def test_runs_that_are_none_are_refused(host: RunHost, name: str, value: Any) -> None:
    model = make_model()
    spec = make_spec(model.train, 5, None, {}, Options())
    package = pack(spec, None, None)
    fields = {**package.fields, "run": "abc", "name": "one", "keep": True, "paused": True,
              "data": None, "have": HAVE, name: value}  # fmt: skip
    answer = host.answer("start", Message("service", fields, blobs=package.blobs))
    assert answer.kind == "refused"
    for blobs in ((), (b"no graph",), (package.blobs[0], b"no state")):
        assert host.answer("start", Message("service", fields, blobs=blobs)).kind == "refused"
    assert not host.runs.served


def test_a_run_of_an_earlier_life_is_as_it_ended(tmp_path: Path) -> None:
    first = RunHost(tmp_path)
    began(first)
    run = first.runs.find("abc").run
    run.step(3)
    run.stop()
    loss = run.history["loss"].tolist()
    first.close()
    second = RunHost(tmp_path)
    try:
        [card] = second.answer("list", Message("service", {})).fields["runs"]
        assert card["state"] == "stopped"
        asked = {"run": "abc", "have": HAVE, "hold": 0.0}
        assert second.answer("follow", Message("service", asked)).kind == "update"
        again = second.runs.find("abc").run
        again.wait(PATIENCE)
        assert again.state == "stopped" and again.step_number == 3
        assert again.history["loss"].tolist() == loss
        assert [e.kind for e in again.history.events] == ["stop"]
        assert again.rewind(1) == 1 and again.step(2) == 3
        assert again.history["loss"].tolist() == loss
    finally:
        second.close()


def test_two_who_ask_at_once_for_a_run_of_an_earlier_life_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = RunHost(tmp_path)
    began(first)
    first.runs.find("abc").run.stop()
    first.close()
    second = RunHost(tmp_path)
    both, asked, known = threading.Barrier(2), threading.local(), second.runs.known

    def known_by_none(key: str) -> Any:
        found = known(key)
        if not hasattr(asked, "once"):
            # Both have looked before either of them takes the run up.
            asked.once = both.wait(PATIENCE)
        return found

    monkeypatch.setattr(second.runs, "known", known_by_none)
    try:
        with ThreadPoolExecutor(2) as threads:
            one, other = threads.map(second.runs.find, ["abc", "abc"])
        assert one is other
        one.run.wait(PATIENCE)
        assert one.run.state == "stopped"
    finally:
        second.close()


def test_asking_twice_begins_one_run(host: RunHost) -> None:
    first, second = began(host), None
    with wb.Graph().as_default():
        second = began(host)
    assert second.fields["card"] == first.fields["card"] and len(host.runs.served) == 1


def test_data_comes_in_chunks_and_once(tmp_path: Path) -> None:
    arrays = [
        np.arange(CHUNK_BYTES // 4 + 3, dtype=np.float32),
        np.array([b"one", b"", b"three"], object),
    ]
    chunks, got = Chunks(arrays), ReceivedData(str(tmp_path))
    assert got.begin(chunks.key, chunks.described)
    pieces = list(chunks)
    assert len(pieces) == 3
    for fields, piece in reversed(pieces):
        got.add(fields, piece)
    got.end(chunks.key)
    assert not got.begin(chunks.key, chunks.described)
    found = got.find(chunks.key)
    assert found is not None and all(map(np.array_equal, found, arrays))


def test_two_send_the_same_data_at_a_time(tmp_path: Path) -> None:
    """Runs that begin together, and a replica of one of them, may have it sent to one worker."""
    chunks, got = Chunks([np.arange(CHUNK_BYTES // 4)]), ReceivedData(str(tmp_path))
    pieces = list(chunks)
    assert len(pieces) == 2
    assert got.begin(chunks.key, chunks.described)
    got.add(*pieces[0])
    assert got.begin(chunks.key, chunks.described)
    got.add(*pieces[1])
    got.end(chunks.key)
    # All is there: what the other one sends still, and ends with, changes nothing.
    for piece in pieces:
        got.add(*piece)
    got.end(chunks.key)
    found = got.find(chunks.key)
    assert found is not None and np.array_equal(found[0], np.arange(CHUNK_BYTES // 4))


def test_what_has_come_is_there_until_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has it sent says what it is for in another message: others send theirs meanwhile."""
    got, sets = ReceivedData(str(tmp_path)), [Chunks([np.full(3, n)]) for n in range(9)]
    for chunks in sets:
        assert got.begin(chunks.key, chunks.described)
        for piece in chunks:
            got.add(*piece)
        got.end(chunks.key)
    assert all(got.find(chunks.key) is not None for chunks in sets[::-1])
    # Those that were used first were let go.
    assert [got.find(chunks.key) is not None for chunks in sets] == [True] * 4 + [False] * 5
    # One that is there already, when it is announced, stays as long as one that comes.
    assert not got.begin(sets[0].key, sets[0].described)
    for chunks in sets[4:]:
        assert got.begin(chunks.key, chunks.described)
        for piece in chunks:
            got.add(*piece)
        got.end(chunks.key)
    assert got.find(sets[0].key) is not None
    for chunks in sets[4:]:
        got.find(chunks.key)
    # Those that nobody uses are let go too, after a while.
    monkeypatch.setattr(data, "_FRESH_SECONDS", 0.0)
    for chunks in sets[:5]:
        assert got.begin(chunks.key, chunks.described)
        for piece in chunks:
            got.add(*piece)
        got.end(chunks.key)
    assert [got.find(chunks.key) is not None for chunks in sets] == [False] + [True] * 4 + [
        False
    ] * 4


def test_data_that_is_removed_this_moment_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever deletes the last run that needs it may do so between two looks at it."""
    chunks, got = Chunks([np.arange(4)]), ReceivedData(str(tmp_path))
    monkeypatch.setattr("os.path.exists", lambda path: True)
    assert got.find(chunks.key) is None and got.begin(chunks.key, chunks.described)


def test_data_that_is_none_is_refused(tmp_path: Path) -> None:
    chunks, got = Chunks([np.arange(4)]), ReceivedData(str(tmp_path))
    for described in (None, [], [["int64", [4], -1]], [["int64", [4], 1 << 60]], [["int64"]]):
        with pytest.raises(wb.errors.OpError):
            got.begin(chunks.key, described)
    for key in (None, "", "../up", "a/b"):
        with pytest.raises(wb.errors.InvalidArgumentError):
            got.begin(key, chunks.described)
    got.begin(chunks.key, chunks.described)
    for fields in (
        {},
        {"index": 9, "start": 0},
        {"index": 0, "start": 25},
        {"index": 0, "start": -1},
    ):
        with pytest.raises(wb.errors.InvalidArgumentError):
            got.add({"key": chunks.key, **fields}, bytes(8))
    with pytest.raises(wb.errors.InvalidArgumentError, match="not what it was announced"):
        got.end(chunks.key)


def test_who_follows_waits_for_news_and_no_longer(host: RunHost) -> None:
    began(host)
    run = host.runs.find("abc").run
    run.pause()
    have = {"run": "abc", "client": "me", "hold": 0.0, "have": HAVE}
    first = host.answer("follow", Message("service", have)).fields
    have |= {"hold": 2.0, "have": {"life": first["life"], "epoch": 0, "rows": 0, "events": 0}}
    answers: list[Message] = []
    asking = threading.Thread(
        target=lambda: answers.append(host.answer("follow", Message("service", have)))
    )
    asking.start()
    run.set(lr=0.5)
    asking.join(PATIENCE)
    assert [e["kind"] for e in answers[0].fields["events"]] == ["set"]
    have["have"] = {**have["have"], "events": 1}
    assert host.answer("follow", Message("service", have)).fields["events"] == []
