"""What `Session.explain` says of steps, and that measuring changes no more than a run does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen import host
from workbench.core.runtime import tiers
from workbench.core.runtime.compiling import compiler

compiled_only = pytest.mark.skipif(host.obstacle() is not None, reason="nothing is compiled here")


class Network:
    """A step of training with one operation that has no kernel."""

    def __init__(self, tier: str | None) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            tf.set_random_seed(1)
            self.x = tf.placeholder(tf.float32, [None, 20], name="x")
            hidden = tf.layers.dense(self.x, 30, activation=tf.nn.relu, name="hidden")
            ordered = tf.nn.top_k(hidden, 5, name="best").values
            self.loss = tf.reduce_mean(tf.square(ordered), name="loss")
            self.step = tf.train.GradientDescentOptimizer(0.1).minimize(self.loss)
            self.session = tf.Session(tier=tier)
            self.session.run(tf.global_variables_initializer())
        self.feeds: dict[Any, Any] = {self.x: np.random.RandomState(0).rand(16, 20).astype("f")}

    def explained(self, **options: Any) -> Any:
        explanation = self.session.explain([self.loss, self.step], self.feeds, **options)
        (program,) = explanation.programs
        return program

    def weights(self) -> list[Any]:
        return [np.array(v) for v in self.session.run(self.graph.get_collection("variables"))]


@pytest.fixture(params=["compiled", "auto"])
def network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    # What another process has compiled would be there before the first run.
    monkeypatch.setattr(tiers, "_kept", lambda *_: None)
    network = Network(request.param)
    if request.param == "auto":
        assert network.explained().reason == "it has not run twice yet"
        for _ in range(2):
            network.session.run([network.loss, network.step], network.feeds)
        assert compiler().wait(60)
    yield network
    network.session.close()


@compiled_only
def test_it_tells_what_is_fused_and_what_is_not(network: Network) -> None:
    program = network.explained()
    assert program.tier == "compiled"
    assert program.reason is None
    assert program.feeds == (("x", (16, 20)),)
    assert program.fetches[0] == "loss:0"
    assert program.compile_seconds > 0
    assert 0 < program.arena_bytes <= program.peak_bytes
    # The layer is one kernel, which has the names of the user's operations.
    layer = next(k for k in program.kernels if "hidden/MatMul" in k.operations)
    assert layer.kind == "product"
    assert "hidden/Relu" in layer.operations
    assert layer.flops >= 2 * 16 * 20 * 30
    assert layer.bytes >= 4 * (16 * 20 + 20 * 30 + 16 * 30)
    # Weights are updated where their gradient is computed.
    assert any(
        k.kind == "product" and "ApplyGradient" in str(k.operations) for k in program.kernels
    )
    left = {o.operation: o for o in program.interpreted}
    assert left["best"].type.startswith("TopK")
    assert left["best"].reason == f"there is no kernel for {left['best'].type}"
    assert all(k.seconds is None for k in program.kernels)


@compiled_only
def test_explaining_runs_nothing(network: Network) -> None:
    before = network.weights()
    str(network.explained())
    str(network.session.explain())
    for old, new in zip(before, network.weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@compiled_only
@pytest.mark.parametrize("repeat", [1, 3])
def test_measuring_does_what_so_many_runs_do(network: Network, repeat: int) -> None:
    reference = Network("compiled")
    names = sorted(v.name for v in network.graph.get_collection("variables"))
    for name in names:
        value = network.session.run(network.graph.get_tensor_by_name(name))
        with reference.graph.as_default():
            variable = next(v for v in tf.global_variables() if v.name == name)
            variable.load(value, reference.session)
    program = network.explained(measure=True, repeat=repeat)
    for _ in range(repeat):
        reference.session.run([reference.loss, reference.step], reference.feeds)
    for found, wanted in zip(network.weights(), reference.weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    reference.session.close()
    assert program.seconds is not None
    times = [k.seconds for k in program.kernels]
    assert all(t is not None and t >= 0 for t in times)
    assert 0 < sum(times) <= program.seconds
    product = max(program.kernels, key=lambda k: k.flops)
    assert product.gigaflops == pytest.approx(product.flops / product.seconds / 1e9)
    assert product.share_of_peak > 0
    # What is measured is not measured any more.
    assert all(k.seconds is None for k in network.explained().kernels)


@compiled_only
def test_it_prints_as_text_and_as_html(network: Network) -> None:
    explanation = network.session.explain([network.loss, network.step], network.feeds, True)
    text = str(explanation)
    for word in ("this machine", "compiled in", "hidden/MatMul", "best (TopK", "GFLOP/s", "arena"):
        assert word in text
    assert explanation._repr_html_().startswith("<pre>")
    assert repr(explanation) == text


def test_the_interpreter_is_explained_too() -> None:
    network = Network("interpreted")
    program = network.explained(measure=True)
    assert program.tier == "interpreted"
    assert program.reason == "the session is pinned to the interpreter"
    assert program.kernels == ()
    assert program.seconds is not None and program.seconds > 0
    network.session.close()


def test_a_session_that_ran_nothing() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.constant(1.0)
        assert str(session.explain()) == "Nothing was run yet."
        with pytest.raises(ValueError, match="say which"):
            session.explain(measure=True)
        with pytest.raises(ValueError, match="repeat must be at least 1"):
            session.explain(tf.constant(2.0), measure=True, repeat=0)
    with pytest.raises(RuntimeError, match="closed"):
        session.explain()


def test_sessions_that_look_at_every_result() -> None:
    with tf.Graph().as_default(), tf.Session(check_numerics=True) as session:
        x = tf.placeholder(tf.float32, [3])
        (program,) = session.explain(tf.exp(x), {x: [1.0, 2.0, 3.0]}).programs
        assert program.reason == "every result is looked at"
