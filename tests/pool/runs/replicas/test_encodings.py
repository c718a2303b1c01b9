"""Runs whose replicas send each other what they learn in a shorter form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.pool.runs.replicas.crew import Crew, crew

pytestmark = pytest.mark.usefixtures("graph")

PATIENCE = 60.0
#: A third as each form has it; what is scaled by block loses nothing where all of it is one number.
THIRDS = {
    None: np.float32(1 / 3),
    "float32": np.float32(1 / 3),
    "float16": np.float32(np.float16(1 / 3)),
    "bfloat16": np.float32(0.333984375),
    "int8": np.float32(1 / 3),
}
ELEMENTS = 2048


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    with crew(tmp_path_factory.mktemp("two"), 2) as made:
        yield made


def descending(pool: Any, encoding: str | None, **options: Any) -> tuple[Any, Any]:
    """A run whose variable loses a third in each step, and the variable."""
    w = wb.Variable(np.zeros(ELEMENTS, np.float32))
    x = wb.placeholder(wb.float32, [None], name="x")
    loss = wb.reduce_sum(w) * wb.reduce_mean(x)
    train = wb.train.GradientDescentOptimizer(1.0).minimize(loss)
    feed = wb.batches({x: np.full(8, 1 / 3, np.float32)}, 2)
    run = wb.run(
        train, feed=feed, pool=pool, replicas=2, encoding=encoding, paused=True, folder=None,
        **options,
    )  # fmt: skip
    run.wait_for_replicas(2, PATIENCE)
    return run, w


@pytest.mark.parametrize("encoding", THIRDS)
def test_gradients_have_the_encoding_of_the_run(two: Crew, encoding: str | None) -> None:
    run, w = descending(two, encoding)
    run.step(3)
    third = np.float32(THIRDS[encoding])
    expected = np.full(ELEMENTS, -third - third - third)
    np.testing.assert_allclose(run.eval(w), expected, rtol=1e-6)
    # What comes of the run has it too.
    fork = run.fork(paused=True)
    fork.wait_for_replicas(2, PATIENCE)
    fork.step(1)
    np.testing.assert_allclose(fork.eval(w), expected - third, rtol=1e-6)
    fork.close()
    run.close()


def test_a_parameter_server_gets_them_in_it(two: Crew) -> None:
    run, w = descending(two, "bfloat16", strategy="parameter server")
    # What was rounded away goes with the next: sums of many stay as near as one.
    last = run.step(20)
    error = np.abs(run.eval(w) + last / 3)
    assert error.max() <= 2 * (THIRDS["bfloat16"] - 1 / 3) + 1e-5
    run.close()


def test_encodings_that_cannot_be(two: Crew) -> None:
    with pytest.raises(ValueError, match="no encoding 'int4'"):
        descending(two, "int4")
    w = wb.Variable(1.0)
    train = wb.train.GradientDescentOptimizer(1.0).minimize(wb.square(w))
    with pytest.raises(ValueError, match="what replicas send each other"):
        wb.run(train, pool=two, encoding="int8")
    with pytest.raises(ValueError, match="what replicas send each other"):
        wb.run(train, encoding="int8")
