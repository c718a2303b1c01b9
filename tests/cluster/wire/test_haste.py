"""Waits that begin with looking: where it pays off, and what it costs where it does not."""

from __future__ import annotations

from workbench.cluster.wire.haste import Haste


class Watch:
    """Something comes after so many looks, or to who sleeps."""

    def __init__(self, looks):
        self.looks, self.left = looks, looks
        self.slept = 0
        self.looked = 0

    def wait(self, seconds):
        if seconds:
            self.slept += 1
            return [(1, True, False)]
        self.looked += 1
        self.left -= 1
        if self.left < 0:
            self.left = self.looks
            return [(1, True, False)]
        return []


def waits(haste, watch, count):
    for _ in range(count):
        assert haste.wait(watch, 5.0) == [(1, True, False)]


def test_what_comes_at_once_puts_nobody_to_sleep():
    watch = Watch(looks=3)
    waits(Haste(2), watch, 50)
    assert watch.slept == 0 and watch.looked == 50 * 4


def test_who_waits_for_longer_looks_seldom():
    watch = Watch(looks=10**9)
    haste = Haste(2)
    waits(haste, watch, 3)
    assert watch.slept == 3
    before = watch.looked
    waits(haste, watch, 60)
    assert watch.looked == before and watch.slept == 63
    # From time to time it finds out whether that has changed.
    waits(haste, watch, 1)
    assert watch.looked > before
    watch.looks = watch.left = 0
    waits(haste, watch, 64 * 4)
    slept = watch.slept
    waits(haste, watch, 100)
    assert watch.slept == slept


def test_on_one_processor_nobody_looks():
    watch = Watch(looks=0)
    waits(Haste(1), watch, 5)
    assert watch.slept == 5 and not watch.looked


def test_nobody_looks_for_longer_than_there_is_time():
    class Nothing:
        def wait(self, seconds):
            assert seconds == 0.0
            return []

    assert Haste(2).wait(Nothing(), 0.0) == []
