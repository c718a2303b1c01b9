"""GraphDefs with branches and loops, written by TensorFlow: what the tests of imports read.

    PYTHON -m tests.peers.write_control_flow_graphs FOLDER

in the interpreter that has TensorFlow 2. Each case is written twice: in raw form (Switch, Merge,
frames), and in functional form (If, While, a function library). Beside them goes `results.json`,
with what TensorFlow computes for some feeds.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

Case = Callable[[], tuple[dict[str, Any], list[dict[str, Any]]]]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Adds a case: it gives what to fetch by name, and some feeds."""
    CASES[function.__name__] = function
    return function


def _flag(name: str) -> Any:
    return tf.placeholder(tf.bool, [], name=name)


def _number(name: str) -> Any:
    return tf.placeholder(tf.int32, [], name=name)


def _floats(name: str, *shape: int | None) -> Any:
    return tf.placeholder(tf.float32, list(shape), name=name)


def _repeat(times: Any, function: Callable[[Any], Any], value: Any) -> Any:
    return tf.while_loop(
        lambda i, v: i < times, lambda i, v: (i + 1, function(v)), [tf.constant(0), value]
    )[1]


@case
def cond() -> Any:
    p, x = _flag("p"), _floats("x", 2)
    y = tf.cond(p, lambda: tf.square(x), lambda: tf.exp(x) * 3.0)
    feeds = [{"p": p_value, "x": [1, 2]} for p_value in (True, False)]
    return {"y": y, "g": tf.gradients(y, x)[0]}, feeds


@case
def nested_cond() -> Any:
    p, q, x = _flag("p"), _flag("q"), _floats("x")
    y = tf.cond(
        p,
        lambda: tf.cond(q, lambda: x * x, lambda: -x),
        lambda: tf.cond(q, lambda: x + 1.0, lambda: tf.identity(x)),
    )
    feeds = [{"p": a, "q": b, "x": 3.0} for a in (True, False) for b in (True, False)]
    return {"y": y, "g": tf.gradients(y, x)[0]}, feeds


@case
def while_loop() -> Any:
    n = _number("n")
    i, s = tf.while_loop(
        lambda i, s: i < n,
        lambda i, s: (i + 1, s * 2.0 + tf.cast(i, tf.float32)),
        [tf.constant(0), tf.constant(1.0)],
        name="loop",
    )
    return {"i": i, "s": s}, [{"n": 5}, {"n": 0}]


@case
def while_gradient() -> Any:
    x, n = _floats("x", 2), _number("n")
    s = _repeat(n, lambda v: tf.sin(v) * x, x)
    feeds = [{"n": times, "x": [0.5, 1.5]} for times in (3, 0)]
    return {"s": s, "g": tf.gradients(s, x)[0]}, feeds


@case
def nested_while() -> Any:
    n, m, x = _number("n"), _number("m"), _floats("x")
    s = _repeat(n, lambda v: _repeat(m, lambda u: tf.tanh(u) * x + 1.0, v), x)
    feeds = [{"n": a, "m": b, "x": 0.7} for a, b in ((3, 2), (1, 0), (0, 3))]
    return {"s": s, "g": tf.gradients(s, x)[0]}, feeds


@case
def cond_in_while() -> Any:
    n, x = _number("n"), _floats("x")
    _, s = tf.while_loop(
        lambda i, s: i < n,
        lambda i, s: (i + 1, tf.cond(tf.equal(i % 2, 0), lambda: s * x, lambda: s + x)),
        [tf.constant(0), x],
    )
    return {"s": s, "g": tf.gradients(s, x)[0]}, [{"n": 4, "x": 1.5}, {"n": 1, "x": 2.0}]


@case
def while_in_cond() -> Any:
    p, x = _flag("p"), _floats("x")
    s = tf.cond(p, lambda: _repeat(3, lambda v: v * x, x), lambda: x - 1.0)
    return {"s": s, "g": tf.gradients(s, x)[0]}, [{"p": True, "x": 2.0}, {"p": False, "x": 2.0}]


@case
def tensor_array() -> Any:
    x = _floats("x", None, 2)
    n = tf.shape(x)[0]
    source = tf.TensorArray(tf.float32, n).unstack(x)

    def body(i: Any, written: Any, total: Any) -> Any:
        total = total + source.read(i)
        return i + 1, written.write(i, total * total), total

    start = [tf.constant(0), tf.TensorArray(tf.float32, n), tf.zeros([2])]
    y = tf.while_loop(lambda i, *_: i < n, body, start)[1].stack()
    feeds = [{"x": [[1, 2], [3, 4], [5, 6]]}, {"x": [[0.5, 0.25]]}]
    return {"y": y, "g": tf.gradients(y, x)[0]}, feeds


@case
def growing() -> Any:
    n = _number("n")
    _, v = tf.while_loop(
        lambda i, v: i < n,
        lambda i, v: (i + 1, tf.concat([v, v + 1.0], 0)),
        [tf.constant(0), tf.constant([1.0])],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
    )
    return {"v": v}, [{"n": 3}, {"n": 0}]


