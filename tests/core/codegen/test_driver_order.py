"""Random tables on random numbers of threads: every unit once, in an order that is allowed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.core.codegen.small_kernels import CHECK, ORDER, call
from workbench.core.codegen import driver
from workbench.core.codegen.table import Table
from workbench.core.codegen.thread_pool import ThreadPool


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPool]:
    made = ThreadPool(6)
    yield made
    made.close()


class _Program:
    """Records that count their units and look whether all they wait for has been counted; one of
    them, at most, is a check."""

    def __init__(self, random: np.random.Generator) -> None:
        count = int(random.integers(1, 15))
        waits = [int(random.integers(0, number + 1)) for number in range(count)]
        self.effects = random.random(count) < 0.3
        self.check = int(random.integers(0, count))
        if self.effects[self.check]:
            self.check = count
        self.units = random.integers(0, 30, count)
        self.units[self.check : self.check + 1] = 0
        self.counts = np.zeros(count, np.int64)
        self.error = np.zeros(1, np.int64)
        self.values = np.ones(3, np.float32)
        records = []
        for number in range(count):
            if number == self.check:
                records.append(call(CHECK, self.values, 0, units=3, waits=waits[number]))
                continue
            effect = bool(self.effects[number])
            before = number if effect else waits[number]
            record = call(
                ORDER,
                *(self.counts, self.units, self.counts[number:], self.error, before),
                units=int(self.units[number]),
                chunk=int(random.integers(1, 8)),
                waits=waits[number],
                effect=effect,
            )
            records.append(record)
        threads, learns = int(random.integers(1, 7)), bool(random.random() < 0.3)
        self.table = Table(records, threads=threads, learns=learns)
        if self.check < count:
            place = self.table.starts[self.check] + 1
            self.table.arguments[place] = self.table.flag_address(0)

    def stop(self) -> int:
        """The first record that does not start when the check fails."""
        later = range(self.check, len(self.table))
        return next((k for k in later if self.effects[k] and self.units[k]), len(self.table))


@pytest.mark.parametrize("seed", range(6))
def test_random_tables(pool: ThreadPool, seed: int) -> None:
    """Runs follow each other at once, so helpers that are late meet the next one."""
    random = np.random.default_rng(seed)
    for _ in range(20):
        program = _Program(random)
        for _ in range(60):
            fails = program.check < len(program.table) and bool(random.random() < 0.3)
            program.values[1] = -1 if fails else 1
            program.counts[:] = 0
            assert driver.run(program.table, pool=pool) is not fails
            assert program.error[0] == 0
            stop = program.stop() if fails else len(program.table)
            assert (program.counts[:stop] == program.units[:stop]).all()
            assert (program.counts[stop:] == 0).all()
