"""Makes the README's pictures: docs/workbench.png and docs/pool.png, of notebooks that train.

    python docs/screenshot.py [workbench] [pool] [--dark]

What they show is the program itself, in a JupyterLab of its own and Debian's Chromium.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.chromium import launch_chromium  # noqa: E402
from tests.browser.lab import LabPage, running_lab  # noqa: E402


def quickstart(page: LabPage) -> None:
    """The quickstart: its run, and its graph beside it."""
    page.open("quickstart.ipynb")
    page.command("application:toggle-left-area")
    run = page.find_cell("run = wb.run(")
    for cell in range(run + 1):
        page.run_cell(cell)
    page.command("workbench:open-graph")
    page.page.wait_for_function(
        "() => document.querySelector('.workbench-graph-place')?.workbench"
        "?.snapshot().picture?.settled"
    )
    page.page.wait_for_timeout(4000)
    page.run_cell(page.find_cell("%tweak lr=0.05"))
    page.page.wait_for_timeout(6000)
    page.scroll_to(run)


def pool(page: LabPage) -> None:
    """The example about pools: its run has lost a worker and goes on, and both work beside it."""
    page.open("pool.ipynb")
    page.command("application:toggle-left-area")
    page.command("workbench:open-pools")
    for cell in range(page.find_cell("run.history.events") + 1):
        page.run_cell(cell, 120)
    page.page.wait_for_timeout(3000)
    run = page.find_cell("run = wb.run(")
    page.scroll_to(run)
    page.cell(run).locator(".jp-Cell-outputWrapper").evaluate("place => place.scrollIntoView()")


#: What makes each picture, and the height of its page.
PICTURES = {"workbench": (quickstart, 860), "pool": (pool, 660)}


def main() -> None:
    names = [name for name in sys.argv[1:] if name != "--dark"] or list(PICTURES)
    with tempfile.TemporaryDirectory() as folder:
        notebooks = Path(folder) / "notebooks"
        shutil.copytree(ROOT / "examples", notebooks)
        with running_lab(notebooks, Path(folder) / "jupyter") as lab, launch_chromium() as browser:
            for name in names:
                make, height = PICTURES[name]
                size = {"width": 1480, "height": height}
                page = LabPage(browser, lab, viewport=size, device_scale_factor=1.5)
                try:
                    page.open()
                    page.set_theme(dark="--dark" in sys.argv)
                    make(page)
                    page.page.wait_for_timeout(1500)
                    page.page.screenshot(path=ROOT / "docs" / f"{name}.png")
                finally:
                    page.close()
                    end_pools(lab.home / "workbench")


def end_pools(home: Path) -> None:
    """Ends what the notebook would have ended in its last cell."""
    from workbench.pool.pool import stop
    from workbench.pool.records import records

    os.environ["WORKBENCH_HOME"] = str(home)
    for record in list(records()):
        stop(record)


if __name__ == "__main__":
    main()
