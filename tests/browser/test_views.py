"""What the quickstart leaves out: panels, reloads, restarts, a busy kernel, bad messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, LabPage, write_notebook

IMPORTS = "import workbench as wb\nimport workbench as tf"

MODEL = """
import numpy as np
x = tf.placeholder(tf.float32, [None, 8], name="x")
lr = wb.hyperparameter("lr", 0.1, low=1e-4, high=1.0, log=True)
hidden = tf.layers.dense(x, 16, tf.nn.relu, name="hidden")
loss = tf.reduce_mean(tf.square(tf.layers.dense(hidden, 1, name="out") - 1.0), name="loss")
train = tf.train.GradientDescentOptimizer(lr).minimize(loss)
"""

RUN = """
feed = wb.batches({x: np.random.RandomState(0).randn(256, 8).astype("f4")}, 32, seed=0)
run = wb.run(train, feed=feed, track={"loss": loss}, name="NAME")
run
"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def notebook(lab: Lab, request: pytest.FixtureRequest) -> Callable[..., str]:
    """Writes a notebook of these cells and gives its name."""

    def write(*cells: str, kernel: str = "workbench") -> str:
        name = request.node.name.removeprefix("test_")[:24].strip("_")
        sources = [cell.replace("NAME", name) for cell in cells]
        write_notebook(lab.folder / f"{name}.ipynb", sources, kernel)
        return f"{name}.ipynb"

    return write


@pytest.fixture
def page(open_page: Callable[..., LabPage]) -> Iterator[LabPage]:
    yield open_page()


def panel(page: LabPage) -> dict[str, Any] | None:
    """What the view in the workbench's panel shows."""
    return page.snapshot(".workbench-panel .workbench-graph-place")


def wait_for_panel(page: LabPage, condition: str) -> dict[str, Any]:
    """What the panel's view shows, once `condition` on it (`v`) holds."""
    page.page.wait_for_function(
        "() => { const v = document.querySelector('.workbench-panel .workbench-graph-place')"
        f"?.workbench?.snapshot(); return v && ({condition}); }}"
    )
    found = panel(page)
    assert found is not None
    return found


def test_the_workbench_kernel_has_its_extension(
    page: LabPage, notebook: Callable[..., str]
) -> None:
    page.run_notebook(notebook("%load_ext workbench", IMPORTS))
    assert page.outputs(0) == [], "nothing to complain about"
    threads = page.evaluate("__import__('os').environ['OPENBLAS_NUM_THREADS']")
    assert threads == "1"
    for magic in ("graph", "runs"):
        assert page.evaluate(f"{magic!r} in get_ipython().magics_manager.magics['line']")


def test_a_plain_kernel_shows_graphs_without_the_extension(
    page: LabPage, notebook: Callable[..., str]
) -> None:
    page.run_notebook(notebook(IMPORTS, MODEL, "tf.get_default_graph()", kernel="python3"))
    view = page.wait_for_view(2)
    assert view["picture"]["operations"] == page.evaluate(
        "len(tf.get_default_graph().get_operations())"
    )


def test_the_graph_panel_opens_from_the_palette_and_survives_a_reload(
    page: LabPage, notebook: Callable[..., str], artifacts: Path
) -> None:
    name = notebook(IMPORTS, MODEL, RUN)
    page.run_notebook(name)
    page.command("apputils:activate-command-palette")
    page.page.locator(".lm-CommandPalette-input").fill("workbench graph")
    page.page.locator(".lm-CommandPalette-item", has_text="raph").first.click()
    before = wait_for_panel(page, "v.picture?.settled")
    for dark in (False, True):
        page.set_theme(dark)
        page.page.screenshot(path=artifacts / f"panel-{'dark' if dark else 'light'}.png")
    page.set_theme(False)
    page.save()
    page.page.wait_for_timeout(1500)  # JupyterLab saves its layout a second after the last change
    page.reload(name)
    after = wait_for_panel(page, "v.picture?.settled")
    assert after["picture"]["operations"] == before["picture"]["operations"]
    # The cell's own view shows the run as it is, and the run has not noticed anything.
    page.scroll_to(2)
    view = page.wait_for_view(2)
    assert view["status"]["state"] == "running"
    page.evaluate("run.stop() and None")
    page.page.wait_for_function("() => window.workbench_view(2)?.status.state === 'stopped'")


def test_a_control_works_while_a_cell_blocks_the_kernel(
    page: LabPage, notebook: Callable[..., str]
) -> None:
    page.run_notebook(notebook(IMPORTS, MODEL, RUN))
    page.wait_for_view(2)
    blocking = page.insert_cell(
        "import time\nuntil = time.time() + 8\nwhile time.time() < until: pass"
    )
    began = page.page.evaluate("() => performance.now()")
    page.start_cell(blocking)
    page.page.wait_for_timeout(500)
    page.scroll_to(2)
    field = page.cell(2).locator(".run-setting input[type=text], .run-setting input[type=number]")
    field.first.fill("0.02")
    field.first.press("Enter")
    page.page.wait_for_function(
        "() => { const h = window.workbench_view(2)?.hyperparameters[0];"
        " return h?.value === 0.02 && h.note.includes('step'); }"
    )
    assert page.page.evaluate("() => performance.now()") - began < 7500, "only after the cell's end"
    page.wait_until_idle()
    step, values = page.evaluate(
        "[[e.step, e.values] for e in run.history.events if e.kind == 'set'][-1]"
    )
    assert values == {"lr": 0.02}
    assert step > 0
    page.evaluate("run.stop() and None")


