"""Loops of small bodies: nanoseconds a pass of `tf.while_loop`, beside JAX's `fori_loop`.

    python tests/bench/loops.py [--jax PYTHON] [--rounds 3] [--limit 2]

PYTHON is an interpreter that has JAX. How often a loop goes round is fed, so nothing is known of it
beforehand. first: the first run, in which compiling takes place; the others are medians of the
following ones. The interpreter's passes stand beside them, of a loop a hundred times as short.
Ends with status 1 where a loop takes more than `--limit` times as long as JAX's, or its memory
grows with the passes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import workbench as tf

PROGRAM = Path(__file__).parent / "peers" / "loops_jax.py"
WEIGHTS = np.random.default_rng(0).standard_normal((16, 16)).astype(np.float32) * 0.3

Body = Callable[[Any, Any], Any]
LOOPS: dict[str, tuple[Body, tuple[int, ...], int]] = {
    "a scalar": (lambda i, v: v * 0.999 + 1.0, (), 1_000_000),
    "16 elements": (lambda i, v: v * 0.999 + 1.0, (16,), 1_000_000),
    "256 elements": (lambda i, v: v * 0.999 + 1.0, (256,), 1_000_000),
    "the sine of 16": (
        lambda i, v: tf.sin(v) + tf.cast(i, tf.float32) * 1e-6,
        (16,),
        1_000_000,
    ),
    "a product by 16 x 16": (lambda i, v: tf.tanh(tf.matmul(v, WEIGHTS)), (1, 16), 100_000),
}
#: Bytes that a hundred times as many passes may have more at their peak.
MOST_GROWTH = 100_000


def seconds_of(action: Callable[[], Any]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def ours(name: str) -> dict[str, Any]:
    """The seconds of a loop, and what it ends with."""
    body, shape, count = LOOPS[name]
    with tf.Graph().as_default():
        n = tf.placeholder(tf.int32, [])
        start = tf.ones(shape)
        result = tf.while_loop(lambda i, v: i < n, lambda i, v: (i + 1, body(i, v)), [0, start])[1]
        with tf.Session() as session:
            first = seconds_of(lambda: session.run(result, {n: count}))
            # The next runs have the compiled program.
            for _ in range(3):
                last = session.run(result, {n: count})
                time.sleep(0.05)
            seconds = [seconds_of(lambda: session.run(result, {n: count})) for _ in range(5)]
        with tf.Session(tier="interpreted") as session:
            session.run(result, {n: 10})
            interpreted = seconds_of(lambda: session.run(result, {n: count // 100})) * 100
            growth = peak(session, result, n, 20_000) - peak(session, result, n, 200)
    return {
        "first": first,
        "seconds": seconds,
        "last": float(np.asarray(last).reshape(-1)[0]),
        "interpreted": interpreted,
        "growth": growth,
    }


def peak(session: tf.Session, result: Any, n: Any, count: int) -> int:
    """The most memory that so many passes had at a time, in bytes."""
    tracemalloc.start()
    try:
        session.run(result, {n: count})
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def theirs(python: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.npy"
        np.save(weights, WEIGHTS)
        counts = json.dumps({name: count for name, (_, _, count) in LOOPS.items()})
        command = [python, str(PROGRAM), counts, str(weights)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jax", help="an interpreter that has JAX")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=2.0, help="our time by JAX's, at most")
    arguments = parser.parse_args()
    rounds = [
        ({name: ours(name) for name in LOOPS}, theirs(arguments.jax) if arguments.jax else {})
        for _ in range(arguments.rounds if arguments.jax else 1)
    ]
    failed = False
    print(f"{'':22}{'ns a pass':>10}{'first, s':>10}{'interpreted':>13}{'JAX':>8}{'ratio':>8}")
    for name, (_, _, count) in LOOPS.items():
        mine = [r[name] for r, _ in rounds]
        nanoseconds = statistics.median(s for m in mine for s in m["seconds"]) / count * 1e9
        row = f"{name:22}{nanoseconds:10.1f}{min(m['first'] for m in mine):10.2f}"
        row += f"{min(m['interpreted'] for m in mine) / count * 1e9:13.0f}"
        growth = max(m["growth"] for m in mine)
        if growth > MOST_GROWTH:
            failed = True
            row += f"  memory grows by {growth:,} bytes"
        if arguments.jax:
            others = [r[name] for _, r in rounds]
            jax = statistics.median(s for o in others for s in o["seconds"]) / count * 1e9
            failed = failed or nanoseconds > arguments.limit * jax
            row += f"{jax:8.1f}{nanoseconds / jax:8.2f}"
            if not np.isclose(mine[0]["last"], others[0]["last"], rtol=1e-3, atol=1e-3):
                failed = True
                row += f"  ends with {mine[0]['last']}, JAX with {others[0]['last']}"
        print(row, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
