"""What a view asks to be shown live: the overlay of a graph, the values of tensors."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from workbench.core.graph.tensor import Tensor
from workbench.live.observation_pace import MOST_RATE
from workbench.notebook.connection import Answer, Call
from workbench.notebook.observation_feeds import OverlayFeed, TapFeed
from workbench.notebook.protocol import BAD_PARAMETERS, Refusal, nearest

if TYPE_CHECKING:
    from workbench.notebook.hub import Answers

#: A view shows a few values at a time; each costs the run a little.
_MAXIMUM_TAPS = 32
_numbers = itertools.count(1)


def overlay_subscribe(call: Call) -> Answer:
    """`overlay.subscribe`: numbers of every operation while the run trains."""
    key, channels = call.params["run"], call.params["channels"]
    if not channels:
        raise Refusal(BAD_PARAMETERS, "overlay.subscribe needs at least one channel")
    run = call.hub.runs.find_here(key)
    subscription = call.params["subscription"]
    feed = OverlayFeed(call.connection, run, channels, subscription)
    call.connection.follow(("overlay", key, subscription or ""), feed)
    return Answer({"channels": channels, "rate": MOST_RATE})


def overlay_unsubscribe(call: Call) -> Answer:
    """`overlay.unsubscribe`."""
    key = ("overlay", call.params["run"], call.params["subscription"] or "")
    call.connection.unfollow(key)
    return Answer({})


def tap_open(call: Call) -> Answer:
    """`tap.open`: the values of one tensor while the run trains."""
    run = call.hub.runs.find_here(call.params["run"])
    if len(call.connection.followed("tap")) >= _MAXIMUM_TAPS:
        raise Refusal(BAD_PARAMETERS, f"a view looks at {_MAXIMUM_TAPS} values at most")
    key = f"tap-{next(_numbers)}"
    tensor = _tensor(run, call.params["tensor"])
    call.connection.follow(("tap", key), TapFeed(call.connection, run, tensor, key))
    return Answer({"tap": key})


def tap_close(call: Call) -> Answer:
    """`tap.close`."""
    key = ("tap", call.params["tap"])
    if call.connection.following(key) is None:
        raise Refusal(BAD_PARAMETERS, f"this view has no tap {call.params['tap']!r}")
    call.connection.unfollow(key)
    return Answer({})


def _tensor(run: Any, name: str) -> Tensor:
    graph = run.graph
    try:
        tensor: Tensor = graph.get_tensor_by_name(name)
    except (KeyError, ValueError):
        known = (t.name for op in graph.get_operations() for t in op.outputs)
        raise Refusal(
            BAD_PARAMETERS, f"there is no tensor {name!r}{nearest(name, known)}"
        ) from None
    return tensor


ANSWERS: Answers = {
    "overlay.subscribe": overlay_subscribe,
    "overlay.unsubscribe": overlay_unsubscribe,
    "tap.open": tap_open,
    "tap.close": tap_close,
}