def test_a_restarted_kernel_leaves_no_view_that_pretends(
    page: LabPage, notebook: Callable[..., str], artifacts: Path
) -> None:
    page.run_notebook(notebook("%load_ext workbench", IMPORTS, MODEL, RUN, kernel="python3"))
    page.wait_for_view(3)
    page.page.evaluate(
        "async () => { const w = [...window.jupyterapp.shell.widgets('main')]"
        ".find(w => w.context?.contentsModel?.type === 'notebook' && w.isVisible);"
        " await w.sessionContext.session.kernel.restart(); }"
    )
    page.wait_until_idle()
    # The kernel has no workbench now: the view says so, and is back as soon as it has, unasked.
    page.page.wait_for_function("() => window.workbench_view(3).state === 'unknown'")
    page.page.wait_for_function(
        "() => document.querySelector('.workbench-cell-notice')?.innerText.includes('%load_ext')"
    )
    page.page.screenshot(path=artifacts / "restarted.png")
    lives = page.page.evaluate("() => window.workbench_view(3).kernel")
    page.run_cell(0)
    page.page.wait_for_function(
        "before => { const v = window.workbench_view(3);"
        " return v?.connected && v.kernel !== before; }",
        arg=lives,
        timeout=8000,
    )
    page.page.wait_for_function("() => window.workbench_view(3).state === 'interrupted'")
    # Its record is in the folder: the killed run is listed as interrupted, and can be gone on with.
    page.run_cell(1)
    (state,) = page.evaluate("[r.state for r in wb.runs() if r.name.startswith('a_restarted')]")
    assert state == "interrupted"


def test_garbage_from_a_page_is_answered_and_changes_nothing(
    page: LabPage, notebook: Callable[..., str]
) -> None:
    page.run_notebook(notebook(IMPORTS, MODEL, RUN))
    page.wait_for_view(2)
    before = page.evaluate("[run.state, dict(run.hyperparameters)]")
    codes = page.page.evaluate(
        """async () => {
          const panel = [...window.jupyterapp.shell.widgets('main')]
            .find(w => w.context?.contentsModel?.type === 'notebook' && w.isVisible);
          const kernel = panel.sessionContext.session.kernel;
          const answers = [];
          const view = crypto.randomUUID();
          const open = new Promise(resolve => {
            kernel.registerCommTarget('workbench.data', (comm, message) => {
              if (message.content.data.view !== view) return;
              comm.onMsg = m => { answers.push(m.content.data); };
              resolve();
            });
          });
          const control = kernel.createComm('workbench.control');
          await control.subshellStarted;
          control.open({view, protocol: 1});
          await open;
          const run = document.querySelector('.workbench-cell-host').workbench.snapshot().run;
          const messages = [
            'text', 17, null, [], {id: 1}, {id: 2, method: 'no.such'}, {id: 3, method: 'graph.get'},
            {id: 4, method: 'graph.get', params: {graph: 'absent'}},
            {id: 5, method: 'run.command', params: {run, command: 'set', arguments: {lr: 'fast'}}},
            {id: 6, method: 'run.command', params: {run, command: 'set', arguments: {lr: 1e9}}},
            {id: 7, method: 'run.command', params: {run, command: 'explode', arguments: {}}},
            {id: 8, method: 'run.command',
             params: {run, command: 'pause', arguments: {}, epoch: 99}},
            {id: 9, method: 'graph.get', params: {graph: 'x'.repeat(2000000)}},
            {id: 10, method: 'runs.list', params: {}},
          ];
          for (const message of messages) control.send(message);
          const deadline = performance.now() + 20000;
          while (!answers.some(a => a.id === 10) && performance.now() < deadline)
            await new Promise(resolve => setTimeout(resolve, 50));
          control.close();
          return answers.filter(a => 'id' in a || 'error' in a)
            .map(a => [a.id ?? null, a.error ? a.error.code : 'fine']);
        }"""
    )
    answered = {number: code for number, code in codes if number is not None}
    assert answered[10] == "fine"
    assert {answered[n] for n in (3, 4, 5, 6, 7)} == {-32602}
    assert answered[2] == -32601
    assert answered[8] == -32002
    assert all(code != "fine" for number, code in codes if number != 10), codes
    state, values = page.evaluate("[run.state, dict(run.hyperparameters)]")
    assert [state, values] == before
    page.evaluate("run.stop() and None")
