"""The reader of the handwritten digits that the public scripts import with TensorFlow's tutorials.

It answers `tensorflow.examples.tutorials.mnist.input_data`. Where the folder a script names lacks
the files, they are taken from the folder in the environment variable WORKBENCH_MNIST, so no script
reaches for the network.
"""

from __future__ import annotations

import collections
import gzip
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

TRAINING_IMAGES = "train-images-idx3-ubyte"
TRAINING_LABELS = "train-labels-idx1-ubyte"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_LABELS = "t10k-labels-idx1-ubyte"
IMAGES_MAGIC = 2051
LABELS_MAGIC = 2049
NUMBER_OF_CLASSES = 10
FAKE_EXAMPLES = 10000

Datasets = collections.namedtuple("Datasets", ["train", "validation", "test"])


def dense_to_one_hot(labels_dense: np.ndarray, num_classes: int) -> np.ndarray:
    """Labels `[n]` as rows of zeros with a single one, `[n, num_classes]`."""
    return np.eye(num_classes)[np.asarray(labels_dense).ravel()]


def _whole_file(file: object) -> bytes:
    """The content of a path or of an open, compressed file."""
    if isinstance(file, str | os.PathLike):
        content = Path(file).read_bytes()
    else:
        content = file.read()  # type: ignore[attr-defined]
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def extract_images(f: object) -> np.ndarray:
    """The images of an idx file, uint8 `[n, rows, columns, 1]`."""
    content = _whole_file(f)
    magic, count, rows, columns = np.frombuffer(content, ">u4", count=4)
    if magic != IMAGES_MAGIC:
        raise ValueError(f"Invalid magic number {magic} in MNIST image file: {f}")
    pixels = np.frombuffer(content, np.uint8, offset=16)
    return pixels.reshape(int(count), int(rows), int(columns), 1)


def extract_labels(f: object, one_hot: bool = False, num_classes: int = 10) -> np.ndarray:
    """The labels of an idx file, uint8 `[n]`, or float64 `[n, num_classes]` as one-hot rows."""
    content = _whole_file(f)
    magic, _ = np.frombuffer(content, ">u4", count=2)
    if magic != LABELS_MAGIC:
        raise ValueError(f"Invalid magic number {magic} in MNIST label file: {f}")
    labels = np.frombuffer(content, np.uint8, offset=8)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def _seed_pair(seed: int | None) -> tuple[int | None, int | None]:
    """What the engine makes of an operation's seed under the graph's seed."""
    engine = sys.modules.get("tensorflow")
    get_seed = getattr(engine, "get_seed", None) if engine is not None else None
    if get_seed is None:
        return (None, seed)
    return get_seed(seed)


def _seed_numpy(seed: int | None) -> None:
    """Seed NumPy as TensorFlow 1.4 does; otherwise as the harness says, if it does."""
    graph_seed, operation_seed = _seed_pair(seed)
    chosen = graph_seed if seed is None else operation_seed
    if chosen is None and "WORKBENCH_PEERS_SEED" in os.environ:
        chosen = int(os.environ["WORKBENCH_PEERS_SEED"])
    np.random.seed(chosen)


