"""The loops of `tests/bench/loops.py` in JAX: prints the seconds of each as JSON."""

from __future__ import annotations

import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

BODIES = {
    "a scalar": (lambda i, v: v * 0.999 + 1.0, ()),
    "16 elements": (lambda i, v: v * 0.999 + 1.0, (16,)),
    "256 elements": (lambda i, v: v * 0.999 + 1.0, (256,)),
    "the sine of 16": (lambda i, v: jnp.sin(v) + i * 1e-6, (16,)),
    "a product by 16 x 16": (None, (1, 16)),
}


def main() -> None:
    counts = json.loads(sys.argv[1])
    weights = np.load(sys.argv[2])
    found = {}
    for name, (body, shape) in BODIES.items():
        step = body or (lambda i, v: jnp.tanh(v @ weights))
        loop = jax.jit(lambda n, v, step=step: lax.fori_loop(0, n, step, v))
        start = jnp.ones(shape, jnp.float32)
        began = time.perf_counter()
        result = jax.block_until_ready(loop(counts[name], start))
        first = time.perf_counter() - began
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            jax.block_until_ready(loop(counts[name], start))
            seconds.append(time.perf_counter() - began)
        found[name] = {
            "first": first,
            "seconds": seconds,
            "last": float(np.asarray(result).reshape(-1)[0]),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
