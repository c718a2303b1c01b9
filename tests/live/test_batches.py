from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb


@given(st.integers(1, 40), st.integers(1, 12), st.booleans(), st.booleans(), st.integers(0, 2**62))
def test_every_epoch_has_every_row_once(
    rows: int, size: int, shuffle: bool, drop: bool, seed: int
) -> None:
    if drop and size > rows:
        return
    data = wb.batches({"x:0": np.arange(rows)}, size, shuffle, seed, drop)
    epochs = []
    for epoch in range(2):
        first = epoch * data.per_epoch
        found = [data[first + i]["x:0"] for i in range(data.per_epoch)]
        lengths = [len(f) for f in found]
        assert lengths[:-1] == [size] * (len(found) - 1)
        assert lengths[-1] == (size if drop else rows - size * (len(found) - 1))
        joined = np.concatenate(found)
        assert len(set(joined.tolist())) == len(joined) == sum(lengths)
        epochs.append(joined)
    if not drop:
        assert sorted(epochs[0]) == list(range(rows))
    if not shuffle:
        assert (epochs[0] == np.arange(len(epochs[0]))).all()


def test_a_batch_depends_on_seed_and_position_alone() -> None:
    x = np.arange(100)
    one = wb.batches({"x:0": x, "y:0": -x}, 8, shuffle=True, seed=3)
    other = wb.batches({"x:0": x, "y:0": -x}, 8, shuffle=True, seed=3)
    backwards = {i: other[i] for i in reversed(range(40))}
    for i in range(40):
        assert (one[i]["x:0"] == backwards[i]["x:0"]).all()
        assert (one[i]["y:0"] == -one[i]["x:0"]).all()
    different = wb.batches({"x:0": x}, 8, shuffle=True, seed=4)
    assert (different[0]["x:0"] != one[0]["x:0"]).any()
    assert (one[0]["x:0"] != one[13]["x:0"]).any(), "each epoch is shuffled anew"


def test_arrays_take_the_tensors_dtypes() -> None:
    x = wb.placeholder(wb.float32, [None, 2])
    batch = wb.batches({x: [[1, 2], [3, 4]]}, 2)[0]
    assert batch[x].dtype == np.float32


@pytest.mark.parametrize(
    ("data", "size", "options", "words"),
    [
        ({}, 2, {}, "needs a dictionary"),
        ([1, 2], 2, {}, "needs a dictionary"),
        ({"x:0": [1, 2]}, 0, {}, "positive integer"),
        ({"x:0": [1, 2]}, 1.5, {}, "positive integer"),
        ({"x:0": [1, 2], "y:0": [1]}, 1, {}, "x:0 has 2, y:0 has 1"),
        ({"x:0": []}, 1, {}, "no rows"),
        ({"x:0": 3}, 1, {}, "scalar"),
        ({3: [1]}, 1, {}, "tensors or their names"),
        ({"x:0": [1, 2]}, 3, {"drop_partial": True}, "drop_partial leaves none"),
    ],
)
def test_wrong_arguments(data: Any, size: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        wb.batches(data, size, **options)


def test_rows_and_sizes_must_fit_the_tensors() -> None:
    with pytest.raises(ValueError, match="Rows of shape \\(3,\\) do not fit the tensor 'x:0'"):
        wb.batches({wb.placeholder(wb.float32, [None, 2], name="x"): np.zeros((4, 3))}, 2)
    with pytest.raises(ValueError, match="use drop_partial=True"):
        wb.batches({wb.placeholder(wb.float32, [2, 2]): np.zeros((5, 2))}, 2)
