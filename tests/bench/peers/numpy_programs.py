"""Three workloads in NumPy, differentiated by hand and written for speed.

python tests/bench/peers/numpy_programs.py perceptron|regression|chain
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from timing import measure
from workloads import WORKLOADS, Workload


def perceptron(workload: Workload) -> Callable[[], float]:
    w1, b1, w2, b2, w3, b3 = weights = [w.copy() for w in workload.weights]
    x, y, rate = workload.x, workload.y, np.float32(workload.learning_rate)
    batch = len(x)
    rows = np.arange(batch)
    gradients = [np.empty_like(w) for w in weights]

    def step() -> float:
        h1 = x @ w1
        h1 += b1
        np.maximum(h1, 0, out=h1)
        h2 = h1 @ w2
        h2 += b2
        np.maximum(h2, 0, out=h2)
        logits = h2 @ w3
        logits += b3
        logits -= logits.max(1, keepdims=True)
        chances = np.exp(logits)
        totals = chances.sum(1, keepdims=True)
        loss = float((np.log(totals[:, 0]) - logits[rows, y]).mean())
        chances /= totals
        chances[rows, y] -= 1
        chances *= np.float32(1 / batch)
        np.matmul(h2.T, chances, out=gradients[4])
        chances.sum(0, out=gradients[5])
        back = chances @ w3.T
        back *= h2 > 0
        np.matmul(h1.T, back, out=gradients[2])
        back.sum(0, out=gradients[3])
        back = back @ w2.T
        back *= h1 > 0
        np.matmul(x.T, back, out=gradients[0])
        back.sum(0, out=gradients[1])
        for weight, gradient in zip(weights, gradients, strict=True):
            gradient *= rate
            weight -= gradient
        return loss

    return step


def regression(workload: Workload) -> Callable[[], float]:
    a, b, c = workload.weights
    x, y, rate = workload.x, workload.y, np.float32(workload.learning_rate)
    two = np.float32(2)

    def step() -> float:
        nonlocal a, b, c
        off = (a * x + b) * x + c - y
        down = rate * (two * off)
        a, b, c = a - down * x * x, b - down * x, c - down
        return float(off * off)

    return step


def chain(workload: Workload) -> Callable[[], float]:
    w = workload.weights[0].copy()
    x, rate = workload.x, np.float32(workload.learning_rate)
    s, p, q, e, t, u, d, g = (np.empty_like(w) for _ in range(8))
    divisor = 1 + x

    def step() -> float:
        np.multiply(x, w, out=s)
        np.add(s, np.float32(0.25), out=s)
        np.negative(s, out=s)
        np.exp(s, out=s)
        np.add(s, 1, out=s)
        np.reciprocal(s, out=s)
        np.subtract(1, s, out=p)
        np.multiply(p, s, out=p)
        np.add(p, np.float32(0.5), out=q)
        np.sqrt(q, out=q)
        np.multiply(q, x, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.add(e, w, out=t)
        np.tanh(t, out=t)
        np.multiply(t, t, out=g)
        np.add(g, 1, out=u)
        np.log(u, out=d)
        np.divide(d, divisor, out=d)
        np.subtract(d, np.float32(0.1), out=d)
        loss = float(np.dot(d, d) / d.size)
        # Back to w: first to t, then along both ways on which w comes in.
        np.multiply(d, np.float32(4 / d.size), out=d)
        np.divide(d, divisor, out=d)
        np.multiply(d, t, out=d)
        np.divide(d, u, out=d)
        np.subtract(1, g, out=g)
        np.multiply(d, g, out=d)
        np.multiply(d, e, out=e)
        np.multiply(e, x, out=e)
        np.multiply(q, -2, out=q)
        np.divide(e, q, out=e)
        np.multiply(s, -2, out=s)
        np.add(s, 1, out=s)
        np.multiply(e, s, out=e)
        np.multiply(e, p, out=e)
        np.multiply(e, x, out=e)
        np.add(d, e, out=d)
        np.multiply(d, rate, out=d)
        np.subtract(w, d, out=w)
        return loss

    return step


PROGRAMS = {f.__name__: f for f in (perceptron, regression, chain)}


def main() -> None:
    name = sys.argv[1]
    measure(np.__version__, PROGRAMS[name](WORKLOADS[name]()))


if __name__ == "__main__":
    main()
