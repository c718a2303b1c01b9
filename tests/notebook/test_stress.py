"""Two runs under load, with everything that looks at them coming and going in any order."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.notebook.fakes import FakeView
from workbench.live.channels import CHANNELS
from workbench.notebook.hub import close_hub, get_hub

PATIENCE = 60.0


def training(name: str) -> tuple[Any, Any]:
    """A run without end, and its graph's weights."""
    with wb.Graph().as_default():
        x = wb.placeholder(wb.float32, [None, 16], name="x")
        w = wb.Variable(wb.ones([16, 16]) * 0.1, name="w")
        lr = wb.hyperparameter("lr", 0.01)
        loss = wb.reduce_mean(wb.square(wb.tanh(wb.matmul(x, w), name="hidden")), name="loss")
        train = wb.train.GradientDescentOptimizer(lr).minimize(loss)
        data = np.random.default_rng(0).random((64, 16), np.float32)
        feed = wb.batches({x: data}, 16, shuffle=True, seed=0)
        run = wb.run(train, feed=feed, track={"loss": loss}, folder=None, name=name)
        return run, w


def onlookers(run: Any, weights: Any, view: FakeView) -> list[Callable[[], Callable[[], Any]]]:
    """What may begin to look at a run; each gives what ends that."""

    def observing() -> Callable[[], Any]:
        observation = run.observe(CHANNELS)
        observation.latest()
        return observation.close

    def tapping() -> Callable[[], Any]:
        tap = run.tap("hidden:0")
        tap.latest()
        return tap.close

    def overlaying() -> Callable[[], Any]:
        view.result("overlay.subscribe", run=run.id, channels=["time", "mean"])
        return lambda: view.result("overlay.unsubscribe", run=run.id)

    def following() -> Callable[[], Any]:
        view.result("run.subscribe", run=run.id)
        return lambda: view.result("run.unsubscribe", run=run.id)

    def sampling() -> Callable[[], Any]:
        tap = view.result("tap.open", run=run.id, tensor="hidden:0")["tap"]
        return lambda: view.result("tap.close", tap=tap)

    def forking() -> Callable[[], Any]:
        other = run.fork(lr=0.02)
        observation = other.observe(["time", "zeros"])

        def close() -> None:
            other.close()
            observation.close()

        return close

    def picturing() -> Callable[[], Any]:
        shown: Callable[[], Any] = wb.picture(run, weights).close
        return shown

    def steering() -> Callable[[], Any]:
        run.pause()
        run.set(lr=0.03)
        run.rewind(run.step_number)
        run.resume()
        return lambda: run.peek("loss:0")

    return [
        observing, tapping, overlaying, following, sampling, forking, picturing, steering
    ]  # fmt: skip


def burden(ended: threading.Event) -> None:
    """Keeps a processor, and the interpreter's lock, busy."""
    while not ended.is_set():
        sum(range(2000))


@pytest.mark.parametrize("seed", [0, 1])
def test_onlookers_come_and_go(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(seed)
    before = set(threading.enumerate())
    caplog.set_level(logging.WARNING)
    ended = threading.Event()
    load = threading.Thread(target=burden, args=[ended])
    load.start()
    first, second = training("first"), training("second")
    view = FakeView(get_hub())
    try:
        makers = [m for run, weights in (first, second) for m in onlookers(run, weights, view)]
        closers: list[Callable[[], Any]] = []
        for maker in chance.sample(makers, len(makers)):
            closers.append(maker())
            if chance.random() < 0.4:
                closers.pop(chance.randrange(len(closers)))()
            time.sleep(0.02)
        steps = [run.step_number for run, _ in (first, second)]
        chance.shuffle(closers)
        # Some go while the runs are there, the others when they are gone.
        for close in closers[::2]:
            close()
        for (run, _), step in zip((first, second), steps, strict=True):
            run.wait(PATIENCE, step=step + 1)
            assert run.state == "running" and run.error is None
        view.connection.close()
        first[0].close()
        second[0].close()
    finally:
        ended.set()
        load.join(PATIENCE)
        for run, _ in (first, second):
            run.close()
        for run in wb.runs():
            if run.is_live:
                run.close()
        close_hub()
    deadline = time.monotonic() + PATIENCE
    while left := set(threading.enumerate()) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)
    assert not caplog.records