@case
def variable_in_loop() -> Any:
    n = _number("n")
    v = tf.Variable(1.0, name="v")

    def body(i: Any) -> Any:
        with tf.control_dependencies([tf.assign_add(v, 2.0)]):
            return tf.identity(i + 1)

    i = tf.while_loop(lambda i: i < n, body, [tf.constant(0)], parallel_iterations=1)
    with tf.control_dependencies([i]):
        read = tf.identity(v.read_value())
    tf.group(v.initializer, name="init")
    return {"i": i, "v": read}, [{"n": 3}]


@case
def map_scan_fold() -> Any:
    x = _floats("x", 3)
    mapped = tf.map_fn(lambda e: e * e + 1.0, x)
    scanned = tf.scan(lambda s, e: s * e, x)
    folded = tf.foldl(lambda s, e: s - e, x)
    gradient = tf.gradients([mapped, scanned, folded], x)[0]
    return {"m": mapped, "s": scanned, "f": folded, "g": gradient}, [{"x": [1, 2, 3]}]


@case
def dynamic_rnn() -> Any:
    x = _floats("x", 2, 3, 2)
    lengths = tf.placeholder(tf.int32, [2], name="l")
    cell = tf.nn.rnn_cell.BasicRNNCell(2)
    with tf.variable_scope("rnn", initializer=tf.constant_initializer(0.3)):
        outputs, state = tf.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=tf.float32)
    variables = tf.trainable_variables()
    gradients = tf.gradients(tf.reduce_sum(outputs * outputs), [*variables, x])
    tf.group(*[v.initializer for v in variables], name="init")
    values = (np.arange(12).reshape(2, 3, 2) / 10.0).tolist()
    feeds = [{"x": values, "l": lengths_value} for lengths_value in ([3, 2], [1, 0])]
    return {"o": outputs, "s": state, **dict(zip("wbx", gradients, strict=True))}, feeds


def _trained(waits: bool) -> Any:
    x = _floats("x", None, 2)
    v = tf.get_variable("v", initializer=[[0.5, 0.1], [0.2, 0.3]])
    h = _repeat(3, lambda value: tf.tanh(tf.matmul(value, v)), x)
    y = tf.cond(tf.reduce_sum(h) > 0.0, lambda: h * 2.0, lambda: h - 1.0)
    loss = tf.reduce_mean(tf.square(y))
    with tf.control_dependencies([loss] if waits else []):
        step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.control_dependencies([step]):
        after = tf.identity(v.read_value())
    tf.group(v.initializer, name="init")
    return {"v": after}, [{"x": [[1.0, 2.0], [0.5, -0.25]]}, {"x": [[-1.0, -2.0]]}]


@case
def training() -> Any:
    return _trained(waits=False)


@case
def training_after_the_loss() -> Any:
    # The stacks of the forward loop are made after its results: its turns overlap with that.
    return _trained(waits=True)


@case
def stacks_and_switches() -> Any:
    from tensorflow.python.ops import control_flow_ops, gen_data_flow_ops

    x, p = _floats("x", 2), _flag("p")
    stack = gen_data_flow_ops.stack_v2(-1, tf.float32, stack_name="stack")
    first = gen_data_flow_ops.stack_push_v2(stack, x)
    with tf.control_dependencies([first]):
        second = gen_data_flow_ops.stack_push_v2(stack, x * 2.0)
    with tf.control_dependencies([second]):
        popped = gen_data_flow_ops.stack_pop_v2(stack, tf.float32)
    no, yes = control_flow_ops.switch(popped, p)
    merged, index = control_flow_ops.merge([no + 1.0, yes * 5.0])
    return {"m": merged, "i": index}, [{"p": True, "x": [1, 2]}, {"p": False, "x": [1, 2]}]


def write(name: str, make: Case, folder: Path) -> list[dict[str, Any]]:
    """Writes the graph of a case and gives its feeds with their results."""
    with tf.Graph().as_default() as graph, tf.Session() as session:
        fetches, feeds = make()
        named = {key: tf.identity(value, name=f"out_{key}") for key, value in fetches.items()}
        definition = graph.as_graph_def()
        found = []
        for feed in feeds:
            if any(node.name == "init" for node in definition.node):
                session.run("init")
            values = session.run(named, {f"{key}:0": value for key, value in feed.items()})
            found.append({"feed": feed, "want": {k: v.tolist() for k, v in values.items()}})
        content = definition.SerializeToString(deterministic=True)
    (folder / f"{name}.pb.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    return found


def main(folder: Path) -> None:
    """Writes all cases in both forms."""
    tf.disable_v2_behavior()
    results: dict[str, Any] = {}
    forms: dict[str, list[Callable[[], None]]] = {
        "raw": [tf.disable_control_flow_v2, tf.disable_resource_variables],
        "functional": [tf.enable_control_flow_v2, tf.enable_resource_variables],
    }
    for form, choices in forms.items():
        for choose in choices:
            choose()
        (folder / form).mkdir(parents=True, exist_ok=True)
        for name, make in CASES.items():
            if form == "raw" or name != "stacks_and_switches":
                results[f"{form}/{name}"] = write(name, make, folder / form)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
