"""The services of a worker, asked for anything: they answer, say what is wrong, and go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import examples, json_of
from workbench.cluster.remote_errors import from_fields
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.message import Message
from workbench.core import errors
from workbench.pool import runtime
from workbench.pool.runtime import SERVICES
from workbench.pool.runtime_kind import KIND

DEADLINE = 20.0
_COMMANDS = sorted(
    (service, command) for service in SERVICES for command in runtime._commands(service)
)
_JSON = json_of(
    st.integers(-3, 1 << 70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["../../etc", "x" * 5000, "\0", "0" * 12])
)
#: The words by which services read what they are told.
_KEYS = st.sampled_from(
    "run name key client have hold card data described keep paused replicas session log since "
    "command arguments options step piece index batch fields graph steps watch".split()
)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The runtime of a worker, and one who asks it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        started = runtime.start("p", 0, "127.0.0.1")
        asking = Endpoint(None, lambda sender, message: None)
        try:
            yield started, asking
        finally:
            asking.close()
            runtime.stop()


def _ask(worker: Any, fields: dict[str, Any], arrays: Any = (), blobs: Any = ()) -> Message:
    started, asking = worker
    message = Message(KIND, fields, arrays, blobs=blobs)
    answer: Message = asking.request(started.address, message, "an answer").result(DEADLINE)
    return answer


@examples(200)
@given(
    asked=st.sampled_from(_COMMANDS),
    fields=st.dictionaries(_KEYS, _JSON, max_size=6),
    blobs=st.lists(st.binary(max_size=20), max_size=2),
    has_array=st.booleans(),
)
def test_whatever_is_asked_is_answered(
    worker: Any, asked: tuple[str, str], fields: Any, blobs: Any, has_array: bool
) -> None:
    # What is held back is asked for; the test does not wait for it.
    fields.pop("hold", None)
    array = (("x", np.ones(3)),) if has_array else ()
    answer = _ask(worker, {**fields, "service": asked[0], "command": asked[1]}, array, blobs)
    if answer.kind == "error":
        error = from_fields(answer.fields, "there")
        assert not isinstance(error, errors.InternalError), error.message


@given(service=_JSON, command=_JSON)
@examples(50)
def test_what_is_no_service_is_refused(worker: Any, service: Any, command: Any) -> None:
    answer = _ask(worker, {"service": service, "command": command})
    assert answer.kind == "error"
    assert isinstance(
        from_fields(answer.fields, "there"), (errors.NotFoundError, errors.InvalidArgumentError)
    )


def test_it_goes_on_and_has_grown_little(worker: Any) -> None:
    before = psutil.Process().memory_info().rss
    for number in range(500):
        _ask(
            worker,
            {"service": "runs", "command": "begin_data", "key": f"k{number}", "described": []},
        )
        _ask(
            worker,
            {"service": "runs", "command": "add_data", "key": f"no{number}"},
            (("x", np.ones(10_000)),),
        )
    assert psutil.Process().memory_info().rss - before < 50 << 20
    told = _ask(worker, {"service": "worker", "command": "about"}).fields
    assert told["incarnation"] == worker[0].incarnation and threading.active_count() < 60
    folder = Path(worker[0].folder)
    # Names of files in what was asked have led nowhere.
    assert {p.name for p in folder.parents[3].iterdir()} == {"pools"}
