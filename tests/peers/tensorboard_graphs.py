"""TensorBoard's graph page, timed in headless Chromium: what the graph view is measured against.

    python -m tests.peers.tensorboard_graphs GRAPH.pb [--rounds 3]

For a binary GraphDef: seconds from navigation to the first picture, the longest block of the page,
seconds to open a scope and to find and focus an operation, and frames a second while panning.
The browser is Debian's; the server is the installed `tensorboard`, on a free port of loopback.
"""

from __future__ import annotations

import argparse
import json
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

#: Elements by selector through every open shadow root.
_DEEP = """
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


def measure(address: str, scope: str, operation: str) -> dict[str, float]:
    """One visit in a fresh browser."""
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


def _pan(page: Any) -> float:
    """Frames a second while the picture is dragged for two seconds."""
    page.mouse.move(700, 500)
    page.mouse.down()
    frames, began = page.evaluate("window.frames_seen"), time.perf_counter()
    for step in range(60):
        page.mouse.move(700 + 3 * (step % 30), 500 - 2 * (step % 30))
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
            if (inside) requestAnimationFrame(() => resolve((performance.now() - began) / 1000));
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
    with tempfile.TemporaryDirectory() as folder:
        tf.summary.FileWriter(folder, graph_def=definition).close()
        with tensorboard(Path(folder)) as address:
            rounds = [
                measure(address, options.scope, options.operation) for _ in range(options.rounds)
            ]
    print(f"{options.graph.name}: {len(definition.node)} operations, {options.rounds} rounds")
    for name in rounds[0]:
        values = [found[name] for found in rounds]
        print(
            f"  {name:22} {statistics.median(values):7.2f}  ({min(values):.2f} - {max(values):.2f})"
        )


if __name__ == "__main__":
    main()
