"""Batches of arrays by their position: batch i depends on the seed and on i, and on nothing else.

So the place in the data is one integer, and going back to a step brings its batch back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.random import generator

#: Keeps the order of batches apart from operations that have the same seed.
_STREAM = 0x62617463


class Batches:
    """Batches of arrays, addressed by position; see `wb.batches`."""

    def __init__(
        self,
        tensors: list[Any],
        arrays: list[np.ndarray[Any, Any]],
        size: int,
        shuffle: bool,
        seed: int,
        drop_partial: bool,
    ) -> None:
        #: What is fed: tensors, or names of tensors.
        self.tensors = tensors
        self.arrays = arrays
        self.size = size
        self.shuffle = shuffle
        self.seed = seed
        self.drop_partial = drop_partial
        self.examples = len(arrays[0])
        #: How many batches an epoch has.
        self.per_epoch = self.examples // size if drop_partial else -(-self.examples // size)
        # One tuple, replaced as a whole: threads may share these batches.
        self._order: tuple[int, np.ndarray[Any, Any]] | None = None

    def values(self, index: int) -> list[np.ndarray[Any, Any]]:
        """The arrays of batch `index`, counted from 0 through all epochs, in order of `tensors`."""
        epoch, position = divmod(index, self.per_epoch)
        start = position * self.size
        if not self.shuffle:
            return [array[start : start + self.size] for array in self.arrays]
        rows = self._order_of(epoch)[start : start + self.size]
        return [array.take(rows, axis=0) for array in self.arrays]

    def _order_of(self, epoch: int) -> np.ndarray[Any, Any]:
        known = self._order
        if known is None or known[0] != epoch:
            stream = generator((self.seed, _STREAM), epoch)
            known = self._order = (epoch, stream.permutation(self.examples))
        return known[1]

    def __getitem__(self, index: int) -> dict[Any, np.ndarray[Any, Any]]:
        """Batch `index` as a feed."""
        if index < 0:
            raise IndexError(f"Batches are counted from 0, but got {index}")
        return dict(zip(self.tensors, self.values(index), strict=True))

    def __repr__(self) -> str:
        names = ", ".join(getattr(t, "name", t) for t in self.tensors)
        order = f"shuffled with seed {self.seed}" if self.shuffle else "in order"
        return (
            f"<wb.batches of {self.size} out of {self.examples} for {names}, {order}, "
            f"{self.per_epoch} an epoch>"
        )


def batches(
    data: Mapping[Any, Any],
    size: int,
    shuffle: bool = False,
    seed: int | None = None,
    drop_partial: bool = False,
) -> Batches:
    """Batches of `size` rows of arrays, to feed a run with, for as many epochs as it takes.

    Batch i depends on the seed and i alone, so a run can go back to any step. With `shuffle` every
    epoch has an order of its own. Where `size` does not divide the number of rows, the last batch
    of each epoch is smaller; with `drop_partial` it is left out.

    Args:
      data: arrays by the tensors they are fed to; the first axes are of one length. They are
        converted to the tensors' dtypes at once, and must not change afterwards.
      size: how many rows a batch has.
      shuffle: whether the rows come in a random order.
      seed: of that order; a random one where it is None.
      drop_partial: whether to leave out the smaller last batch of an epoch.

    Raises:
      ValueError: there is no data, the arrays differ in length, or `size` does not fit them.

    >>> import workbench as wb
    >>> x = wb.placeholder(wb.float32, [None])
    >>> data = wb.batches({x: [0, 1, 2, 3, 4]}, 2)
    >>> [data[i][x].tolist() for i in range(4)]
    [[0.0, 1.0], [2.0, 3.0], [4.0], [0.0, 1.0]]
    """
    if not isinstance(data, Mapping) or not data:
        raise ValueError(
            f"batches needs a dictionary of arrays by the tensors they are fed to, got {data!r:.80}"
        )
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise ValueError(f"The size of a batch must be a positive integer, but got {size!r}")
    tensors = list(data)
    arrays = [_array(tensor, value) for tensor, value in data.items()]
    lengths = {_name(t): len(a) for t, a in zip(tensors, arrays, strict=True)}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{n} has {length}" for n, length in lengths.items())
        raise ValueError(f"All arrays must have the same number of rows, but {listed}")
    examples = len(arrays[0])
    if not examples:
        raise ValueError("There is no data: the arrays have no rows")
    if drop_partial and size > examples:
        raise ValueError(
            f"A batch of {size} rows needs more than the {examples} that there are; drop_partial "
            "leaves none"
        )
    if not drop_partial and examples % size:
        _check_partial(tensors, size, examples)
    if seed is None:
        seed = int.from_bytes(os.urandom(4), "little")
    return Batches(tensors, arrays, int(size), bool(shuffle), int(seed), bool(drop_partial))


def _array(tensor: Any, value: Any) -> np.ndarray[Any, Any]:
    if not isinstance(tensor, (Tensor, str)):
        raise ValueError(
            f"The keys must be tensors or their names, but got {tensor!r} of type "
            f"{type(tensor).__name__}"
        )
    dtype = None
    if isinstance(tensor, Tensor) and tensor.dtype.as_numpy_dtype is not object:
        dtype = tensor.dtype.as_numpy_dtype
    try:
        array = np.asarray(value, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The data for {_name(tensor)} is no array: {error}") from None
    if not array.ndim:
        raise ValueError(f"The data for {_name(tensor)} is a scalar; it must be an array of rows")
    if isinstance(tensor, Tensor):
        _check_row(tensor, array)
    return array


def _check_row(tensor: Tensor, array: np.ndarray[Any, Any]) -> None:
    entries = tensor.entries
    if entries is None:
        return
    fits = len(entries) == array.ndim and all(
        not isinstance(e, int) or e == s for e, s in zip(entries[1:], array.shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"Rows of shape {array.shape[1:]} do not fit the tensor {tensor.name!r}, which has "
            f"shape {tensor.shape}"
        )


def _check_partial(tensors: list[Any], size: int, examples: int) -> None:
    """A tensor for exactly `size` rows cannot take the smaller batch at an epoch's end."""
    for tensor in tensors:
        entries = tensor.entries if isinstance(tensor, Tensor) else None
        if entries and isinstance(entries[0], int):
            raise ValueError(
                f"{examples} rows make a last batch of {examples % size} in every epoch, but the "
                f"tensor {tensor.name!r} has shape {tensor.shape}: use drop_partial=True"
            )


def _name(tensor: Any) -> str:
    return getattr(tensor, "name", None) or str(tensor)
