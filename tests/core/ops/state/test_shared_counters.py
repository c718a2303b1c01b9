"""Counters that several threads share: each number is given once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

import workbench as tf


@pytest.fixture
def often() -> Iterator[None]:
    """Threads take turns often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often")
def test_counting_up_to_a_limit() -> None:
    limit = 3000
    with tf.Graph().as_default(), tf.Session() as session:
        count = tf.Variable(0).count_up_to(limit)
        session.run(tf.global_variables_initializer())
        following = session.make_callable(count)
        found: list[list[int]] = [[] for _ in range(6)]

        def work(numbers: list[int]) -> None:
            try:
                while len(numbers) <= limit:
                    numbers.append(int(following()))
            except tf.errors.OutOfRangeError:
                pass

        threads = [threading.Thread(target=work, args=(numbers,)) for numbers in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(n for numbers in found for n in numbers) == list(range(limit))
