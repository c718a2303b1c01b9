"""A run's history: growth, reading while it is written, thinning, rewinding."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from workbench.live.history import History


def filled(values: np.ndarray, first: int = 1) -> History:
    """A history of one name with a row for each value."""
    history = History(["loss"])
    history.extend(np.arange(first, first + len(values)), values[None])
    return history


def test_rows_survive_growth():
    history = History(["a", "b"])
    for step in range(5000):
        history.append(3 * step, (step, np.float32(-step)))
    assert history.count == len(history) == 5000
    np.testing.assert_array_equal(history.steps, 3 * np.arange(5000))
    np.testing.assert_array_equal(history["a"], np.arange(5000))
    np.testing.assert_array_equal(history["b"], -np.arange(5000))
    assert history.last == (3 * 4999, {"a": 4999.0, "b": -4999.0})


def test_nothing_is_recorded_yet():
    history = History(["a"])
    assert history.last is None
    assert history.steps.size == history["a"].size == 0
    assert history.thinned(10).steps.size == history.since(0).steps.size == 0


@pytest.mark.parametrize("values", [(1.0,), (1.0, 2.0, 3.0), (1.0, "x")])
def test_a_row_that_does_not_fit_changes_nothing(values):
    history = History(["a", "b"])
    history.append(1, (1, 2))
    with pytest.raises((ValueError, TypeError)):
        history.append(2, values)
    assert history.last == (1, {"a": 1.0, "b": 2.0})
    history.append(2, (3, 4))
    assert history.count == 2


def test_steps_only_rise():
    history = filled(np.zeros(3))
    with pytest.raises(ValueError, match="Step 3 cannot be recorded after step 3"):
        history.append(3, [0.0])
    with pytest.raises(ValueError, match="rising"):
        history.extend([4, 4], np.zeros((1, 2)))
    with pytest.raises(ValueError, match="shape"):
        history.extend([4, 5], np.zeros((1, 3)))
    assert history.count == 3


def test_names_are_fixed():
    with pytest.raises(ValueError, match="differ"):
        History(["a", "a"])
    with pytest.raises(KeyError, match="it tracks loss"):
        filled(np.zeros(1))["accuracy"]
    assert "loss" in filled(np.zeros(1))


def test_readers_cannot_write():
    history = filled(np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        history["loss"][0] = 1
    with pytest.raises(ValueError, match="read-only"):
        history.steps[0] = 1


def test_truncation_keeps_what_readers_hold():
    history = filled(np.arange(10.0))
    held = history["loss"]
    history.truncate(4)
    assert history.last == (4, {"loss": 3.0})
    history.append(5, [-1.0])
    np.testing.assert_array_equal(held, np.arange(10.0))
    np.testing.assert_array_equal(history["loss"], [0, 1, 2, 3, -1])
    history.truncate(100)
    assert history.count == 5
    history.truncate(0)
    assert history.last is None
    history.append(1, [7.0])
    assert history.last == (1, {"loss": 7.0})


def test_a_prefix_is_a_history_of_its_own():
    history = filled(np.arange(3000.0))
    prefix = history.prefix(2)
    prefix.append(3, [9.0])
    history.append(3001, [8.0])
    np.testing.assert_array_equal(prefix["loss"], [0, 1, 9])
    assert history.count == 3001


def test_since_gives_what_a_reader_lacks():
    history = filled(np.arange(5.0))
    assert history.since(3).steps.tolist() == [4, 5]
    assert history.since(3).values.tolist() == [[3.0, 4.0]]
    assert history.since(5).steps.size == history.since(99).steps.size == 0


def extremes_by_loop(values: np.ndarray, points: int) -> list[int]:
    """The oracle: the rows that thinning keeps, found one by one."""
    stretches = (points - 1) // 2
    length = -(-len(values) // stretches)
    rows = {len(values) - 1}
    for start in range(0, len(values), length):
        known = range(start, min(start + length, len(values)))
        finite = [i for i in known if not np.isnan(values[i])] or [start]
        rows.add(min(finite, key=lambda i: (values[i], i)))
        rows.add(min(finite, key=lambda i: (-values[i], i)))
    return sorted(rows)


@pytest.mark.parametrize("count", [11, 100, 101, 997, 5000])
@pytest.mark.parametrize("points", [3, 4, 10, 97])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
def test_thinning_keeps_the_extremes_of_each_stretch(count, points, missing):
    random = np.random.default_rng([count, points])
    values = random.normal(size=count)
    values[random.random(count) < missing] = np.nan
    steps, kept = filled(values).thinned(points)
    if count <= points:
        assert steps.size == count
        return
    assert steps.size <= points
    assert (steps - 1).tolist() == extremes_by_loop(values, points)
    np.testing.assert_array_equal(kept[0], values[steps - 1])


def test_infinite_values_stay_visible():
    values = np.zeros(1000)
    values[[400, 700]] = np.inf, -np.inf
    assert {401, 701} <= set(filled(values).thinned(10).steps.tolist())


def test_thinning_between_steps():
    history = filled(np.arange(1000.0))
    assert history.thinned(10, first=5, last=8).steps.tolist() == [5, 6, 7, 8]
    assert history.thinned(10, first=2000).steps.size == 0
    assert history.thinned(10, first=8, last=5).steps.size == 0
    assert history.thinned(1).steps.tolist() == [1000]
    assert history.thinned(20, last=500).steps[-1] == 500
    with pytest.raises(ValueError, match="at least 1"):
        history.thinned(0)


def test_thinning_without_names():
    history = History([])
    history.extend(np.arange(1000), np.empty((0, 1000)))
    steps, values = history.thinned(10)
    assert steps.size == 10 and steps[-1] == 999 and values.shape == (0, 10)


def test_other_threads_read_whole_rows():
    """Each row is (step, 2 step, 3 step), so a torn one is seen; rewinds come in between."""
    history = History(["double", "triple"])
    stopped = threading.Event()
    faults: list[str] = []
    reads = [0]

    def read() -> None:
        while not stopped.is_set():
            steps, values = history.since(0)
            if not (np.array_equal(values[0], 2 * steps) and np.array_equal(values[1], 3 * steps)):
                faults.append("torn")
            if steps.size and not (np.diff(steps) > 0).all():
                faults.append("order")
            reads[0] += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for round_ in range(20):
            start = history.last[0] if history.last else 0
            for step in range(start + 1, start + 2000):
                history.append(step, (2 * step, 3 * step))
            history.truncate(start + 1000 - round_)
    finally:
        stopped.set()
        for reader in readers:
            reader.join(10)
    assert not faults
    assert reads[0] > 0
