"""The graph view in JupyterLab beside TensorBoard's graph page, in the same headless Chromium.

    python -m tests.peers.graph_viewers GRAPH.pb --operation PART_OF_A_NAME [--rounds 3]

For a binary GraphDef: seconds to the first picture (ours from the end of the cell that shows the
graph, TensorBoard's from navigation, with the file read already), the longest block of the page,
seconds to open a scope and to find and focus an operation, each until the picture is at rest, and
frames a second while panning. Rounds alternate. The browser is Debian's, the server the installed
`tensorboard`, on a free port of loopback.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.chromium import launch_chromium
from tests.browser.lab import Lab, LabPage, running_lab, write_notebook

#: Elements by selector through every open shadow root.
_DEEP = """
const rest = began => new Promise(resolve => {
  const where = () => deep(document, '#zoom, g#root').map(e => e.getAttribute('transform')).join();
  let last = where(), still = 0, since = performance.now();
  const look = () => {
    const now = where();
    if (now !== last) { still = 0; since = performance.now(); last = now; }
    if (++still >= 10) resolve((since - began) / 1000); else requestAnimationFrame(look);
  };
  look();
});
const deep = (root, selector, found = []) => {
  for (const element of root.querySelectorAll('*')) {
    if (element.matches(selector)) found.push(element);
    if (element.shadowRoot) deep(element.shadowRoot, selector, found);
  }
  return found;
};
"""

#: Remembers the longest task, and counts animation frames.
_WATCH = """
window.longest = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
}).observe({entryTypes: ['longtask']});
window.frames_seen = 0;
const tick = () => { window.frames_seen++; requestAnimationFrame(tick); };
requestAnimationFrame(tick);
"""

_DEADLINE = 60_000


@contextmanager
def tensorboard(folder: Path) -> Iterator[str]:
    """A TensorBoard server on the folder; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port"]
    server = subprocess.Popen(
        [*command, str(port), "--host", "127.0.0.1", "--load_fast=false"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_graph(address)
        yield address
    finally:
        server.kill()
        server.wait(10)


def _wait_for_graph(address: str) -> None:
    """Returns when the server has read the event file: its reading is not the page's time."""
    from urllib.request import urlopen

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urlopen(address + "/data/plugin/graphs/info", timeout=5) as answer:
                if json.load(answer):
                    return
        except OSError:
            pass
        time.sleep(0.3)
    raise TimeoutError("TensorBoard did not read the graph within 60 s")


def measure_tensorboard(address: str, scope: str, operation: str) -> dict[str, float]:
    """One visit to TensorBoard in a fresh browser."""
    with launch_chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(_DEADLINE)
        page.add_init_script(_WATCH)
        began = time.perf_counter()
        page.goto(address + "/#graphs")
        page.wait_for_selector("g.node", state="attached")
        found = {"first picture s": time.perf_counter() - began}
        page.wait_for_timeout(2000)
        found["longest block s"] = page.evaluate("window.longest") / 1000
        found["pan fps"] = _pan(page)
        found["open scope s"] = _open(page, scope)
        found["pan fps, scope open"] = _pan(page)
        found["search and focus s"] = _search(page, operation)
        return found


def _pan(page: Any, x: float = 700, y: float = 500) -> float:
    """Frames a second while the picture is dragged for about two seconds."""
    page.mouse.move(x, y)
    page.mouse.down()
    frames, began = page.evaluate("window.frames_seen"), time.perf_counter()
    for step in range(120):
        page.mouse.move(x + 3 * (step % 30), y - 2 * (step % 30))
        page.wait_for_timeout(8)
    seconds = time.perf_counter() - began
    frames = page.evaluate("window.frames_seen") - frames
    page.mouse.up()
    return float(frames / seconds)


def _open(page: Any, scope: str) -> float:
    """Seconds from a double click on the scope until its inside is drawn and a frame has passed."""
    script = (
        "([scope]) => {"
        + _DEEP
        + """
        const node = deep(document, 'g.node').find(e => e.getAttribute('data-name') === scope);
        const began = performance.now();
        const shape = node.querySelector('.nodeshape .nodecolortarget');
        for (const kind of ['mousedown', 'mouseup', 'click', 'click', 'dblclick'])
          shape.dispatchEvent(new MouseEvent(kind, {bubbles: true, composed: true, view: window}));
        const deadline = began + 60000;
        return new Promise(resolve => {
          const look = () => {
            const inside = deep(document, 'g.node').some(
              e => (e.getAttribute('data-name') || '').startsWith(scope + '/'));
            if (inside) requestAnimationFrame(() => rest(began).then(resolve));
            else if (performance.now() > deadline) resolve(NaN);
            else setTimeout(look, 20);
          };
          setTimeout(look, 0);
        });
        }"""
    )
    return float(page.evaluate(script, [scope]))


def _search(page: Any, operation: str) -> float:
    """Seconds from the last letter of a name until its hit is chosen and the picture rests."""
    box = page.locator("tf-graph-node-search #runs-regex input").first
    box.fill(operation)
    began = time.perf_counter()
    page.locator("tf-graph-node-search #search-match").first.click()
    page.evaluate(
        "() => {"
        + _DEEP
        + """
        const where = () => deep(document, '#zoom, g#root')
          .map(e => e.getAttribute('transform')).join();
        return new Promise(resolve => {
          let last = where(), still = 0;
          const look = () => {
            const now = where();
            still = now === last ? still + 1 : 0;
            last = now;
            if (still >= 10) resolve(); else requestAnimationFrame(look);
          };
          look();
        });
        }"""
    )
    return time.perf_counter() - began


#: The notebook that shows the graph of a file.
_CELLS = """
%load_ext workbench
import workbench as tf
definition = tf.GraphDef()
definition.ParseFromString(open({path!r}, "rb").read())
graph = tf.Graph()
with graph.as_default():
    tf.import_graph_def(definition, name="")
"""


def measure_ours(lab: Lab, notebook: str, scope: str, operation: str) -> dict[str, float]:
    """One visit to the notebook in a fresh browser; its kernel stays from visit to visit."""
    with launch_chromium() as browser:
        visit = LabPage(browser, lab)
        page = visit.page
        page.set_default_timeout(_DEADLINE)
        page.add_init_script(_WATCH)
        visit.open(notebook)
        visit.run_cell(0, 60)
        page.evaluate("window.longest = 0")
        page.evaluate(_TIMED_CELL, _NOTEBOOK)
        visit.wait_for_view(1)
        found = {"first picture s": page.evaluate("window.picture_at - window.cell_ended_at") / 1e3}
        page.wait_for_timeout(1500)
        found["longest block s"] = page.evaluate("window.longest") / 1000
        visit.scroll_to(1)
        page.wait_for_timeout(500)
        stage = visit.cell(1).locator("canvas").first.bounding_box()
        middle = (stage["x"] + 200, stage["y"] + stage["height"] * 0.7)
        found["pan fps"] = _pan(page, *middle)
        page.evaluate("window.longest = 0")
        found["open scope s"] = page.evaluate(_OPEN_SCOPE, scope)
        found["longest block, opening s"] = page.evaluate("window.longest") / 1000
        found["pan fps, scope open"] = _pan(page, *middle)
        found["search and focus s"] = _find_ours(visit, operation)
        visit.close()
        return found


_NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden)"

#: Runs the second cell, and notes when it ended and when its view first had a picture at rest.
_TIMED_CELL = """
selector => {
  const panel = [...window.jupyterapp.shell.widgets('main')]
    .find(w => w.context?.contentsModel?.type === 'notebook' && w.isVisible);
  panel.content.activeCellIndex = 1;
  const model = panel.content.widgets[1].model;
  model.executionCount = null;
  void window.jupyterapp.commands.execute('notebook:run-cell');
  const look = () => {
    if (!window.cell_ended_at && model.executionCount !== null)
      window.cell_ended_at = performance.now();
    const host = document.querySelector(selector + ' .workbench-cell-host');
    const canvas = host?.workbench?.navigator?.geometry ?? host?.workbench?.snapshot()?.picture;
    if (canvas) window.picture_at = performance.now();
    else requestAnimationFrame(look);
  };
  look();
}
"""

#: Opens a scope by a double click on its box; resolves with the seconds until all is at rest.
_OPEN_SCOPE = """
async scope => {
  const view = () => window.workbench_view(1).picture;
  const canvas = document.querySelector('.workbench-cell-host canvas');
  const box = view().boxes.find(b => b.name === scope && !b.open)
    ?? view().boxes.find(b => b.role === 'backward' && b.aside && !b.open);
  const area = canvas.getBoundingClientRect();
  const at = {bubbles: true, composed: true, view: window, button: 0, pointerId: 1,
    clientX: area.x + box.rectangle.x + box.rectangle.width / 2,
    clientY: area.y + box.rectangle.y + box.rectangle.height / 2};
  const began = performance.now();
  for (const click of [1, 2]) {
    canvas.dispatchEvent(new PointerEvent('pointerdown', {...at, detail: click}));
    canvas.dispatchEvent(new PointerEvent('pointerup', {...at, detail: click}));
    canvas.dispatchEvent(new MouseEvent('click', {...at, detail: click}));
  }
  canvas.dispatchEvent(new MouseEvent('dblclick', {...at, detail: 2}));
  const boxes = window.workbench_view(1).picture.scene.boxes;
  while (performance.now() - began < 30000) {
    await new Promise(requestAnimationFrame);
    const now = view();
    if (now.settled && now.open.includes(box.name)) return (performance.now() - began) / 1000;
  }
  return NaN;
}
"""


def _find_ours(visit: LabPage, operation: str) -> float:
    """Seconds from the last letter of a name until its hit is chosen and the picture rests."""
    page = visit.page
    box = visit.cell(1).locator("input[type=search], .workbench-graph input").first
    box.fill(operation)
    page.wait_for_function("() => window.workbench_view(1).search.hits.length > 0")
    began = time.perf_counter()
    box.press("Enter")
    page.wait_for_function(
        "() => { const v = window.workbench_view(1).picture; return v.selection && v.settled; }"
    )
    return time.perf_counter() - began


def _report(title: str, rounds: list[dict[str, float]]) -> None:
    print(f"  {title}")
    for name in rounds[0]:
        values = [found[name] for found in rounds]
        spread = f"({min(values):.2f} - {max(values):.2f})"
        print(f"    {name:26} {statistics.median(values):7.2f}  {spread}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("graph", type=Path, help="a binary GraphDef")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--scope", default="gradients", help="the scope to open")
    arguments.add_argument("--operation", required=True, help="a part of a name to search for")
    options = arguments.parse_args()
    import workbench as tf

    definition = tf.GraphDef()
    definition.ParseFromString(options.graph.read_bytes())
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "notebooks").mkdir()
        tf.summary.FileWriter(str(place / "events"), graph_def=definition).close()
        cells = [_CELLS.format(path=str(options.graph.resolve())), "graph"]
        write_notebook(place / "notebooks" / "graph.ipynb", cells)
        with (
            tensorboard(place / "events") as address,
            running_lab(place / "notebooks", place / "jupyter") as lab,
        ):
            for _ in range(options.rounds):
                ours.append(measure_ours(lab, "graph.ipynb", options.scope, options.operation))
                theirs.append(measure_tensorboard(address, options.scope, options.operation))
    load = os.getloadavg()[0]
    print(f"{options.graph.name}: {len(definition.node)} operations, load {load:.1f} at the end")
    _report("workbench, in a JupyterLab cell", ours)
    _report("TensorBoard", theirs)


if __name__ == "__main__":
    main()
