"""The account of what observing may cost and does cost."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.live.budget import FIRST_CREDIT, MOST_CREDIT, SHARE, Budget


def simulate(
    steps: int, seconds: float, longer: float, apart: float, noise: float = 0.0, rate: float = 10.0
) -> tuple[Budget, int, float]:
    """Runs steps in pretended time, observing as often as credit and rate allow.

    Returns the account, how many steps were observed, and the true share of their cost.
    """
    random = np.random.default_rng(0)
    budget = Budget()
    now = due = spent = plain = 0.0
    observed = 0
    for _ in range(steps):
        step = seconds + noise * seconds * abs(random.normal())
        plain += step
        if now >= due and budget.is_known and budget.credit > budget.excess + apart:
            budget.observed(step + longer, apart, expected=1e-6)
            observed += 1
            spent += longer + apart
            now += step + longer + apart
            due = max(now + 1 / rate - seconds, now + budget.wait(budget.excess + apart))
        else:
            budget.plain(step)
            now += step
    return budget, observed, spent / plain


@pytest.mark.parametrize("seconds", [0.0005, 0.001, 0.005, 0.02, 0.3])
@pytest.mark.parametrize("longer", [0.0, 0.0001, 0.003])
@pytest.mark.parametrize("apart", [0.00005, 0.001, 0.01])
def test_the_true_cost_stays_within_the_promise(seconds, longer, apart):
    steps = int(20 / seconds)
    budget, observed, share = simulate(steps, seconds, longer, apart)
    assert observed > 0
    # What is not seen is at most what the first credit pays.
    assert share <= SHARE + FIRST_CREDIT / 20 + 1e-4
    assert budget.cost <= 0.02


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_steps_that_vary_are_observed_all_the_same(noise):
    """Noise is not taken for cost: ten times a second stay ten times a second."""
    budget, observed, _ = simulate(2000, 0.01, 0.00002, 0.0005, noise)
    assert observed > 0.8 * 10 * 20
    assert budget.excess < 0.002


def test_what_is_proven_is_counted_in_spite_of_noise():
    budget, _, share = simulate(5000, 0.01, 0.004, 0.0001, noise=0.1)
    assert 0.003 < budget.excess < 0.005
    assert share < 0.021


def test_what_costs_much_has_its_turn_now_and_then():
    """Steps that take half as long again when they are observed: seldom, but observed."""
    budget, observed, share = simulate(3000, 0.1, 0.05, 0.0001)
    assert budget.excess == pytest.approx(0.05, rel=0.01)
    # The first few are to find out.
    assert 40 < observed < 80
    assert share < 0.012


def test_a_slow_beginning_is_forgotten():
    budget = Budget()
    for _ in range(31):
        budget.plain(0.01)
    budget.observed(1.0, 0.0, 1e-6, is_first=True)
    assert budget.excess == 1e-6
    for _ in range(10):
        budget.observed(0.06, 0.0, 1e-6)
    assert budget.excess == pytest.approx(0.05)
    for _ in range(31):
        budget.observed(0.01, 0.0, 1e-6)
    assert budget.excess == 1e-6


def test_credit_is_bounded():
    budget = Budget()
    assert budget.credit == FIRST_CREDIT
    for _ in range(1000):
        budget.plain(0.1)
    assert budget.credit == MOST_CREDIT
    budget.observed(0.1, 0.5, 0.0)
    assert budget.credit < -0.4
    assert budget.wait(0.001) == pytest.approx((0.001 - budget.credit) / SHARE)
    budget.begin()
    assert budget.credit == FIRST_CREDIT
    assert budget.wait(0.001) == 0.0


def test_the_cost_is_that_of_the_last_seconds():
    budget = Budget()
    assert budget.cost == 0.0
    assert not budget.is_known
    budget.plain(1.0)
    budget.observed(1.0, 1.0, 0.0)
    assert budget.cost > 0.3
    for _ in range(100):
        budget.plain(1.0)
        budget.observed(1.0, 0.0, 0.0)
    assert budget.cost < 0.001


def test_a_step_held_up_once_changes_little():
    budget = Budget()
    for number in range(100):
        budget.plain(0.01)
        if number % 5 == 0:
            budget.observed(0.5 if number == 50 else 0.01, 0.0, 0.0)
    assert budget.excess < 1e-6
    assert budget.usual == 0.01
