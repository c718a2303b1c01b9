"""Every message is a request in range or a refusal: nothing else comes out, whatever goes in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.notebook import protocol
from workbench.notebook.protocol import COMMANDS, METHODS, Refusal, parse

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([*METHODS, *COMMANDS, "run", "graph", "steps", "time", "not finite"]),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["run", "points", "graph", "node", "channels", "x"]) | st.text(),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
#: Messages that come closer: a real method, its own parameters, arbitrary values.
NEARLY = st.sampled_from(list(METHODS)).flatmap(
    lambda method: st.fixed_dictionaries(
        {
            "id": st.integers(-1, 9) | JSON,
            "method": st.just(method),
            "params": st.fixed_dictionaries(
                {}, optional={name: JSON | st.text() for name in METHODS[method]}
            ),
        }
    )
)
COMMAND = st.sampled_from(list(COMMANDS)).flatmap(
    lambda command: st.fixed_dictionaries(
        {
            "id": st.integers(0, 9),
            "method": st.just("run.command"),
            "params": st.fixed_dictionaries(
                {
                    "run": st.just("a"),
                    "command": st.just(command),
                    "arguments": st.fixed_dictionaries(
                        {}, optional=dict.fromkeys(COMMANDS[command] or ["lr"], JSON)
                    ),
                }
            ),
        }
    )
)


@settings(max_examples=300, deadline=None)
@given(JSON | NEARLY | COMMAND, st.just(()) | st.lists(st.binary(max_size=3), max_size=2))
def test_gives_a_checked_request_or_a_refusal(message: Any, buffers: Any) -> None:
    try:
        request = parse(message, buffers)
    except Refusal as refusal:
        assert refusal.code in (
            protocol.NOT_AN_OBJECT,
            protocol.NO_REQUEST,
            protocol.UNKNOWN_METHOD,
            protocol.BAD_PARAMETERS,
        )
        assert 0 < len(refusal.message) < 500
    else:
        assert not buffers
        assert set(request.params) == set(METHODS[request.method])
        assert parse({"id": 0, "method": request.method, "params": request.params}).params == (
            request.params
        )


def refused(method: str, **params: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse({"id": 1, "method": method, "params": params})
    return caught.value


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("graph.get", {}, "graph.get needs graph"),
        ("graph.get", {"graph": 3}, "graph must be text"),
        ("graph.get", {"graph": "a\nb"}, "printable"),
        ("graph.get", {"grahp": "a"}, "no parameter 'grahp': it takes graph, against"),
        ("graph.node", {"graph": "a", "node": 1.5}, "whole number"),
        ("graph.node", {"graph": "a", "node": True}, "whole number"),
        ("run.history", {"run": "a", "points": 1}, "from 2 to 100000"),
        ("overlay.subscribe", {"run": "a", "channels": ["tmie"]}, "one of time, memory"),
        ("run.command", {"run": "a", "command": "puase"}, "the nearest is pause"),
        ("run.command", {"run": "a", "command": "step", "arguments": {"count": 0}}, "count"),
        ("run.command", {"run": "a", "command": "set"}, "set needs a value"),
        (
            "run.command",
            {"run": "a", "command": "set", "arguments": {"lr": float("inf")}},
            "set: lr must be a finite number",
        ),
        (
            "run.command",
            {"run": "a", "command": "watch", "arguments": {"tensor": "x:0", "when": "above"}},
            "needs a threshold",
        ),
    ],
)
def test_says_what_is_wrong(method: str, params: dict[str, Any], words: str) -> None:
    refusal = refused(method, **params)
    assert refusal.code == protocol.BAD_PARAMETERS
    assert words in refusal.message


def test_fills_in_what_may_be_missing() -> None:
    request = parse({"id": 3, "method": "run.command", "params": {"run": "a", "command": "step"}})
    assert request.params["arguments"] == {"count": 1}


@pytest.mark.parametrize(
    "message",
    [
        {"id": 1, "method": "hello", "params": {"x": "a" * protocol.MAXIMUM_BYTES}},
        {"id": 1, "method": "hello", "params": {"x": list(range(1_000_000))}},
        {"id": 1, "method": "hello", "params": {"x": 10 ** (4 * protocol.MAXIMUM_BYTES)}},
    ],
)
def test_refuses_what_is_too_large(message: Any) -> None:
    with pytest.raises(Refusal, match="at most 1048576 bytes"):
        parse(message)


def test_refuses_what_is_too_deep() -> None:
    deep: Any = None
    for _ in range(900):
        deep = [deep]
    with pytest.raises(Refusal, match="levels deep"):
        parse({"id": 1, "method": "hello", "params": {"x": deep}})
