"""What a view asks about runs, and tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.errors import OpError
from workbench.live.acknowledgement import Acknowledgement
from workbench.live.errors import NoWayBackError, RunEndedError
from workbench.live.history import thinned
from workbench.notebook.connection import Answer, Call
from workbench.notebook.protocol import (
    BAD_PARAMETERS,
    FAILED_INSIDE,
    RUN_ENDED,
    STALE,
    Refusal,
)
from workbench.notebook.run_commands import command_of, python_line
from workbench.notebook.run_feeds import RunFeed, RunsFeed
from workbench.notebook.run_message import history_buffers, history_header

if TYPE_CHECKING:
    from workbench.notebook.hub import Answers


def runs_list(call: Call) -> Answer:
    """`runs.list`: all runs."""
    return Answer({"runs": call.hub.runs.messages()})


def runs_subscribe(call: Call) -> Answer:
    """`runs.subscribe`: the list of runs whenever it changes."""
    call.connection.follow(("runs",), RunsFeed(call.connection))
    return Answer({})


def runs_unsubscribe(call: Call) -> Answer:
    """`runs.unsubscribe`."""
    call.connection.unfollow(("runs",))
    return Answer({})


def runs_delete(call: Call) -> Answer:
    """`runs.delete`: removes a run that has ended, with its folder."""
    call.hub.runs.delete(call.params["run"])
    return Answer({})


def run_subscribe(call: Call) -> Answer:
    """`run.subscribe`: the history so far, and what comes from now on."""
    key, points = call.params["run"], call.params["points"]
    run = call.hub.runs.find(key)
    epoch, events = run.status().epoch, list(run.history.events)
    rows = run.history.since(0)
    count = len(rows.steps)
    feed = RunFeed(call.connection, key, points, epoch, count, len(events))
    call.connection.follow(("run", key), feed)
    header = history_header(run.id, epoch, run.history, count, events)
    return Answer(header, history_buffers(thinned(rows, points)))


def run_unsubscribe(call: Call) -> Answer:
    """`run.unsubscribe`."""
    call.connection.unfollow(("run", call.params["run"]))
    return Answer({})


def run_history(call: Call) -> Answer:
    """`run.history`: a stretch of the history, thinned."""
    params = call.params
    run = call.hub.runs.find(params["run"])
    epoch, history = run.status().epoch, run.history
    header = history_header(run.id, epoch, history, history.count, list(history.events))
    excerpt = history.thinned(params["points"], first=params["first"], last=params["last"])
    return Answer(header, history_buffers(excerpt))


def run_command(call: Call) -> None:
    """`run.command`: answered when the run has obeyed, between two steps."""
    params = call.params
    run = call.hub.runs.find_here(params["run"])
    if params["epoch"] is not None and params["epoch"] != run.status().epoch:
        raise Refusal(STALE, "the run was rewound since: look again")
    name, arguments = params["command"], params["arguments"]
    python = python_line(name, arguments)
    acknowledgement = run.submit(command_of(name, arguments))
    acknowledgement.call_when_done(lambda done: _obeyed(call, name, python, done))


def _obeyed(call: Call, name: str, python: str, done: Acknowledgement) -> None:
    """Called in the run's thread, so it only hands on."""
    try:
        step, value = done.result(0)
    except Exception as error:
        call.refuse(error_code(error), str(error) or type(error).__name__)
        return
    result: dict[str, Any] = {"step": step, "python": python}
    if name == "fork":
        result["run"] = value.id
    elif name == "watch":
        result["watch"] = value
    call.answer(Answer(result))


def error_code(error: BaseException) -> int:
    """The protocol's code for what kept a command from taking effect."""
    if isinstance(error, RunEndedError):
        return RUN_ENDED
    if isinstance(error, (ValueError, TypeError, KeyError, NoWayBackError, OpError)):
        return BAD_PARAMETERS
    return FAILED_INSIDE


ANSWERS: Answers = {
    "runs.list": runs_list,
    "runs.subscribe": runs_subscribe,
    "runs.unsubscribe": runs_unsubscribe,
    "runs.delete": runs_delete,
    "run.subscribe": run_subscribe,
    "run.unsubscribe": run_unsubscribe,
    "run.history": run_history,
    "run.command": run_command,
}
