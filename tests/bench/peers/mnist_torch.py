"""MNIST in PyTorch.

python tests/bench/peers/mnist_torch.py FOLDER
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mnist_training import EPSILON, LEARNING_RATE, first_weights, train


def main() -> None:
    arrays = first_weights()
    # PyTorch's own order of axes: channels before rows and columns, output channels first.
    arrays[0], arrays[2] = (a.transpose(3, 2, 0, 1) for a in (arrays[0], arrays[2]))
    arrays[4] = arrays[4].reshape(7, 7, 64, -1).transpose(2, 0, 1, 3).reshape(7 * 7 * 64, -1)
    parameters = [torch.from_numpy(np.ascontiguousarray(a)).requires_grad_() for a in arrays]
    w1, b1, w2, b2, w3, b3, w4, b4 = parameters
    optimizer = torch.optim.Adam(parameters, LEARNING_RATE, eps=EPSILON, fused=True)

    def network(x: Any) -> Any:
        h = torch.from_numpy(x).reshape(-1, 1, 28, 28)
        h = F.max_pool2d(F.relu(F.conv2d(h, w1, b1, padding=2)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, w2, b2, padding=2)), 2)
        h = F.relu(torch.addmm(b3, h.reshape(len(x), -1), w3))
        return torch.addmm(b4, h, w4)

    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        F.cross_entropy(network(x), torch.from_numpy(y).long()).backward()
        optimizer.step()

    @torch.no_grad()
    def predict(x: Any) -> Any:
        return network(x).argmax(1).numpy()

    train(torch.__version__, step, predict)


if __name__ == "__main__":
    main()
