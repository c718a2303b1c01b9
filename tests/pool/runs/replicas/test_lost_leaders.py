"""A worker that led comes back while the pool does not know who is gone: its record stays until
another worker has the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.live.support import PATIENCE
from tests.pool.runs.replicas.crew import Crew, crew
from tests.pool.runs.replicas.models import Model, assert_each_step_once, goes_on
from tests.pool.runs.support import eventually
from tests.pool.runs.workers import HostProcess
from workbench.pool.runs.place import ask


def cards(process: HostProcess) -> list[tuple[str, str]]:
    """The runs that a process knows, and their states."""
    return [(card["run"], card["state"]) for card in ask(process.place, "list", {}).fields["runs"]]


def begun(pool: Crew, model: Model) -> tuple[Any, int]:
    """A run of two that has a checkpoint of its fourth step, and the number of who leads it."""
    run = model.run(pool, None, folder="runs", checkpoint_seconds=0.05, paused=True)
    assert run.step(4) == 4
    run.wait_for_replicas(2, PATIENCE)
    assert run.snapshot() == 4
    return run, pool.leader(run)


def goes_on_from_its_checkpoint(pool: Crew, run: Any, model: Model) -> None:
    """For who looks for it the run is there again, as it was."""
    assert pool.runs() == [run]
    eventually(lambda: (run.epoch, run.state, run.step_number) == (1, "paused", 4))
    run.resume()
    goes_on(run)
    assert_each_step_once(run, model)
    run.close()


def test_the_board_still_names_the_process_that_was_killed(tmp_path: Path) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run, led = begun(pool, model)
        gone = [pool.kill(number, told=False) for number in (led, 1 - led)]
        back = pool.again(led)
        # Neither is there: what is left of the run is here.
        assert pool.leader_of(run.id) == gone[0]
        assert cards(back) == [(run.id, "interrupted")]
        assert (back.folder / "run" / "run.json").exists()
        for address in gone:
            pool.tell_left(address)
        goes_on_from_its_checkpoint(pool, run, model)


def test_the_board_names_another_one_that_was_killed_before_it_led(tmp_path: Path) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run, led = begun(pool, model)
        other = pool.kill(1 - led, told=False)
        pool.kill(led)
        back = pool.again(led)
        assert pool.leader_of(run.id) == other
        assert cards(back) == [(run.id, "interrupted")]
        pool.tell_left(other)
        goes_on_from_its_checkpoint(pool, run, model)
        pool.again(1 - led)


@pytest.mark.slow
def test_the_board_names_another_one_that_has_led_and_was_killed(tmp_path: Path) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run, led = begun(pool, model)
        pool.kill(led)
        other = pool.processes[1 - led].address
        eventually(lambda: cards(pool.processes[1 - led]) == [(run.id, "paused")])
        pool.kill(1 - led, told=False)
        back = pool.again(led)
        assert cards(back) == [(run.id, "interrupted")]
        pool.tell_left(other)
        goes_on_from_its_checkpoint(pool, run, model)


@pytest.mark.slow
def test_one_that_leads_at_the_same_address_as_before_goes_on(tmp_path: Path) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run, led = begun(pool, model)
        addresses = [pool.kill(number, told=False) for number in (led, 1 - led)]
        back = pool.again(led, addresses[0])
        eventually(lambda: cards(back) == [(run.id, "paused")])
        goes_on_from_its_checkpoint(pool, run, model)


def test_nothing_stays_where_another_one_has_the_run(tmp_path: Path) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run, led = begun(pool, model)
        pool.kill(led)
        other = pool.processes[1 - led]
        eventually(lambda: list(other.folder.glob("run/checkpoints/step-*")))
        back = pool.again(led)
        assert cards(back) == [] and not (back.folder / "run").exists()
        eventually(lambda: run.epoch == 1 and len(run.replicas) == 2)
        run.wait_for_replicas(2, PATIENCE)
        assert pool.leader(run) == 1 - led
        run.resume()
        goes_on(run)
        assert_each_step_once(run, model)
        run.close()


@pytest.mark.parametrize("is_there", [True, False])
def test_a_run_that_another_one_has_ended_is_not_begun_again(
    tmp_path: Path, is_there: bool
) -> None:
    model = Model()
    with crew(tmp_path, 2) as pool:
        run, led = begun(pool, model)
        pool.kill(led)
        eventually(lambda: run.epoch == 1)
        other = pool.processes[1 - led]
        run.step(4)
        last = run.stop()
        eventually(lambda: cards(other) == [(run.id, "stopped")])
        if not is_there:
            pool.kill(1 - led)
        back = pool.again(led)
        if is_there:
            assert cards(back) == [] and not (back.folder / "run").exists()
        else:
            # Nobody says that it has the run: what there is of it stays.
            assert cards(back) == [(run.id, "interrupted")]
            pool.again(1 - led)
        assert (run.state, run.step_number) == ("stopped", last)
        run.close()
