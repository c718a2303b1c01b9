"""Datasets in which classes are as frequent as wanted, by leaving elements out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import float32, int64
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.data.combinations import Zipped
from workbench.core.ops.data.dataset import Dataset
from workbench.core.ops.data.windows import Scanned

#: Each class counts as seen so often before the first element.
_SMOOTHING = 10


def resampled(
    dataset: Dataset,
    class_function: Callable[..., Any],
    target: Any,
    initial: Any,
    seed: int | None,
) -> Dataset:
    """(class, element) pairs of a dataset, of which some are left out at random.

    Without an `initial` distribution of the classes, it is estimated from the elements so far.
    """
    wanted = convert_to_tensor(target, dtype=float32, name="target_dist")
    classes = dataset.map(lambda *element: api.cast(class_function(*element), int64))
    pairs: Dataset = Zipped((classes, dataset))
    if initial is None:
        return _with_estimates(pairs, wanted, seed)
    known = convert_to_tensor(initial, dtype=float32, name="initial_dist")
    chances = _chances(known, wanted)
    return pairs.filter(lambda kind, *_: _accepts(chances[kind], seed))


def _with_estimates(pairs: Dataset, wanted: Tensor, seed: int | None) -> Dataset:
    size = wanted.shape.with_rank(1)[0].value
    if size is None:
        raise ValueError("The number of classes in target_dist must be known")
    counts = np.full([size], _SMOOTHING, np.int64)

    def count(seen: Any, element: Any) -> Any:
        seen = seen + api.one_hot(element[0], size, dtype=int64)
        share = api.cast(seen, float32) / api.cast(api.reduce_sum(seen), float32)
        return seen, (_chances(share, wanted)[element[0]], element)

    scanned = Scanned(pairs, counts, lambda seen, *element: count(seen, element[0]))
    accepted = scanned.filter(lambda chance, *_: _accepts(chance, seed))
    return accepted.map(lambda _, pair: pair)


def _chances(initial: Tensor, target: Tensor) -> Tensor:
    """How likely an element of each class is kept: all of the class that is rarest, measured by
    what is wanted."""
    ratio = target / api.maximum(initial, float(np.finfo(np.float32).tiny))
    chances: Tensor = ratio / api.reduce_max(ratio)
    return chances


def _accepts(chance: Tensor, seed: int | None) -> Tensor:
    accepted: Tensor = api.less(api.random_uniform([], seed=seed, dtype=float32), chance)
    return accepted
