"""A pool whose wire needs keys, which travel over the control plane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.cluster.wire.endpoint import Endpoint
from workbench.cluster.wire.keys import make_keys
from workbench.cluster.wire.message import Message
from workbench.core.errors import OpError

DEADLINE = 60.0
pytestmark = pytest.mark.usefixtures("graph")


def _ignore(sender: Any, message: Message) -> None:
    """Nobody sends anything but answers."""


def _train_together(pool: wb.pool.Pool) -> None:
    """Replicas, the place where they meet, and the board of their run use the keys too."""
    weight = wb.Variable(4.0, name="weight")
    loss = wb.square(weight)
    train = wb.train.GradientDescentOptimizer(0.25).minimize(loss)
    run = wb.run(train, steps=3, track={"loss": loss}, folder=None, pool=pool, replicas=2)
    assert run.wait(DEADLINE).state == "finished"
    assert run.history["loss"].tolist() == [16.0, 4.0, 1.0]


def test_the_wire_is_closed_to_those_without_the_keys(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without saying so: other users of this machine are kept out.
    pool = wb.pool.local(2, name="locked")
    try:
        worker = pool.workers[0]
        assert worker.call("worker", "about", seconds=DEADLINE).fields["pid"] == worker.pid
        # Sessions of this process show the pool's keys at its workers, and only there.
        with wb.Session(worker.address) as session:
            assert session.run(wb.constant(2) * 3) == 6
        _train_together(pool)
        monkeypatch.setattr("workbench.cluster.wire.keys._by_address", {})
        asked = Message("service", {"service": "worker", "command": "about"})
        for keys in (make_keys(), None):
            stranger = Endpoint(None, _ignore, keys=keys)
            try:
                with pytest.raises((OpError, TimeoutError)):
                    stranger.request(worker.address, asked, "an answer").result(2.0)
            finally:
                stranger.close()
        friend = Endpoint(None, _ignore, keys=pool.wire_keys)
        try:
            answer = friend.request(worker.address, asked, "an answer").result(DEADLINE)
            assert answer.fields["pid"] == worker.pid
        finally:
            friend.close()
        # Nothing of it is in what everybody who may ask sees.
        assert pool.wire_keys is not None
        assert pool.wire_keys.secret not in str(pool.status())
    finally:
        pool.close()
