"""One step of each cell in NumPy, from the values of its variables by their last names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.core.ops.numeric import Array

Weights = dict[str, Array]
Step = Callable[[Weights, Array, Any], tuple[Array, Any]]


def sigmoid(x: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-x))
    return result


def side_by_side(*arrays: Array) -> Array:
    return np.concatenate(arrays, 1)


def plain(w: Weights, x: Array, h: Array) -> tuple[Array, Any]:
    h = np.tanh(side_by_side(x, h) @ w["kernel"] + w["bias"])
    return h, h


def gru(w: Weights, x: Array, h: Array) -> tuple[Array, Any]:
    gates = sigmoid(side_by_side(x, h) @ w["gates/kernel"] + w["gates/bias"])
    r, u = np.split(gates, 2, 1)
    c = np.tanh(side_by_side(x, r * h) @ w["candidate/kernel"] + w["candidate/bias"])
    h = u * h + (1 - u) * c
    return h, h


def lstm(w: Weights, x: Array, state: Any, forget_bias: float = 1.0) -> tuple[Array, Any]:
    c, h = state
    i, j, f, o = np.split(side_by_side(x, h) @ w["kernel"] + w["bias"], 4, 1)
    c = c * sigmoid(f + forget_bias) + sigmoid(i) * np.tanh(j)
    h = np.tanh(c) * sigmoid(o)
    return h, (c, h)


def full_lstm(clip: float | None = None, proj_clip: float | None = None) -> Step:
    """The LSTM with peepholes and a projection, clipped."""

    def step(w: Weights, x: Array, state: Any) -> tuple[Array, Any]:
        c, h = state
        i, j, f, o = np.split(side_by_side(x, h) @ w["kernel"] + w["bias"], 4, 1)
        f, i = f + w["w_f_diag"] * c + 1, i + w["w_i_diag"] * c
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(j)
        if clip is not None:
            c = np.clip(c, -clip, clip)
        h = (sigmoid(o + w["w_o_diag"] * c) * np.tanh(c)) @ w["projection/kernel"]
        if proj_clip is not None:
            h = np.clip(h, -proj_clip, proj_clip)
        return h, (c, h)

    return step


def coupled(w: Weights, x: Array, state: Any) -> tuple[Array, Any]:
    c, h = state
    j, f, o = np.split(side_by_side(x, h) @ w["W_0"] + w["B"], 3, 1)
    f = sigmoid(f + 1 + w["W_F_diag"] * c)
    c = f * c + (1 - f) * np.tanh(j)
    h = sigmoid(o + w["W_O_diag"] * c) * np.tanh(c)
    return h, (c, h)


def update_gate(w: Weights, x: Array, h: Array) -> tuple[Array, Any]:
    g, c = np.split(side_by_side(x, h) @ w["kernel"] + w["bias"], 2, 1)
    g = sigmoid(g + 1)
    h = g * h + (1 - g) * np.tanh(c)
    return h, h


def intersection(w: Weights, x: Array, h: Array) -> tuple[Array, Any]:
    x = x @ w["in_projection/kernel"] + w["in_projection/bias"]
    gh, c, gy, y = np.split(side_by_side(x, h) @ w["kernel"] + w["bias"], 4, 1)
    gh, gy = sigmoid(gh + 1), sigmoid(gy + 1)
    return gy * x + (1 - gy) * np.maximum(y, 0), gh * h + (1 - gh) * np.tanh(c)


def searched(w: Weights, x: Array, state: Any) -> tuple[Array, Any]:
    c, h = state
    hs = np.split(h @ w["recurrent_kernel"] + w["bias"], 8, 1)
    xs = np.split(x @ w["kernel"], 8, 1)
    sums = [a + b for a, b in zip(xs, hs, strict=True)]
    relu3 = np.maximum(xs[3] * hs[3], 0)
    one = np.tanh(sigmoid(sums[0]) * np.maximum(sums[1], 0))
    two = np.tanh(sigmoid(sums[2]) + relu3)
    three = np.tanh(np.tanh(sums[4]) * sigmoid(sums[5]))
    four = sigmoid(np.tanh(sums[6]) + sigmoid(sums[7]))
    c = np.tanh(one + c) * two
    h = np.tanh(c * np.tanh(three + four)) @ w["projection_weights"]
    return h, (c, h)


def normalised(x: Array, gain: Array, shift: Array) -> Array:
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    result: Array = (x - mean) / np.sqrt(variance + 1e-12) * gain + shift
    return result


def layer_norm_lstm(w: Weights, x: Array, state: Any) -> tuple[Array, Any]:
    c, h = state

    def norm(value: Array, name: str) -> Array:
        return normalised(value, w[f"{name}/gamma"], w[f"{name}/beta"])

    i, j, f, o = np.split(side_by_side(x, h) @ w["kernel"], 4, 1)
    i, j, f, o = norm(i, "input"), norm(j, "transform"), norm(f, "forget"), norm(o, "output")
    c = norm(c * sigmoid(f + 1) + sigmoid(i) * np.tanh(j), "state")
    h = np.tanh(c) * sigmoid(o)
    return h, (c, h)


def grouped_lstm(w: Weights, x: Array, state: Any) -> tuple[Array, Any]:
    c, h = state
    gates: list[list[Array]] = [[], [], [], []]
    half = h.shape[1] // 2
    for group in (0, 1):
        span = slice(group * half, (group + 1) * half)
        product = side_by_side(x[:, span], h[:, span]) @ w[f"group{group}/kernel"]
        for parts, part in zip(gates, np.split(product, 4, 1), strict=True):
            parts.append(part)
    i, j, f, o = (
        side_by_side(*parts) + w[f"bias_{name}"] for parts, name in zip(gates, "ijfo", strict=True)
    )
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(j)
    h = sigmoid(o) * np.tanh(c)
    return h, (c, h)


def gru_block(w: Weights, x: Array, h: Array) -> tuple[Array, Any]:
    names = {
        "gates/kernel": w["w_ru"],
        "gates/bias": w["b_ru"],
        "candidate/kernel": w["w_c"],
        "candidate/bias": w["b_c"],
    }
    return gru(names, x, h)


def attention_cell(w: Weights, x: Array, state: Any) -> tuple[Array, Any]:
    """A GRU that attends to its last 3 outputs of size 4."""
    h, attention, past = state
    past = past.reshape(len(past), 3, 4)
    x = side_by_side(x, attention) @ w["kernel"] + w["bias"]
    inner = {k.removeprefix("gru_cell/"): v for k, v in w.items() if k.startswith("gru_cell/")}
    output, h = gru(inner, x, h)
    asked = h @ w["attention/kernel"] + w["attention/bias"]
    seen = past @ w["attention/attn_w"][0, 0] + asked[:, None]
    fit = np.exp((w["attention/attn_v"] * np.tanh(seen)).sum(2))
    fit /= fit.sum(1, keepdims=True)
    attention = (fit[:, :, None] * past).sum(1)
    joined = side_by_side(output, attention)
    kernel = w["attn_output_projection/kernel"]
    output = joined @ kernel + w["attn_output_projection/bias"]
    past = np.concatenate([past[:, 1:], output[:, None]], 1)
    return output, (h, attention, past.reshape(len(past), -1))
