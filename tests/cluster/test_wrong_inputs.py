"""Wrong clusters, servers, targets and devices: errors in the user's terms, in a stated time."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import workbench as tf
from tests.cluster.servers import near
from tests.refusals import is_refused
from workbench.core import errors

pytestmark = pytest.mark.usefixtures("graph")
Spec, Server = tf.train.ClusterSpec, tf.train.Server
LOCAL = {"w": ["localhost:0"]}


SPECS: dict[str, tuple[Any, type[BaseException], str]] = {
    "a list": (["a:1"], TypeError, "dictionary mapping .* but is \\['a:1'\\]"),
    "an address that is a number": ({"w": [2222]}, TypeError, "must be strings, got 2222"),
    "an address instead of a list": ({"w": "a:1"}, TypeError, "job 'w' must be a list .* 'a:1'"),
    "a number that is text": ({"w": {"0": "a:1"}}, TypeError, "job 'w' .* integers for keys"),
    "a negative number": ({"w": {-1: "a:1"}}, ValueError, "job 'w' must not be negative"),
    "a job without a name": ({"": ["a:1"]}, ValueError, "'' is no name for a job"),
    "a job that no device has": ({"a/b": ["a:1"]}, ValueError, "'a/b' is no name for a job"),
}


@pytest.mark.parametrize(("cluster", "kind", "told"), SPECS.values(), ids=SPECS)
def test_wrong_clusters(cluster: Any, kind: type[BaseException], told: str) -> None:
    is_refused(lambda: Spec(cluster), kind, told)


WRONG = errors.InvalidArgumentError
SERVERS: dict[str, tuple[Any, dict[str, Any], type[BaseException], str]] = {
    "no tasks": ({}, {}, ValueError, "The cluster has no tasks"),
    "no such job": (LOCAL, {"job_name": "ps"}, ValueError, "No such job in cluster: 'ps'.*has w"),
    "no such task": (LOCAL, {"task_index": 1}, ValueError, "No task with index 1 in job 'w'.* 0"),
    "a negative task": (LOCAL, {"task_index": -1}, ValueError, "No task with index -1"),
    "a task by text": (LOCAL, {"task_index": "0"}, TypeError, "task_index must be a number"),
    "one of two jobs": (
        {"w": ["localhost:0"], "ps": ["localhost:0"]}, {}, ValueError, "explicit `job_name`.*ps, w"
    ),
    "one of two tasks": (
        {"w": ["localhost:0"] * 2}, {}, ValueError, "explicit `task_index`: job 'w' has \\[0, 1\\]"
    ),
    "another protocol": (LOCAL, {"protocol": "rdma"}, WRONG, "no protocol 'rdma'"),
    "another config": (LOCAL, {"config": {"a": 1}}, TypeError, "must be a tf.ConfigProto, but got"),
    "no port": ({"w": ["localhost"]}, {}, WRONG, "'localhost' is not .*task 0 of job 'w'"),
    "no such port": ({"w": ["localhost:70000"]}, {}, WRONG, "'localhost:70000' is not an address"),
    "another's address": (
        {"w": ["localhost:0", "here"]}, {"task_index": 0}, WRONG, "'here' .* task 1 of job 'w'"
    ),
    "one address twice": (
        {"w": ["localhost:99", "127.0.0.1:99"]}, {"task_index": 0}, WRONG,
        "task 0 of job 'w' and task 1 of job 'w' have one address, tcp://127.0.0.1:99",
    ),
    "open to others": (
        {"w": ["192.0.2.1:2222"]}, {}, errors.FailedPreconditionError, "needs keys: make them with"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("cluster", "options", "kind", "told"), SERVERS.values(), ids=SERVERS)
def test_wrong_servers(
    cluster: Any,
    options: dict[str, Any],
    kind: type[BaseException],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WORKBENCH_WIRE_KEYS", raising=False)
    is_refused(lambda: Server(cluster, **options), kind, told)


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"localhost:{other.getsockname()[1]}"
        told = "Could not start the server: .*in use: another process listens there"
        is_refused(lambda: Server({"w": [address]}), errors.UnknownError, told)


def test_a_server_that_was_stopped() -> None:
    server = Server.create_local_server()
    with tf.Session(server.target) as session:
        server.stop()
        is_refused(
            lambda: session.run(tf.constant(1)), errors.CancelledError, "session has been closed"
        )
    is_refused(server.start, errors.FailedPreconditionError, "was stopped: make another one")


@contextlib.contextmanager
def _free_port() -> Iterator[int]:
    """A port at which nobody listens, and nobody will meanwhile."""
    with socket.socket() as plain:
        plain.bind(("127.0.0.1", 0))
        yield plain.getsockname()[1]


@contextlib.contextmanager
def _silent_port() -> Iterator[int]:
    """A port of something that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


TARGETS: dict[str, tuple[Any, type[BaseException], str]] = {
    "no scheme": ("localhost:2222", errors.NotFoundError, "on a server: 'tcp://host:port'"),
    "another scheme": ("http://a:1", errors.NotFoundError, "on a server: 'tcp://host:port'"),
    "no port": ("grpc://localhost", ValueError, "'grpc://localhost' is not an address"),
    "a number": (2222, TypeError, "target must be a string, but got 2222"),
    "beyond, without keys": (
        "grpc://192.0.2.1:2222", errors.FailedPreconditionError, "nothing is sent there without"
    ),
    "no such host": (
        "grpc://no-such-host.invalid:1", errors.UnavailableError, "no host 'no-such-host.invalid'"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("target", "kind", "told"), TARGETS.values(), ids=TARGETS)
def test_wrong_targets(
    target: Any, kind: type[BaseException], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBENCH_WIRE_KEYS", raising=False)
    is_refused(lambda: tf.Session(target), kind, told)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (_free_port, "says nothing for .* s \\(there is no connection: does a server listen there"),
        (_silent_port, "says nothing for .* s \\("),
    ],
)
def test_targets_where_nobody_answers(
    place: Callable[[], Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.cluster.wire.endpoint.SILENCE_SECONDS", 0.5)
    with place() as port:
        target = f"grpc://127.0.0.1:{port}"
        is_refused(lambda: tf.Session(target), errors.UnavailableError, told)
        monkeypatch.undo()
        config = tf.ConfigProto(operation_timeout_in_ms=300)
        told = "did not answer within 0.3 s; awaited was the start of a session"
        is_refused(lambda: tf.Session(target, config=config), errors.DeadlineExceededError, told)


DEVICES: dict[str, tuple[str, type[BaseException], str]] = {
    "no such job": (
        "/job:ps",
        WRONG,
        "inputs.py:.* pinned to '/job:ps', but available",
    ),
    "no such task": ("/job:worker/task:5", WRONG, "pinned to '/job:worker/task:5', but available"),
    "no such processor": ("/cpu:9", WRONG, "pinned to '/device:CPU:9', but available"),
    "no device": ("nonsense", ValueError, "'nonsense' is not a device name"),
    "a task without a number": ("/job:worker/task:x", ValueError, "'task:x' needs a number"),
}


@pytest.mark.parametrize(("device", "kind", "told"), DEVICES.values(), ids=DEVICES)
def test_wrong_devices(device: str, kind: type[BaseException], told: str) -> None:
    def use() -> None:
        with tf.device(device):
            y = tf.add(tf.placeholder_with_default(1.0, []), 1.0, name="y")
        with tf.Session(servers["worker:0"].target) as session:
            session.run(y)

    with near(worker=1) as servers:
        is_refused(use, kind, told)
