"""Looking into compiled steps: the same bits, all operations' values, the times of kernels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.live.observation import Observer
from workbench.live.observed_program import ObservedProgram

host = pytest.importorskip("workbench.core.codegen.host")
pytestmark = pytest.mark.skipif(host.obstacle() is not None, reason=str(host.obstacle()))


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with wb.Graph().as_default() as made:
        wb.set_random_seed(3)
        yield made


class Network:
    """A small network with convolutions, dropout (interpreted, between regions) and Adam."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.x = wb.placeholder(wb.float32, [None, 8, 8, 2], name="x")
        self.y = wb.placeholder(wb.int64, [None], name="y")
        hidden = wb.layers.conv2d(self.x, 8, 3, padding="same", activation=wb.nn.relu, name="conv")
        hidden = wb.layers.max_pooling2d(hidden, 2, 2)
        hidden = wb.reshape(hidden, [-1, 4 * 4 * 8])
        hidden = wb.layers.dense(hidden, 24, wb.nn.tanh, name="hidden")
        logits = wb.layers.dense(wb.nn.dropout(hidden, 0.8), 5, name="logits")
        losses = wb.nn.sparse_softmax_cross_entropy_with_logits(labels=self.y, logits=logits)
        self.loss = wb.reduce_mean(losses, name="loss")
        self.accuracy = wb.reduce_mean(
            wb.to_float(wb.equal(wb.argmax(logits, 1), self.y)), name="accuracy"
        )
        self.train = wb.train.AdamOptimizer(0.01).minimize(self.loss)
        self.initialise = wb.global_variables_initializer()
        self.images = random.normal(size=(20, 32, 8, 8, 2)).astype(np.float32)
        self.labels = random.integers(0, 5, (20, 32))

    def session(self, tier: str) -> Any:
        session = wb.Session(tier=tier)
        session.state.entropy = 5
        session.run(self.initialise)
        return session

    def feed(self, step: int) -> dict[Any, Any]:
        return {self.x: self.images[step % 20], self.y: self.labels[step % 20]}


def state(session: Any) -> dict[str, bytes]:
    variables = session.state.variables.items()
    return {name: np.asarray(variable.value).tobytes() for name, variable in variables}


def observed(session: Any, network: Network, fetches: list[Any]) -> tuple[ObservedProgram, Any]:
    signature = session._signatures.find(fetches, network.feed(0))
    program, values = signature.prepare(network.feed(0))
    assert program.tier == "compiled"
    return ObservedProgram(program, session), values


def test_all_values_are_seen_and_are_those_of_the_interpreter(graph: Any) -> None:
    network = Network()
    fetches = [network.loss, network.train]
    with network.session("compiled") as session, network.session("interpreted") as other:
        program, values = observed(session, network, fetches)
        tensors = [
            t
            for op in graph.get_operations()
            for t in op.outputs[:1]
            if t.dtype in (wb.float32, wb.int64) and program.locate(t) is not None
        ]
        seen: dict[Any, Any] = {}

        def keep(tensor: Any) -> Any:
            return lambda value: seen.__setitem__(tensor, np.array(value))

        for tensor in tensors:
            program.look_at(program.locate(tensor), keep(tensor))
        program.look_at_feeds(values)
        program.run(values)
        assert set(seen) == set(tensors)
        wanted, _ = other.run([tensors, network.train], network.feed(0))
        names = {t.op.name for t in tensors}
        # Of values that stay in registers and of those that kernels store.
        assert {"conv/Conv2D", "conv/BiasAdd", "conv/Relu", "hidden/MatMul", "loss"} <= names
        assert any(name.startswith("gradients/conv") for name in names)
        assert len(names) > 50
        for tensor, value in zip(tensors, wanted, strict=True):
            np.testing.assert_allclose(
                seen[tensor], value, rtol=2e-4, atol=2e-6, err_msg=tensor.name
            )


def test_whatever_is_looked_at_the_step_stays_the_same() -> None:
    network = Network()
    fetches = [network.loss, network.train]
    with network.session("compiled") as session, network.session("compiled") as plain:
        observer = Observer(session)
        observation = observer.subscribe(["time", "mean", "zeros", "nonfinite", "memory"])
        observer.tap("conv/Conv2D:0")
        observer.tap("hidden/Tanh:0")
        beside = observer.tap(network.accuracy)
        for step in range(40):
            # Sometimes there is much credit, sometimes little.
            observer.note(5.0 if step % 3 else 0.001)
            result = observer.run(fetches, network.feed(step), step + 1)
            assert result is not None
            assert result[0].tobytes() == plain.run(fetches, network.feed(step))[0].tobytes()
            assert state(session) == state(plain)
            assert session.state.random_steps == plain.state.random_steps
        assert beside.latest() is not None and 0 <= float(beside.latest().array) <= 1
        assert np.isfinite(observation.latest().channels["mean"]).sum() > 40


