"""A picture in a real page: it changes while the run trains, has a name, and goes when closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.lab import Lab, LabPage, write_notebook

CELLS = [
    "%load_ext workbench\nimport numpy as np\nimport workbench as wb",
    """\
v = wb.Variable(np.zeros([1, 3, 3], np.float32), name="v")
step = v.assign_add(0.01 * wb.random_normal([1, 3, 3], seed=1))
run = wb.run(step, folder=None, paused=True)
picture = wb.picture(run, v, kind="images")
picture""",
    "run.resume();",
    "run.pause();",
    "picture.close()",
]
IMAGES = "[...document.querySelectorAll('.widget-image')]"


@pytest.mark.timeout(300)
def test_a_picture_in_the_page(open_page: Callable[..., LabPage], lab: Lab) -> None:
    write_notebook(lab.folder / "picture.ipynb", CELLS)
    page = open_page()
    page.open("picture.ipynb")
    page.run_cell(0)
    page.run_cell(1)
    page.page.wait_for_function(f"() => {IMAGES}.some(i => i.naturalWidth > 50)")

    def first() -> Any:
        return page.page.evaluate(f"() => {IMAGES}.map(i => [i.title, i.src])[0]")

    title, source = first()
    assert title == "v: 1 image of 3 x 3, from 0 to 0, step 0"

    page.run_cell(2)
    page.page.wait_for_function(f"old => {IMAGES}[0].src !== old", arg=source)
    page.run_cell(3)
    step = page.evaluate("run.step_number")
    page.page.wait_for_function(f"step => {IMAGES}[0].title.endsWith(`step ${{step}}`)", arg=step)
    # What stands below is what the title says, and the image is that of the kernel.
    text = page.cell(1).locator(".widget-html").inner_text().strip()
    assert text == first()[0]
    shown = page.page.evaluate(f"() => [{IMAGES}[0].naturalHeight, {IMAGES}[0].naturalWidth]")
    assert shown == page.evaluate("picture.image.shape[:2]")

    page.run_cell(4)
    page.page.wait_for_function(f"() => {IMAGES}.length === 0")
