"""When what fails is tried again, as data."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.pool.pace import CALM_SECONDS, Lives, Pace


def test_waits_double_up_to_a_limit() -> None:
    pace, waits = Pace(), []
    for _ in range(10):
        pace.failed(now=50.0)
        waits.append(pace.seconds(now=50.0))
    assert waits == [0, 0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert pace.seconds(now=70.0) == 10.0 and pace.seconds(now=90.0) == 0.0
    pace.went_well()
    assert (pace.failures, pace.seconds(now=50.0)) == (0, 0.0)


def test_one_that_lived_long_is_started_again_at_once() -> None:
    lives = Lives()
    for now in range(5):
        lives.began("a", float(now))
        lives.ended("a", now + 0.5)
    assert lives.deaths("a") == 5 and lives.wait("a", 4.5) == 4.0
    assert lives.deaths("b") == 0 and lives.wait("b", 4.5) == 0.0
    lives.began("a", 10.0)
    lives.ended("a", 10.0 + CALM_SECONDS)
    assert lives.deaths("a") == 0 and lives.wait("a", 20.0) == 0.0


def test_one_that_never_serves_counts_as_dead_early() -> None:
    lives = Lives()
    lives.began("a", 0.0)
    lives.ended("a", 100.0)
    for _ in range(3):
        lives.ended("a", 101.0)
    assert lives.deaths("a") == 3
    lives.retired("a")
    assert lives.deaths("a") == 0


@given(st.lists(st.tuples(st.sampled_from(["began", "ended"]), st.floats(0, 20)), max_size=60))
def test_no_wait_is_longer_than_the_limit_and_calm_ends_it(
    events: list[tuple[str, float]],
) -> None:
    lives, now = Lives(), 0.0
    for kind, seconds in events:
        now += seconds
        (lives.began if kind == "began" else lives.ended)("a", now)
        assert 0.0 <= lives.wait("a", now) <= 30.0
        assert (lives.wait("a", now) == 0.0) or lives.deaths("a") > 2
    lives.began("a", now)
    lives.ended("a", now + 2 * CALM_SECONDS)
    assert lives.wait("a", now + 2 * CALM_SECONDS) == 0.0
