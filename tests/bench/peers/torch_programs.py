"""The workloads in PyTorch, eager, with the fastest call it has for each part.

python tests/bench/peers/torch_programs.py WORKLOAD
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from timing import measure
from workloads import FEATURES, HEADS, HIDDEN, WORKLOADS, Workload

Loss = Callable[[Any, Any], Any]


def parameter(array: Any) -> Any:
    return torch.from_numpy(np.array(array)).requires_grad_()


def perceptron(workload: Workload) -> tuple[list[Any], Loss]:
    parameters = [parameter(w) for w in workload.weights]
    w1, b1, w2, b2, w3, b3 = parameters

    def loss(x: Any, y: Any) -> Any:
        hidden = F.relu(torch.addmm(b1, x, w1))
        hidden = F.relu(torch.addmm(b2, hidden, w2))
        return F.cross_entropy(torch.addmm(b3, hidden, w3), y)

    return parameters, loss


def convolutional(workload: Workload) -> tuple[list[Any], Loss]:
    # PyTorch's own order of axes: channels before rows and columns, output channels first.
    arrays = [w.transpose(3, 2, 0, 1) if w.ndim == 4 else w for w in workload.weights]
    flat = arrays[4].reshape(7, 7, 64, -1).transpose(2, 0, 1, 3)
    arrays[4] = flat.reshape(workload.weights[4].shape)
    parameters = [parameter(np.ascontiguousarray(a)) for a in arrays]
    w1, b1, w2, b2, w3, b3, w4, b4 = parameters

    def loss(x: Any, y: Any) -> Any:
        h = x.reshape(-1, 1, 28, 28)
        h = F.max_pool2d(F.relu(F.conv2d(h, w1, b1, padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, w2, b2, padding=1)), 2)
        h = F.relu(torch.addmm(b3, h.reshape(len(x), -1), w3))
        return F.cross_entropy(torch.addmm(b4, h, w4), y)

    return parameters, loss


def regression(workload: Workload) -> tuple[list[Any], Loss]:
    parameters = [parameter(w) for w in workload.weights]
    a, b, c = parameters
    return parameters, lambda x, y: torch.square((a * x + b) * x + c - y)


def chain(workload: Workload) -> tuple[list[Any], Loss]:
    w = parameter(workload.weights[0])

    def loss(x: Any, y: Any) -> Any:
        h = torch.sigmoid(x * w + 0.25)
        h = torch.sqrt(h * (1.0 - h) + 0.5)
        h = torch.tanh(torch.exp(-h * x) + w)
        h = torch.log(1.0 + h * h) / (1.0 + x)
        return torch.mean(torch.square(h - 0.1)) + y

    return [w], loss


def recurrent(workload: Workload) -> tuple[list[Any], Loss]:
    kernel, bias, w, b = workload.weights

    def gates(array: Any) -> Any:
        """The columns in PyTorch's order: enter, forget, new, leave."""
        enter, new, forget, leave = np.split(array, 4, axis=-1)
        return np.ascontiguousarray(np.concatenate([enter, forget, new, leave], -1).T)

    forget_bias = np.repeat(np.float32([0, 0, 1, 0]), HIDDEN)
    lstm = torch.nn.LSTM(FEATURES, HIDDEN)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(torch.from_numpy(gates(kernel[:FEATURES])))
        lstm.weight_hh_l0.copy_(torch.from_numpy(gates(kernel[FEATURES:])))
        lstm.bias_ih_l0.copy_(torch.from_numpy(gates(bias + forget_bias)))
        lstm.bias_hh_l0.zero_()
    # Its second bias does what the first one does already.
    lstm.bias_hh_l0.requires_grad_(False)
    output = [parameter(w), parameter(b)]

    def loss(x: Any, y: Any) -> Any:
        _, (hidden, _) = lstm(x)
        return F.cross_entropy(torch.addmm(output[1], hidden[0], output[0]), y)

    return [p for p in lstm.parameters() if p.requires_grad] + output, loss


def attention(workload: Workload) -> tuple[list[Any], Loss]:
    parameters = [parameter(w) for w in workload.weights]

    def loss(x: Any, y: Any) -> Any:
        batch, length, width = x.shape
        queries, keys, values = (
            (x @ w).view(batch, length, HEADS, -1).transpose(1, 2) for w in parameters[:3]
        )
        mixed = F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2)
        output = mixed.reshape(batch, length, width) @ parameters[3]
        return torch.mean(torch.square(output - y))

    return parameters, loss


NETWORKS = {
    f.__name__: f for f in (perceptron, convolutional, regression, chain, recurrent, attention)
}


def main() -> None:
    workload = WORKLOADS[sys.argv[1]]()
    parameters, loss_of = NETWORKS[sys.argv[1]](workload)
    labels = np.int64 if workload.y.dtype == np.int32 else workload.y.dtype
    x, y = np.asarray(workload.x), np.asarray(workload.y, labels)

    def step() -> float:
        loss = loss_of(torch.from_numpy(x), torch.from_numpy(y))
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for weight, gradient in zip(parameters, gradients, strict=True):
                weight.sub_(gradient, alpha=workload.learning_rate)
        return float(loss.item())

    measure(torch.__version__, step)


if __name__ == "__main__":
    main()
