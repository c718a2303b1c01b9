"""Charts of runs: what is drawn, from which step on, and that no page asks for the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.notebook.fakes import DEADLINE, FakeView
from workbench.live.events import Event
from workbench.live.history import History
from workbench.notebook.curves import Curve, draw
from workbench.notebook.hub import Hub

pytest.importorskip("bokeh")


@pytest.fixture
def runs() -> Iterator[tuple[Any, Any]]:
    """A run with a change of its rate, and a fork of it."""
    lr = wb.hyperparameter("lr", 0.05, low=1e-4, high=1.0)
    w = wb.Variable(4.0, name="w")
    loss = wb.square(w, name="loss")
    train = wb.train.GradientDescentOptimizer(lr).minimize(loss)
    run = wb.run(train, steps=40, track={"loss": loss, "w": w}, folder=None, paused=True, name="a")
    run.step(20)
    run.set(lr=0.1)
    run.resume()
    run.wait(DEADLINE)
    fork = run.fork(step=30, lr=0.2).wait(DEADLINE)
    yield run, fork
    fork.close()
    run.close()


def test_a_fork_begins_where_it_left_the_run(runs: tuple[Any, Any]) -> None:
    from workbench.notebook.charts import curves_of

    run, fork = runs
    figures = draw(curves_of([run, fork]))
    steps = {r: figures.values[r]["loss"].data["step"] for r in (run.id, fork.id)}
    np.testing.assert_array_equal(steps[run.id], np.arange(1, 41))
    np.testing.assert_array_equal(steps[fork.id], np.arange(30, 41))
    marks = figures.events[run.id].data
    assert (20.0, "lr 0.05 -> 0.1") in zip(marks["step"], marks["text"], strict=True)
    alone = draw(curves_of([fork]))
    assert alone.values[fork.id]["loss"].data["step"][0] == 1


def test_a_long_run_is_thinned_and_keeps_its_extremes() -> None:
    history = History(["loss"])
    values = np.ones(100_000)
    values[[50_000, 70_000]] = [-9.0, 9.0]
    history.extend(np.arange(100_000), values[None])
    history.events.append(Event(60_000, "set", "lr 1 -> 2", {"lr": 2.0}))
    figures = draw([Curve("a", "a", history)], points=1000)
    data = figures.values["a"]["loss"].data
    assert len(data["step"]) <= 1000
    assert {-9.0, 9.0} <= set(data["value"])


def test_a_saved_page_needs_no_network(runs: tuple[Any, Any], tmp_path: Path) -> None:
    path = wb.charts(*runs, smoothing=0.6).save(tmp_path / "runs.html")
    page = path.read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img)[^>]*\b(?:src|href)=", page)
    assert re.search(r"lr 0\.05 -\S{1,6} 0\.1", page)
    assert len(page) > 500_000  # the script that draws is in it


def test_the_script_is_the_installed_one(hub: Hub) -> None:
    import bokeh

    message, [script] = FakeView(hub).ask("bokeh.script")
    assert message["result"] == {"version": bokeh.__version__}
    assert b"Bokeh" in script[:10_000] and len(script) > 500_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"smoothing": 1.0}, "smoothing must be from 0 to below 1"),
        ({"names": ["los"]}, "None of the runs tracks 'los'; they track loss, w"),
    ],
)
def test_says_what_cannot_be_drawn(
    runs: tuple[Any, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        wb.charts(*runs, **options)


def test_draws_runs_by_name(runs: tuple[Any, Any], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert repr(wb.charts("a", names=["loss"])) == "<wb.charts of a>"
    with pytest.raises(ValueError, match="there is no run 'b'"):
        wb.charts("b")
    with pytest.raises(TypeError, match="runs or their names, not int"):
        wb.charts(3)
