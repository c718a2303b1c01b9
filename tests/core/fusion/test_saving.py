"""A planned program that was written down and read again is the same program."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as tf
from workbench.core.codegen.target import AVX2, AVX512, Target
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.compiled_plan import CompiledPlan
from workbench.core.fusion.places import Place, Storage
from workbench.core.fusion.plain import from_plain, to_plain
from workbench.core.fusion.planning import plan_regions
from workbench.core.fusion.program import Address, FlagAddress, RegionProgram
from workbench.core.fusion.restoring import restore_plan
from workbench.core.fusion.saving import save_plan
from workbench.core.plan.node import Node, Value
from workbench.core.plan.plan import Plan, make_plan
from workbench.core.runtime.region_values import RegionValues


def dense(x: Any) -> Any:
    hidden = tf.layers.dense(x, 16, activation=tf.nn.relu)
    return tf.reduce_mean(tf.square(tf.layers.dense(hidden, 1)))


def softmax(x: Any) -> Any:
    labels = tf.constant(np.arange(6, dtype=np.int32) % 3)
    logits = tf.layers.dense(x, 3)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(losses)


def convolution(x: Any) -> Any:
    images = tf.layers.conv2d(tf.reshape(x, [6, 2, 4, 1]), 4, 3, padding="same")
    images = tf.layers.batch_normalization(images, training=True)
    return tf.reduce_mean(tf.layers.max_pooling2d(tf.nn.relu(images), 2, 2))


def normalised(x: Any) -> Any:
    images = tf.reshape(x, [6, 1, 1, 8])
    return tf.reduce_mean(tf.nn.lrn(tf.layers.conv2d(images, 8, 1)))


def recurrent(x: Any) -> Any:
    kernel = tf.get_variable("kernel", [12, 16])
    state = output = tf.zeros([6, 4])
    for _ in range(4):
        i, j, f, o = tf.split(tf.matmul(tf.concat([x, output], 1), kernel), 4, 1)
        state = state * tf.sigmoid(f) + tf.sigmoid(i) * tf.tanh(j)
        output = tf.tanh(state) * tf.sigmoid(o)
    return tf.reduce_mean(output)


def looked_up(x: Any) -> Any:
    table = tf.get_variable("table", [20, 8])
    rows = tf.nn.embedding_lookup(table, tf.constant(np.array([3, 0, 19, 3, 7, 1])))
    return tf.reduce_mean(rows * tf.check_numerics(x, "x"))


def interrupted(x: Any) -> Any:
    """With steps that stay with the interpreter between compiled ones."""
    values, _ = tf.nn.top_k(tf.sqrt(tf.abs(x) + 1.0), 3)
    return tf.reduce_mean(tf.exp(values) * 2.0)


MODELS: dict[str, Callable[[Any], Any]] = {
    f.__name__: f
    for f in (dense, softmax, convolution, normalised, recurrent, looked_up, interrupted)
}


def trained(build: Callable[[Any], Any], optimizer: Any) -> Plan:
    """The plan of a training step."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 8])
        loss = build(x)
        operations = []
        if tf.trainable_variables():
            operations = [optimizer.minimize(loss)]
        return make_plan([loss], operations, [x], [(6, 8)])


class Sketch:
    """A program as tuples that are equal for equal programs of the same plan."""

    def __init__(self, compiled: CompiledPlan, own: set[Node]) -> None:
        self._own = own
        self._made: dict[Node, int] = {}
        self._storages: dict[Storage, int] = {}
        self.regions = [
            (
                [self.step(s) for s in r.steps],
                [self.step(s) for s in r.before],
                [self.step(s) for s in r.after],
                [self.value(v) for v in r.updated],
                None if r.program is None else self.program(r.program),
            )
            for r in compiled.regions
        ]
        self.rest = (
            [self.value(v) for v in compiled.plan.fetches],
            {self.value(v) for v in compiled.copied},
            {self.node(n): reason for n, reason in compiled.reasons.items()},
            {t: self.value(v) for t, v in compiled.plan.values.items()},
        )

    def node(self, node: Node) -> Any:
        """The node itself where it is the plan's own; else what it is, in order."""
        if node in self._own:
            return node
        number = self._made.setdefault(node, len(self._made))
        inputs = tuple((v.node in self._own, v.index) for v in node.inputs)
        attrs = json.dumps([[k, to_plain(v)] for k, v in sorted(node.attrs.items())])
        origin = node.origin
        return number, node.type, inputs, len(node.after), attrs, node.dtypes, node.shapes, origin

    def value(self, value: Value) -> Any:
        return self.node(value.node), value.index

    def step(self, step: Any) -> Any:
        return self.node(step.node), *step[1:4], [self.value(v) for v in step.ends]

    def storage(self, storage: Storage) -> Any:
        number = self._storages.setdefault(storage, len(self._storages))
        content = None if storage.array is None else (storage.array.dtype, storage.array.tolist())
        return number, storage.kind, storage.size, storage.argument, content

    def place(self, place: Place) -> Any:
        return self.storage(place.storage), *place[1:]

    def word(self, argument: Address | FlagAddress | int) -> Any:
        if isinstance(argument, Address):
            return self.storage(argument.storage), argument.offset
        return argument

    def program(self, program: RegionProgram) -> Any:
        return (
            [self.node(n) for n in program.nodes],
            [
                (a.kind, self.value(a.value), a.shape, a.dtype, a.update and self.node(a.update))
                for a in program.arguments
            ],
            [
                (r.code.name, r.code.scratch, *[self.word(a) for a in r.arguments], *r[2:])
                for r in program.records
            ],
            [
                (
                    [self.node(n) for n in k.nodes],
                    k.group.anchor and self.node(k.group.anchor),
                    (k.group.number, k.group.role, k.group.space),
                    k[1:],
                )
                for k in program.kernels
            ],
            [(self.storage(s), offset) for s, offset in program.offsets.items()],
            program.arena_bytes,
            [(self.node(f.node), f.message) for f in program.flags],
            program.written,
            [(self.value(v), self.place(p)) for v, p in program.places.items()],
            [(self.node(n), self.node(h), self.place(p)) for (n, h), p in program.updates.items()],
        )


