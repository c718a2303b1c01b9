"""What a run says where it stopped: failures with their inputs, values in a line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import PATIENCE, closing
from workbench.core.errors import InvalidArgumentError
from workbench.live.reports import Failure, summary


@pytest.fixture(autouse=True)
def graph() -> Any:
    with wb.Graph().as_default() as made:
        yield made


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.arange(640.0), "mean 319.5, from 0 to 639, 1 of 640 zero"),
        (np.zeros(640), "mean 0, from 0 to 0, 100 % zeros"),
        (np.repeat([0.0, 1.0], [30, 9970]), "mean 0.997, from 0 to 1, 30 of 10000 zero"),
        (np.repeat([0.0, 2.0], [40, 60]), "mean 1.2, from 0 to 2, 40 % zeros"),
        (np.array([np.inf, -np.inf, np.nan, 1]), "mean 1, from 1 to 1, 3 of 4 not finite (1 NaN, "
         "2 infinite)"),
        (np.float32(2.5), "2.5"),
        (np.empty(0), "empty"),
    ],
)  # fmt: skip
def test_a_value_in_a_line(value: Any, said: str) -> None:
    assert summary(value) == said


def failure_of(run: Any) -> Failure:
    """What a run fails with."""
    with closing(run):
        with pytest.raises(InvalidArgumentError):
            run.wait(PATIENCE)
        failure = run.status().error
        assert isinstance(failure, Failure)
        return failure


def test_a_failure_tells_what_went_into_the_operation() -> None:
    x = wb.placeholder(wb.float32, [None], name="x")
    y = wb.placeholder(wb.float32, [None], name="y")
    total = wb.add(wb.square(x, name="squares"), y, name="total")

    def feed(step: int) -> dict[Any, Any]:
        return {x: np.float32([0, 2, 3]), y: np.zeros(3 if step < 2 else 4, np.float32)}

    failure = failure_of(wb.run(total, 10, feed=feed, folder=None))
    assert failure.operation == "total"
    told = [(i.tensor, i.shape, i.summary) for i in failure.inputs]
    assert told == [
        ("squares:0", "float32[3]", "mean 4.333, from 0 to 9, 1 of 3 zero"),
        ("y:0", "float32[4]", "mean 0, from 0 to 0, 4 of 4 zero"),
    ]
    assert "squares:0: float32[3], mean 4.333" in str(failure)
    assert Failure.from_json(failure.to_json()) == failure


def test_the_first_bad_number_of_a_checked_session_has_its_inputs() -> None:
    v = wb.Variable(2.0, name="v")
    x = wb.assign_sub(v, 1.0, name="x")
    bad = wb.log(x, name="logarithm")
    with wb.Session(check_numerics=True) as session:
        session.run(v.initializer)
        failure = failure_of(wb.run(bad, 10, session=session, folder=None))
        assert failure.operation == "logarithm"
        assert [(i.tensor, i.summary) for i in failure.inputs] == [("x:0", "0.0")]


def test_status_and_events_read_as_sentences() -> None:
    lr = wb.hyperparameter("lr", 0.5)
    run = wb.run(wb.identity(lr), 4, track={"rate": lr}, folder=None, name="told", paused=True)
    with closing(run):
        run.step(2)
        run.set(lr=0.25)
        assert repr(run.history.events[-1]) == "<wb.Event step 2: set: lr 0.5 -> 0.25>"
        assert repr(run.status()) == "<wb.RunStatus 'told' paused, step 2 of 4, rate 0.5>"
