"""Runs whose replicas send each other what they learn in a shorter form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.live.support import make_model
from tests.pool.runs.replicas.crew import Crew
from workbench.live.folder import RunFolder
from workbench.live.run_record import RunRecord

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


def descending(pool: Any, encoding: str | None, **options: Any) -> tuple[Any, Any]:
    """A run whose variable loses a third in each step, and the variable."""
    w = wb.Variable(np.zeros(ELEMENTS, np.float32))
    x = wb.placeholder(wb.float32, [None], name="x")
    loss = wb.reduce_sum(w) * wb.reduce_mean(x)
    train = wb.train.GradientDescentOptimizer(1.0).minimize(loss)
    feed = wb.batches({x: np.full(8, 1 / 3, np.float32)}, 2)
    run = wb.run(
        train, feed=feed, pool=pool, encoding=encoding, paused=True,
        **({"replicas": 2, "folder": None} | options),
    )  # fmt: skip
    if run.terms is not None:
        run.wait_for_replicas(2, PATIENCE)
    return run, w


def stepped(run: Any, w: Any) -> Any:
    """What the variable of a fork loses in its next step, with two replicas; the fork is closed."""
    run.wait_for_replicas(2, PATIENCE)
    before = run.eval(w)
    run.step(1)
    lost = before - run.eval(w)
    run.close()
    return lost


@pytest.mark.parametrize("encoding", THIRDS)
def test_gradients_have_the_encoding_of_the_run(two: Crew, encoding: str | None) -> None:
    run, w = descending(two, encoding)
    run.step(3)
    third = np.float32(THIRDS[encoding])
    expected = np.full(ELEMENTS, -third - third - third)
    np.testing.assert_allclose(run.eval(w), expected, rtol=1e-6)
    # What comes of the run has it too.
    fork = run.fork(paused=True)
    assert fork.terms == run.terms == {"replicas": 2, "strategy": "sync", "encoding": encoding}
    np.testing.assert_allclose(stepped(fork, w), third, rtol=1e-5)
    run.close()


def test_a_fork_has_the_encoding_that_it_asks_for(two: Crew) -> None:
    run, w = descending(two, "bfloat16")
    run.step(2)
    for encoding in ("float16", "float32"):
        fork = run.fork(paused=True, encoding=encoding)
        # What is made of the fork has that of the fork.
        again = fork.fork(paused=True)
        assert fork.terms == again.terms == run.terms | {"encoding": encoding}
        for each in (fork, again):
            np.testing.assert_allclose(stepped(each, w), THIRDS[encoding], rtol=1e-5)
    assert run.terms["encoding"] == "bfloat16"
    run.close()


def test_forks_of_a_run_of_one_process_have_it_with_their_replicas(two: Crew) -> None:
    near, w = descending(None, None, replicas=1)
    near.step(1)
    far = near.fork(pool=two, paused=True)
    assert near.terms is None and far.terms is None
    for run in (near, far):
        fork = run.fork(pool=two, replicas=2, encoding="bfloat16", paused=True)
        assert fork.terms == {"replicas": 2, "strategy": "sync", "encoding": "bfloat16"}
        np.testing.assert_allclose(stepped(fork, w), THIRDS["bfloat16"], rtol=1e-5)
        run.close()


def test_who_comes_to_a_run_knows_its_encoding(two: Crew) -> None:
    run, _ = descending(two, "int8", folder="runs", name="known")
    terms = {"replicas": 2, "strategy": "sync", "encoding": "int8"}
    run.detach()
    [again] = [each for each in two.runs() if each.name == "known"]
    assert again is not run and again.terms == terms
    assert again.status().to_json()["terms"] == terms
    again.stop()
    assert RunRecord(RunFolder(again.worker_folder)).status().terms == terms
    again.close()


def test_a_parameter_server_gets_them_in_it(two: Crew) -> None:
    run, w = descending(two, "bfloat16", strategy="parameter server")
    # What was rounded away goes with the next: sums of many stay as near as one.
    last = run.step(20)
    error = np.abs(run.eval(w) + last / 3)
    assert error.max() <= 2 * (THIRDS["bfloat16"] - 1 / 3) + 1e-5
    run.close()


@pytest.mark.parametrize(
    "has_pool, options, words",
    [
        (True, {"replicas": 2, "encoding": "int4"}, "There is no encoding 'int4': it is one of"),
        (True, {"replicas": 2, "encoding": ""}, "There is no encoding ''"),
        (True, {"encoding": "int8"}, "encoding='int8' is for what replicas send each other"),
        (True, {"replicas": 0}, "replicas must be a positive number, but got 0"),
        (False, {"encoding": "int8"}, "is for what replicas send each other: replicas is 1"),
        (False, {"replicas": 2, "encoding": "int8"}, "2 replicas need a pool"),
        (False, {"strategy": "lazy"}, "strategy must be one of"),
        (True, {"strategy": "async"}, "strategy='async' is for several that train together"),
        (True, {"replicas": 1, "strategy": "sync"}, "strategy='sync' is for several"),
        (False, {"strategy": "parameter server"}, "train together: replicas is 1"),
        (True, {"replicas": 2, "strategy": "lazy"}, "strategy must be one of"),
    ],
)
def test_runs_and_forks_refuse_the_same_in_the_same_words(
    two: Crew, has_pool: bool, options: dict[str, Any], words: str
) -> None:
    model = make_model()
    given = options | ({"pool": two} if has_pool else {})
    near = model.run(9, paused=True)
    far = model.run(9, paused=True, pool=two, folder="runs")
    asked = [lambda: wb.run(model.train, 9, model.data, **given), lambda: near.fork(**given)]
    if has_pool:
        asked.append(lambda: far.fork(**options))
    told = []
    for ask in asked:
        with pytest.raises(ValueError) as caught:
            ask()
        told.append(str(caught.value))
    assert words in told[0] and len(set(told)) == 1
    # Nothing was begun, and nothing is said of it.
    assert not near.history.events and not far.history.events
    near.close()
    far.close()


@pytest.mark.parametrize("strategy", [None, "async"])
def test_one_goes_on_alone_with_what_several_have_trained(two: Crew, strategy: str | None) -> None:
    run, w = descending(two, "bfloat16", strategy=strategy)
    run.step(2)
    alone = run.fork(replicas=1, paused=True)
    assert alone.terms == run.terms | {"replicas": 1}
    before = alone.eval(w)
    assert alone.step(1) > run.step_number and (alone.eval(w) < before).all()
    alone.close()
    run.close()


def test_a_fork_of_replicas_refuses_before_anything_is_made(two: Crew) -> None:
    run, _ = descending(two, "bfloat16")
    with pytest.raises(ValueError, match="There is no encoding 'int4'"):
        run.fork(encoding="int4")
    with pytest.raises(ValueError, match="replicas is 1"):
        run.fork(replicas=1, encoding="int8")
    with pytest.raises(ValueError, match="replicas is 1"):
        run.fork(replicas=1, strategy="sync")
    alone = run.fork(replicas=1, paused=True)
    with pytest.raises(ValueError, match="replicas is 1"):
        alone.fork(encoding="int8")
    with pytest.raises(ValueError, match="replicas is 1"):
        alone.fork(strategy="async")
    assert [e.kind for e in run.history.events if e.kind == "fork"] == ["fork"]
    alone.close()
    run.close()
