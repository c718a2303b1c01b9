"""MNIST for every engine alike: the images, the batches in their order, the first weights, and the
loop that trains until enough test images are recognised.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

START = float(os.environ.get("BENCH_START", time.time()))
BATCH, LEARNING_RATE, EPSILON = 128, 1e-3, 1e-7
#: The whole test set is looked at every so many steps, in parts of this many images.
EVALUATED, PART = 100, 1000
WANTED = 0.99
MOST_STEPS = 6000

Array = np.ndarray[Any, Any]


def read(path: Path) -> Array:
    """An array of bytes in the IDX format, compressed: two zeros, type, rank, big-endian sizes."""
    data = gzip.decompress(path.read_bytes())
    kind, rank = data[2], data[3]
    if data[:2] != b"\0\0" or kind != 8:
        raise ValueError(f"{path} is not an IDX file of bytes")
    sizes = np.frombuffer(data, ">u4", rank, 4).astype(int)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(sizes)


def prepared(images: Array) -> Array:
    """Images as networks take them: float32 [count, 28, 28, 1] from 0 to 1."""
    return images[..., np.newaxis].astype(np.float32) / np.float32(255)


def first_weights() -> list[Array]:
    """Kernels and biases of two convolutions and two dense layers."""
    random = np.random.RandomState(0)
    weights: list[Array] = []
    for shape in ((5, 5, 1, 32), (5, 5, 32, 64), (7 * 7 * 64, 1024), (1024, 10)):
        size = np.sqrt(2 / np.prod(shape[:-1]))
        weights.append((random.standard_normal(shape) * size).astype(np.float32))
        weights.append(np.zeros(shape[-1], np.float32))
    return weights


def batches(images: Array, labels: Array) -> Iterator[tuple[Array, Array]]:
    """Batches without end; every pass over the images has an order of its own."""
    random = np.random.RandomState(1)
    while True:
        order = random.permutation(len(images))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            yield prepared(images[chosen]), labels[chosen].astype(np.int32)


def train(
    version: str,
    step: Callable[[Array, Array], object],
    predict: Callable[[Array], Array],
) -> None:
    """Trains with `step` until `predict` is right often enough; prints how long that took."""
    folder = Path(sys.argv[1])
    images, labels = (read(folder / f"train-{part}-ubyte.gz") for part in PARTS)
    test_images, test_labels = (read(folder / f"t10k-{part}-ubyte.gz") for part in PARTS)
    history: list[tuple[int, float, float]] = []
    first = 0.0
    for number, (x, y) in enumerate(batches(images, labels), 1):
        step(x, y)
        first = first or time.time() - START
        if number % EVALUATED:
            continue
        right = 0
        for begin in range(0, len(test_images), PART):
            guessed = predict(prepared(test_images[begin : begin + PART]))
            right += int((guessed == test_labels[begin : begin + PART]).sum())
        accuracy = right / len(test_images)
        history.append((number, time.time() - START, accuracy))
        if accuracy >= WANTED or number >= MOST_STEPS:
            break
    print(json.dumps({"version": version, "first": first, "history": history}), flush=True)


PARTS = ("images-idx3", "labels-idx1")
