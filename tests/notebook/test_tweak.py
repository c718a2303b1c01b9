"""Sliders and runs move each other, and neither chases the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("ipywidgets")

import workbench as wb
from workbench.live.hyperparameters import Hyperparameter
from workbench.notebook.hub import Hub
from workbench.notebook.tweak import Sliders, control_for


@pytest.fixture
def run() -> Iterator[Any]:
    lr = wb.hyperparameter("lr", 0.05, low=1e-4, high=1.0, log=True)
    scale = wb.hyperparameter("scale", 2, low=1, high=5)
    w = wb.Variable(4.0, name="w")
    loss = wb.square(w) * wb.to_float(scale)
    train = wb.train.GradientDescentOptimizer(lr).minimize(loss)
    run = wb.run(train, folder=None, feed=lambda step: time.sleep(0.001) or {})
    yield run
    run.close()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_moving_a_slider_sets_the_run(hub: Hub, run: Any) -> None:
    sliders = Sliders(run, hub)
    sliders.controls["lr"].value = 0.5
    eventually(lambda: run.hyperparameters["lr"] == 0.5)
    eventually(lambda: not sliders._pending)
    assert sliders.controls["lr"].value == 0.5
    sliders.close()


def test_the_run_moves_the_slider_and_is_not_told_back(hub: Hub, run: Any) -> None:
    sliders = Sliders(run, hub)
    run.set(lr=0.25, scale=4)
    eventually(lambda: sliders.controls["scale"].value == 4)
    assert sliders.controls["lr"].value == 0.25
    time.sleep(0.3)
    changes = [event for event in run.history.events if event.kind == "set"]
    assert len(changes) == 1
    sliders.close()


def test_rounding_to_the_sliders_steps_is_no_change(hub: Hub, run: Any) -> None:
    sliders = Sliders(run, hub)
    control = sliders.controls["lr"]
    control.value = 10**-1.30  # where a page puts 0.05, in steps of 0.01
    time.sleep(0.3)
    assert run.hyperparameters["lr"] == 0.05 and not run.history.events
    assert control.value == 10**-1.30
    control.value = 10**-1.29
    eventually(lambda: run.hyperparameters["lr"] == 10**-1.29)
    sliders.close()


def test_what_the_run_refuses_is_told_and_taken_back(hub: Hub, run: Any) -> None:
    sliders = Sliders(run, hub)
    control = sliders.controls["scale"]
    control.max = 100
    control.value = 90
    eventually(lambda: "between 1 and 5" in sliders._note.value)
    eventually(lambda: control.value == 2)
    assert run.hyperparameters["scale"] == 2
    sliders.close()


def test_a_run_that_has_ended_cannot_be_moved_until_it_goes_on(hub: Hub, run: Any) -> None:
    sliders = Sliders(run, hub)
    run.stop()
    eventually(lambda: sliders.controls["lr"].disabled)
    run.rewind(run.step_number)
    eventually(lambda: not sliders.controls["lr"].disabled)
    assert not any(control.disabled for control in sliders.controls.values())
    sliders.close()


def test_a_closed_run_is_let_go(hub: Hub, run: Any) -> None:
    sliders = Sliders(run, hub)
    run.close()
    eventually(lambda: sliders not in hub.publisher._feeds)
    assert all(control.disabled for control in sliders.controls.values())
    sliders.close()


@pytest.mark.parametrize(
    ("described", "control"),
    [
        (Hyperparameter("a", "a:0", "float", 0.1), "FloatText"),
        (Hyperparameter("a", "a:0", "float", 0.1, 0.0, 1.0), "FloatSlider"),
        (Hyperparameter("a", "a:0", "float", 1e-4, 1e-4, 1.0, True), "FloatLogSlider"),
        (Hyperparameter("a", "a:0", "int", 3), "IntText"),
        (Hyperparameter("a", "a:0", "int", 3, 1, 9), "IntSlider"),
        (Hyperparameter("a", "a:0", "bool", True), "Checkbox"),
        (Hyperparameter("a", "a:0", "choice", "x", choices=("x", "y")), "Dropdown"),
        (Hyperparameter("a", "a:0", "choice", 2, choices=(1, 2)), "Dropdown"),
    ],
)
def test_each_kind_has_the_control_that_suits(described: Hyperparameter, control: str) -> None:
    made = control_for(described)
    assert type(made).__name__ == control
    assert made.value == described.value
    made.close()