@pytest.mark.parametrize("target", [AVX512, AVX2], ids=lambda t: t.name)
@pytest.mark.parametrize("name", MODELS)
def test_what_was_written_down_is_read_again(name: str, target: Target) -> None:
    plan = trained(MODELS[name], tf.train.AdamOptimizer(0.01))
    compiled = plan_regions(plan, target)
    assert compiled.is_compiled
    again = restore_plan(plan, json.loads(json.dumps(save_plan(plan, compiled))))
    own = {step.node for step in plan.memory.steps}
    written, read = Sketch(compiled, own), Sketch(again, own)
    assert read.regions == written.regions
    assert read.rest == written.rest


@pytest.mark.parametrize("name", ["convolution", "recurrent"])
def test_who_looks_on_sees_the_same(name: str) -> None:
    plan = trained(MODELS[name], tf.train.GradientDescentOptimizer(0.01))
    compiled = plan_regions(plan, AVX2)
    again = restore_plan(plan, json.loads(json.dumps(save_plan(plan, compiled))))
    for before, after in zip(compiled.regions, again.regions, strict=True):
        if before.program is None or after.program is None:
            assert before.program is after.program
            continue
        values = RegionValues(before.program), RegionValues(after.program)
        shares = [v.shares() for v in values]
        assert np.array_equal(shares[0][1], shares[1][1])
        nodes = zip(before.program.nodes, after.program.nodes, strict=True)
        for node, node_again in nodes:
            assert _seen(values[0].sight(node)) == _seen(values[1].sight(node_again))


def _seen(sight: Any) -> Any:
    """A sight, with the types of the nodes that are computed for it."""
    if sight is None:
        return None
    return sight.stop, sight.outputs, sorted(node.type for node in sight.computed)


def test_data_of_another_plan_are_refused_or_lead_nowhere_else() -> None:
    plan = trained(dense, tf.train.GradientDescentOptimizer(0.01))
    data = save_plan(plan, plan_regions(plan, AVX2))
    smaller = make_plan([], [], [], [])
    with pytest.raises(IndexError):
        restore_plan(smaller, data)


@pytest.mark.parametrize("key", ["nodes", "regions", "fetches", "moved", "copied", "reasons"])
def test_incomplete_data_are_refused(key: str) -> None:
    plan = trained(dense, tf.train.GradientDescentOptimizer(0.01))
    data = save_plan(plan, plan_regions(plan, AVX2))
    del data[key]
    with pytest.raises(KeyError):
        restore_plan(plan, data)


VALUES = [
    None,
    True,
    -3,
    0.1,
    float("inf"),
    "text",
    [1, "two"],
    (1, (2.5, None)),
    {"a": (1,), "b": {"c": []}},
    tf.float32,
    tf.bfloat16,
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_come_back(value: Any) -> None:
    again = from_plain(json.loads(json.dumps(to_plain(value))))
    assert again == value and type(again) is type(value)


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "float16", "complex64"])
def test_arrays_come_back(dtype: str) -> None:
    for array in (np.array([[1, 0, 3]], dtype), np.array(1, dtype), np.zeros((0, 2), dtype)):
        again = from_plain(json.loads(json.dumps(to_plain(array))))
        assert again.dtype == array.dtype and again.shape == array.shape
        assert again.tobytes() == array.tobytes() and again.flags.writeable


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, b"bytes", np.array(["a", None]), np.zeros(100_000)], ids=type
)
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(Unsupported):
        to_plain(value)