class DataSet:
    """Images and labels, handed out in batches that reshuffle after every pass."""

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: object = np.float32,
        reshape: bool = True,
        seed: int | None = None,
    ) -> None:
        _seed_numpy(seed)
        kind = np.dtype(getattr(dtype, "as_numpy_dtype", dtype))
        if kind not in (np.dtype(np.uint8), np.dtype(np.float32)):
            raise TypeError(f"Invalid image dtype {kind}, expected uint8 or float32")
        self.one_hot = one_hot
        self._fake = fake_data
        self._start = 0
        self._epochs_completed = 0
        if fake_data:
            self._num_examples = FAKE_EXAMPLES
            self._images, self._labels = images, labels
            return
        if len(images) != len(labels):
            raise ValueError(f"images.shape: {images.shape} labels.shape: {labels.shape}")
        self._num_examples = len(images)
        if reshape:
            images = images.reshape(len(images), int(np.prod(images.shape[1:])))
        if kind == np.float32:
            images = images.astype(np.float32) * np.float32(1.0 / 255.0)
        self._images, self._labels = images, labels

    @property
    def images(self) -> np.ndarray:
        """All images, in their present order."""
        return self._images

    @property
    def labels(self) -> np.ndarray:
        """All labels, in their present order."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """How many examples there are."""
        return self._num_examples

    @property
    def epochs_completed(self) -> int:
        """How many whole passes `next_batch` has made."""
        return self._epochs_completed

    def next_batch(
        self, batch_size: int, fake_data: bool = False, shuffle: bool = True
    ) -> tuple[object, object]:
        """The next images and labels; a batch may span the end of one pass and the next one."""
        if fake_data:
            label = [1] + [0] * (NUMBER_OF_CLASSES - 1) if self.one_hot else 0
            return [[1] * 784 for _ in range(batch_size)], [label] * batch_size
        start = self._start
        if start == 0 and self._epochs_completed == 0 and shuffle:
            self._shuffle()
        if start + batch_size <= self._num_examples:
            self._start = start + batch_size
            return self._images[start : self._start], self._labels[start : self._start]
        self._epochs_completed += 1
        rest_images, rest_labels = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        self._start = batch_size - len(rest_images)
        return (
            np.concatenate([rest_images, self._images[: self._start]]),
            np.concatenate([rest_labels, self._labels[: self._start]]),
        )

    def _shuffle(self) -> None:
        """Put the examples into a new order, into new arrays: batches given out keep theirs."""
        order = np.arange(self._num_examples)
        np.random.shuffle(order)
        self._images, self._labels = self._images[order], self._labels[order]


def maybe_download(filename: str, work_directory: str, source_url: str = "") -> str:
    """The path of one data file: in `work_directory`, or else in WORKBENCH_MNIST."""
    folders = [Path(work_directory)]
    if "WORKBENCH_MNIST" in os.environ:
        folders.append(Path(os.environ["WORKBENCH_MNIST"]))
    for folder in folders:
        for name in (filename, filename.removesuffix(".gz")):
            if (folder / name).is_file():
                return str(folder / name)
    raise FileNotFoundError(
        f"{filename} is in none of {', '.join(map(str, folders))}; "
        "set WORKBENCH_MNIST to a folder that has the four MNIST files"
    )


def read_data_sets(
    train_dir: str,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: object = np.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str = "",
) -> Datasets:
    """Training, validation and test digits, as `DataSet`s."""
    if fake_data:
        empty = np.zeros([0])
        parts = [
            DataSet(empty, empty, fake_data=True, one_hot=one_hot, dtype=dtype, seed=seed)
            for _ in range(3)
        ]
        return Datasets(*parts)
    files: Iterable[str] = (TRAINING_IMAGES, TRAINING_LABELS, TEST_IMAGES, TEST_LABELS)
    paths = [maybe_download(name + ".gz", train_dir, source_url) for name in files]
    images, test_images = extract_images(paths[0]), extract_images(paths[2])
    labels = extract_labels(paths[1], one_hot=one_hot)
    test_labels = extract_labels(paths[3], one_hot=one_hot)
    if not 0 <= validation_size <= len(images):
        raise ValueError(
            f"Validation size should be between 0 and {len(images)}. Received: {validation_size}."
        )
    split = [
        (images[validation_size:], labels[validation_size:]),
        (images[:validation_size], labels[:validation_size]),
        (test_images, test_labels),
    ]
    options = {"dtype": dtype, "reshape": reshape, "seed": seed, "one_hot": one_hot}
    return Datasets(*[DataSet(*part, **options) for part in split])


def load_mnist(train_dir: str = "MNIST-data") -> Datasets:
    """The digits with their usual options."""
    return read_data_sets(train_dir)
