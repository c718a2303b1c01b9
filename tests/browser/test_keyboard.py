"""The run view by keyboard alone: what Tab reaches, what keys do, where the keyboard goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.lab import Lab, LabPage, write_notebook
from tests.browser.test_views import IMPORTS, MODEL, RUN

pytestmark = pytest.mark.timeout(240)

#: The element that has the keyboard: in which view, its name, and whether one sees that it has it.
_FOCUS = """
() => {
  const element = document.activeElement;
  const label = document.getElementById(element.getAttribute('aria-labelledby') ?? '');
  return {
    inside: element.closest('.workbench-run') !== null,
    name: element.getAttribute('aria-label') || label?.innerText || element.innerText.trim()
      || element.closest('label')?.innerText.trim() || '',
    type: element.type ?? '',
    seen: element.closest('.run-bokeh') !== null
      || getComputedStyle(element).outlineStyle !== 'none',
  };
}
"""


def test_a_run_by_keyboard(open_page: Callable[..., LabPage], lab: Lab) -> None:
    write_notebook(
        lab.folder / "keyboard.ipynb",
        [IMPORTS, MODEL, RUN.replace("NAME", "keyboard")],
        "workbench",
    )
    page = open_page()
    page.run_notebook("keyboard.ipynb")
    page.page.wait_for_function("() => window.workbench_view(2)?.charts.drawnBy === 'bokeh'")
    page.scroll_to(2)
    keyboard = page.page.keyboard

    def focus() -> dict[str, Any]:
        found: dict[str, Any] = page.page.evaluate(_FOCUS)
        return found

    def state() -> str:
        view = page.view(2)
        assert view is not None
        return str(view["status"]["state"])

    # Tab goes through all of it, in the order in which it is read, and each stop is seen.
    page.page.locator(".workbench-run .run-primary:visible").focus()
    stops = []
    while focus()["inside"] and len(stops) < 30:
        stops.append(focus())
        keyboard.press("Tab")
    names = [stop["name"] for stop in stops]
    for name in ("Pause", "Stop", "Rewind", "Fork", "Snapshot", "Compare", "Log scale", "lr"):
        assert any(name in each for each in names), (name, names)
    assert names.index("Pause") < names.index("Stop") < names.index("Compare") < names.index("lr")
    assert all(stop["seen"] for stop in stops), stops

    # Space pauses, and the keyboard stays on the button; Enter on the next one does one step.
    page.page.locator(".workbench-run .run-primary:visible").focus()
    keyboard.press("Space")
    page.page.wait_for_function("() => window.workbench_view(2).status.state === 'paused'")
    assert "Resume" in focus()["name"]
    step = page.evaluate("run.step_number")
    keyboard.press("Tab")
    keyboard.press("Enter")
    page.page.wait_for_function(
        "step => window.workbench_view(2).status.step === step + 1", arg=step
    )

    # The form of Rewind takes the keyboard, and Escape gives it back to the button.
    page.cell(2).get_by_role("button", name="Rewind", exact=True).focus()
    keyboard.press("Enter")
    page.page.wait_for_selector(".run-form", state="visible")
    assert focus()["type"] == "number"
    keyboard.press("Escape")
    page.page.wait_for_selector(".run-form", state="hidden")
    assert focus()["name"] == "Rewind"
    keyboard.press("Enter")
    keyboard.type("3")
    keyboard.press("Enter")
    page.page.wait_for_function("() => window.workbench_view(2).status.step === 3")
    assert page.evaluate("run.step_number") == 3

    # The list to compare with opens and closes.
    page.cell(2).locator("summary", has_text="Compare").focus()
    keyboard.press("Enter")
    page.page.wait_for_selector(".workbench-run details[open]")
    keyboard.press("Escape")
    page.page.wait_for_selector(".workbench-run details:not([open])")

    # Letters are not taken for commands of the notebook's cells.
    count = page.cell_count
    page.page.locator(".workbench-run .run-primary:visible").focus()
    keyboard.type("abdd")
    assert page.cell_count == count
    assert state() == "paused"
    page.evaluate("run.stop() and None")
