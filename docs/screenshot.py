"""Makes the README's picture, docs/workbench.png: the quickstart, its run and its graph, live.

    python docs/screenshot.py [--dark]

What it shows is the program itself, in a JupyterLab of its own and Debian's Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.chromium import launch_chromium  # noqa: E402
from tests.browser.lab import LabPage, running_lab  # noqa: E402

NAME = "quickstart.ipynb"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        notebooks = Path(folder) / "notebooks"
        shutil.copytree(ROOT / "examples", notebooks)
        with running_lab(notebooks, Path(folder) / "jupyter") as lab, launch_chromium() as browser:
            size = {"width": 1480, "height": 860}
            page = LabPage(browser, lab, viewport=size, device_scale_factor=1.5)
            page.open(NAME)
            if "--dark" in sys.argv:
                page.set_theme(dark=True)
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
            page.page.wait_for_timeout(1500)
            page.page.screenshot(path=ROOT / "docs" / "workbench.png")
            page.close()


if __name__ == "__main__":
    main()
