"""Which checkpoints are kept."""

from __future__ import annotations

import math

from workbench.train.checkpoint_history import CheckpointHistory


def test_the_last_few_are_kept() -> None:
    history = CheckpointHistory(2, math.inf, 0.0)
    for time, path in enumerate("abcd"):
        history.record(path, time)
    assert history.paths == ["c", "d"]
    assert history.expired() == ["a", "b"]
    assert history.expired() == []


def test_one_name_counts_once() -> None:
    history = CheckpointHistory(2, math.inf, 0.0)
    for time, path in enumerate("abab"):
        history.record(path, time)
    assert history.paths == ["a", "b"] and history.expired() == []


def test_a_name_that_came_back_is_not_removed() -> None:
    history = CheckpointHistory(1, math.inf, 0.0)
    for time, path in enumerate("aba"):
        history.record(path, time)
    assert history.paths == ["a"] and history.expired() == ["b"]


def test_without_a_limit_nothing_is_remembered() -> None:
    history = CheckpointHistory(0, 1.0, 0.0)
    history.record("a", 0.0)
    assert history.paths == [] and history.expired() == []


def test_one_in_so_many_seconds_is_kept_for_good() -> None:
    history = CheckpointHistory(1, 10.0, 0.0)
    removed = []
    for time in range(0, 35, 3):
        history.record(str(time), time)
        removed += history.expired()
    assert removed == ["0", "3", "6", "9", "15", "18", "24", "27", "30"][: len(removed)]
    assert not {"12", "21"} & set(removed)


def test_those_of_infinite_time_are_never_removed() -> None:
    history = CheckpointHistory(1, 10.0, 0.0)
    history.replace([("old", math.inf), ("older", 0.0)])
    history.record("new", 1.0)
    assert history.expired() == ["older"]
