"""Threads and processes that share a compiled step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import workbench as tf
from tests.core.fusion.networks import batches, convolutional
from tests.core.fusion.training_step import Step
from tests.core.fusion.two_tiers import Pair, variables_of
from workbench.core.runtime.compiling import compiler


def closed_while_compiling() -> None:
    """Closing a session ends the compiling for it, and what others compile goes on."""
    for delay in (0.0, 0.01, 0.05):
        with Step(make=convolutional) as step:
            with step.graph.as_default():
                hurried, patient = tf.Session(), tf.Session()
                for session in (hurried, patient):
                    session.run(tf.global_variables_initializer())
                    for _ in range(3):
                        session.run(step.fetches, step.feeds)
            if delay:
                compiler().wait(delay)
            hurried.close()
            assert compiler().wait(60)
            patient.run(step.fetches, step.feeds)
            (program,) = patient.explain(step.fetches, step.feeds).programs
            assert program.tier == "compiled", program.reason
            assert not hurried._programs.tiers.compilations
            patient.close()


def threads_with_sessions() -> None:
    """Two sessions in two threads on one graph do not see each other."""
    with Step() as step:
        feeds = list(batches(step.network, [6, 9, 6, 17] * 5, seed=3))
        wanted = [step.pair.sessions["interpreted"].run(step.fetches, f)[0] for f in feeds]
        initial = variables_of(step.pair.sessions["compiled"])
        found: dict[int, list[Any]] = {}

        def work(number: int) -> None:
            with tf.Session(graph=step.graph, tier=("compiled", "auto")[number]) as session:
                for name, value in initial.items():
                    if value is not None:
                        source = step.pair.sessions["compiled"].state.variables[name]
                        state = session.state.variable(name, source.dtype, source.entries)
                        state.value = value.copy() if value.ndim else value[()]
                found[number] = [session.run(step.fetches, f)[0] for f in feeds]

        _in_threads([partial(work, n) for n in (0, 1)])
        for number in (0, 1):
            np.testing.assert_allclose(found[number], wanted, 2e-4, 1e-6)


def threads_in_one_session() -> None:
    """Runs side by side in one session use memory of their own."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 64])
        weights = tf.Variable(np.random.RandomState(0).rand(64, 64).astype(np.float32))
        y = tf.nn.softmax(tf.matmul(tf.tanh(tf.matmul(x, weights) * 0.1), weights) * 0.1)
        count = tf.Variable(0.0)
        counted = tf.assign_add(count, 1.0, use_locking=True)
        with Pair(graph) as pair:
            pair.initialise()
            session = pair.sessions["compiled"]
            inputs = [
                np.full((rows, 64), 0.01 * n, np.float32) for n, rows in enumerate((3, 8, 3, 40))
            ]
            wanted = [pair.sessions["interpreted"].run(y, {x: i}) for i in inputs]
            for i in inputs:
                session.run(y, {x: i})

            def work(number: int) -> None:
                for _ in range(60):
                    got = session.run(y, {x: inputs[number]})
                    np.testing.assert_allclose(got, wanted[number], 1e-4)
                    session.run(counted.op)

            _in_threads([partial(work, n) for n in range(4)])


def _in_threads(works: list[Callable[[], None]]) -> None:
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[w]) for w in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


def forked() -> None:
    """A forked process goes on where its parent was; both get the same."""
    import os
    import warnings

    with Step(make=convolutional) as step:
        session = step.pair.sessions["compiled"]
        for _ in range(2):
            step.agrees(step.feeds)
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            status = 1
            try:
                losses = [float(session.run(step.fetches, step.feeds)[0]) for _ in range(3)]
                (more,) = batches(step.network, [11])
                losses.append(float(session.run(step.fetches, more)[0]))
                os.write(writing, repr(losses).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        told = os.read(reading, 10000).decode()
        os.close(reading)
        assert status == 0, "the forked process failed"
        losses = [float(session.run(step.fetches, step.feeds)[0]) for _ in range(3)]
        (more,) = batches(step.network, [11])
        losses.append(float(session.run(step.fetches, more)[0]))
        assert told == repr(losses)
