"""Measure how soon a second process runs compiled steps: from the end of its first step.

    python -m tests.bench.warm_start [--rounds 3] [--limit 300]

Each model trains in processes of its own that share a folder for machine code: the first finds it
empty and compiles, the others find what that left. Given are the medians, in ms: the first step,
which in a later process contains bringing the code; from its end to the first compiled step, and
how many interpreted steps ran meanwhile; what compiling, or bringing the code, took; the processor
time of all threads from the end of the first step to the first compiled one; and the steps of both
tiers. The goal is 50 ms. Ends with status 1 where a process that should find everything compiles or
imports LLVM, or needs longer than the limit, which is far from the goal because machines may be
busy.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import workbench as tf

#: Seconds for a process.
PATIENCE = 60.0
#: Compiled steps that are timed.
STEPS = 20


def dense() -> tuple[dict[Any, Any], Any]:
    """Three layers, 96 examples."""
    x, y = tf.placeholder(tf.float32, [None, 256]), tf.placeholder(tf.int32, [None])
    hidden = tf.layers.dense(x, 384, activation=tf.nn.relu)
    hidden = tf.layers.dense(hidden, 384, activation=tf.nn.relu)
    return fed(x, (96, 256), y), classified(tf.layers.dense(hidden, 10), y)


def convolutional() -> tuple[dict[Any, Any], Any]:
    """Two convolutions with pooling, 32 images of 20 by 20."""
    x, y = tf.placeholder(tf.float32, [None, 20, 20, 1]), tf.placeholder(tf.int32, [None])
    hidden = tf.layers.conv2d(x, 16, 5, padding="same", activation=tf.nn.relu)
    hidden = tf.layers.max_pooling2d(hidden, 2, 2)
    hidden = tf.layers.conv2d(hidden, 32, 3, padding="same", activation=tf.nn.relu)
    hidden = tf.layers.flatten(tf.layers.max_pooling2d(hidden, 2, 2))
    return fed(x, (32, 20, 20, 1), y), classified(tf.layers.dense(hidden, 10), y)


def recurrent() -> tuple[dict[Any, Any], Any]:
    """A long short-term memory of 64 units over 16 steps, unrolled, 64 sequences."""
    x, y = tf.placeholder(tf.float32, [None, 16, 24]), tf.placeholder(tf.int32, [None])
    kernel = tf.get_variable("kernel", [88, 256])
    state = output = tf.zeros([64, 64])
    for t in range(16):
        gates = tf.matmul(tf.concat([x[:, t], output], 1), kernel)
        i, j, f, o = tf.split(gates, 4, 1)
        state = state * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        output = tf.tanh(state) * tf.sigmoid(o)
    return fed(x, (64, 16, 24), y), classified(tf.layers.dense(output, 10), y)


MODELS: dict[str, Callable[[], tuple[dict[Any, Any], Any]]] = {
    f.__name__: f for f in (dense, convolutional, recurrent)
}


def fed(x: Any, shape: tuple[int, ...], y: Any) -> dict[Any, Any]:
    random = np.random.RandomState(0)
    labels = random.randint(0, 10, shape[0]).astype(np.int32)
    return {x: random.standard_normal(shape).astype(np.float32), y: labels}


def classified(logits: Any, y: Any) -> Any:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    return tf.reduce_mean(losses)


def run(model: str) -> dict[str, Any]:
    """Trains in this process until the steps are compiled; gives times in ms."""
    feeds, loss = MODELS[model]()
    operation = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())

        def step() -> float:
            began = time.perf_counter()
            session.run([loss, operation], feeds)
            return 1e3 * (time.perf_counter() - began)

        def program() -> Any:
            return list(session._programs._programs.values())[-1]

        first = step()
        began, worked = time.perf_counter(), time.process_time()
        interpreted = []
        while program().tier == "interpreted" and time.perf_counter() - began < PATIENCE:
            interpreted.append(step())
        reached = time.perf_counter() - began
        worked = time.process_time() - worked
        compiled = [step() for _ in range(STEPS)]
        has_llvm = "llvmlite" in sys.modules
        from workbench.core.codegen.compiler import KernelLibrary
        from workbench.core.runtime.compiling import compiler

        compiler().wait(PATIENCE)
        compilation = session._programs.tiers.find(program())
        assert compilation is not None
    return {
        "first": first,
        "reached": 1e3 * reached,
        "worked": 1e3 * worked,
        "compiling": 1e3 * compilation.seconds,
        "steps": len(interpreted),
        "interpreted": min(interpreted, default=0.0),
        "compiled step": statistics.median(compiled),
        "functions": KernelLibrary.shared().statistics.compiled,
        "llvm": has_llvm,
    }


def in_process(model: str, folder: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.warm_start", "--model", model]
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        env={**os.environ, "WORKBENCH_CACHE": folder, "WORKBENCH_TIER": "auto"},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def line(name: str, results: list[dict[str, Any]]) -> str:
    middle = {key: statistics.median([r[key] for r in results]) for key in results[0]}
    interpreted = f"{middle['interpreted']:.2f}" if middle["steps"] else "-"
    return (
        f"{name:25} first step {middle['first']:7.1f}   compiled {middle['reached']:7.1f} after it "
        f"({middle['steps']:.0f} steps)   compiling {middle['compiling']:7.1f}   "
        f"processor {middle['worked']:.0f}   step {interpreted} -> {middle['compiled step']:.2f}"
    )


def measure(model: str, rounds: int, limit: float) -> bool:
    """Prints the times of a model; True where the later processes are as they should be."""
    with tempfile.TemporaryDirectory() as folder:
        cold = in_process(model, folder)
        warm = [in_process(model, folder) for _ in range(rounds)]
    print(line(f"{model}, first time", [cold]))
    print(line(f"{model}, again", warm), flush=True)
    reached = statistics.median(found["reached"] for found in warm)
    if any(found["functions"] or found["llvm"] for found in warm):
        print("  a process compiled what was on disk")
        return False
    if reached > limit:
        print(f"  that is above the limit of {limit:g} ms")
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="later processes (default 3)")
    parser.add_argument("--limit", type=float, default=300.0, help="highest ms (default 300)")
    parser.add_argument("--model", choices=MODELS, help="train this one in this process")
    arguments = parser.parse_args()
    if arguments.model:
        print(json.dumps(run(arguments.model)))
        return 0
    from workbench.core.codegen import host
    from workbench.core.codegen.fingerprint import system

    obstacle = host.obstacle()
    if obstacle is not None or system() is None:
        print(obstacle or "programs are not kept on this system")
        return 0
    fine = [measure(model, arguments.rounds, arguments.limit) for model in MODELS]
    return int(not all(fine))


if __name__ == "__main__":
    sys.exit(main())