def test_a_tensor_beside_has_the_values_of_its_step() -> None:
    """It is computed before the step, from what the step begins with."""
    network = Network()
    fetches = [network.loss, network.train]
    with network.session("compiled") as session, network.session("interpreted") as other:
        observer = Observer(session)
        tap = observer.tap(network.accuracy)
        for step in range(5):
            observer.note(1.0)
            observer.run(fetches, network.feed(step), step + 1)
            wanted = other.run([network.accuracy, network.train], network.feed(step))[0]
            assert float(tap.latest().array) == pytest.approx(float(wanted), abs=1e-6)


def test_a_value_that_only_comes_after_a_change_is_refused() -> None:
    network = Network()
    with wb.control_dependencies([network.train]):
        after = wb.reduce_sum(wb.to_float(network.y), name="after")
    with network.session("compiled") as session:
        observer = Observer(session)
        tap = observer.tap(after)
        observer.note(1.0)
        observer.run([network.loss, network.train], network.feed(0), 1)
        with pytest.raises(wb.errors.InvalidArgumentError, match="is not kept by the compiled"):
            tap.latest()


def test_times_are_those_of_the_kernels() -> None:
    """A large product takes the most; what is fused with it shares its kernel's time."""
    x = wb.placeholder(wb.float32, [256, 512], name="x")
    w = wb.Variable(np.ones((512, 512), np.float32) / 512)
    product = wb.nn.relu(wb.matmul(x, w, name="product"), name="relu")
    small = wb.reduce_sum(wb.tanh(x[:4], name="tanh"), name="small")
    with wb.Session(tier="compiled") as session:
        session.run(w.initializer)
        observer = Observer(session)
        observation = observer.subscribe(["time", "calls"])
        fed = {x: np.ones((256, 512), np.float32)}
        for step in range(5):
            observer.note(1.0)
            observer.run([product, small], fed, step + 1)
        seconds = observation.latest().channels["time"]
        operations = wb.get_default_graph().get_operations()
        by_name = {op.name: seconds[i] for i, op in enumerate(operations)}
        assert 0 < by_name["relu"] < by_name["product"]
        assert by_name["tanh"] < by_name["product"] < 1.0
        # 134 million operations cannot be faster than this.
        assert by_name["product"] > 1e-4


def test_a_step_that_falls_back_is_observed_too() -> None:
    """An array that kernels cannot take: the interpreter runs the region."""
    x = wb.placeholder(wb.int32, [3], name="x")
    y = wb.gather(wb.constant([1.0, 2.0, 4.0]), x, name="y")
    z = wb.square(wb.exp(y), name="z")
    with wb.Session(tier="compiled") as session:
        observer = Observer(session)
        observation = observer.subscribe(["time", "mean"])
        tap = observer.tap(z)
        for step in range(3):
            observer.note(1.0)
            (found,) = observer.run([z], {x: np.int32([0, 1, 2])}, step + 1)
        np.testing.assert_allclose(tap.latest().array, found)
        with pytest.raises(wb.errors.OpError):
            observer.run([z], {x: np.int32([0, 1, 7])}, 4)
        observer.note(1.0)
        observer.run([z], {x: np.int32([2, 1, 0])}, 5)
        assert observation.latest().step == 5


def test_variables_before_and_after_their_update() -> None:
    v = wb.Variable(np.arange(64, dtype=np.float32), name="v")
    before = wb.identity(v.value() * 3.0, name="before")
    with wb.control_dependencies([before]):
        update = wb.assign_add(v, wb.ones([64]), name="update")
    after = wb.reduce_sum(wb.square(update), name="after")
    with wb.Session(tier="compiled") as session:
        session.run(v.initializer)
        observer = Observer(session)
        taps = [observer.tap(t) for t in (v.value(), before, update, after)]
        start = np.arange(64, dtype=np.float32)
        for step in range(3):
            observer.note(1.0)
            observer.run([before, after], {}, step + 1)
            now = start + step
            wanted = [now, 3 * now, now + 1, np.sum((now + 1) ** 2)]
            for tap, value in zip(taps, wanted, strict=True):
                np.testing.assert_allclose(tap.latest().array, value, rtol=1e-6)
