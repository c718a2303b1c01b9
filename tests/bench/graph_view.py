"""The graph view, timed in headless Chromium with software rendering.

    python -m tests.bench.graph_view [GRAPH.pb ...] [--rounds 5] [--motion]

For generated graphs of 10,000 and 50,000 operations, and for each binary GraphDef that is named:
the time to the first picture, the longest block of the page, the time to open and close the largest
scope, to find an operation and show it at reading size; frames a second while panning and with a
live overlay, with every operation on the screen. The page has no kernel: what is timed is the view,
without the 150 ms for which boxes glide to their new places unless `--motion` asks for them.
Ends with an error when a median is above its limit.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.chromium import launch_chromium

EXTENSION = Path(__file__).parents[2] / "extension"

#: Milliseconds at most (frames a second at least) for the medians, by graph and figure. A screen
#: that shows 60 frames a second is counted with 59.something.
_SMOOTH = {"pan: frames a second": 59, "overlay: frames a second": 30}
LIMITS = {
    "generated:10000": {
        "first picture": 1000,
        "first picture: block": 100,
        "open": 100,
        "close": 100,
        "search": 350,
        "search: block": 100,
        "open all: block": 100,
        **_SMOOTH,
    },
    "generated:50000": {
        "first picture": 3000,
        "first picture: block": 200,
        "open: block": 200,
        "search: block": 200,
        "open all: block": 200,
    },
}

#: The same for a named graph: a quarter of what TensorBoard takes for graphs of that size
#: (InceptionV3's 8,000 operations), and no block above 100 ms.
LIMITS_OF_FILES = {
    "first picture": 1175,
    "first picture: block": 100,
    "open": 875,
    "open: block": 100,
    "search": 350,
    "search: block": 100,
    "open all: block": 100,
    **_SMOOTH,
}

#: Measures one page; each figure is a number.
_MEASURE = """
async name => {
  const {view, kernel, timeFrames, timeUntilSettled} = bench;
  const {navigator, stage} = view;
  const figures = {};
  const put = (key, stretch) => {
    figures[key] = stretch.took;
    figures[`${key}: block`] = Math.max(stretch.longestTask, stretch.longestGap);
  };
  await kernel.prepare(name);
  put('first picture', await timeUntilSettled(view, () => view.show(name)));
  await new Promise(resolve => setTimeout(resolve, 500));

  const {scene} = navigator.geometry;
  let largest = -1;
  scene.operations.forEach((count, box) => {
    const closed = scene.kind[box] !== 0 && (scene.flag[box] & 1) === 0;
    if (closed && (largest < 0 || count > scene.operations[largest])) largest = box;
  });
  const item = scene.item[largest];
  figures['operations in the largest scope'] = scene.operations[largest];
  put('open', await timeUntilSettled(view, () => navigator.toggle(item)));
  figures['boxes when open'] = navigator.geometry.scene.item.length;
  put('close', await timeUntilSettled(view, () => navigator.toggle(item)));

  const target = navigator.graph.names[Math.floor(navigator.graph.names.length * 0.55)];
  put('search', await timeUntilSettled(view, async () => {
    await view.search.find(target);
    await navigator.reveal(view.search.hits[0].item);
  }));
  figures['search: zoom'] = stage.camera.zoom;

  put('open all', await timeUntilSettled(view, () => navigator.openAll(-1)));
  figures['boxes'] = navigator.geometry.scene.item.length;
  put('fit', await timeUntilSettled(view, () => navigator.fit()));
  const wheel = (x, y) => stage.canvas.dispatchEvent(
    new WheelEvent('wheel', {deltaX: x, deltaY: y, cancelable: true}));
  const pan = await timeFrames(3000, frame => {
    const way = Math.floor(frame / 30) % 4;
    wheel([6, 0, -6, 0][way], [0, 6, 0, -6][way]);
  });
  figures['pan: frames a second'] = pan.framesASecond;
  figures['pan: block'] = Math.max(pan.longestTask, pan.longestGap);

  await view.overlay.chooseChannel('time');
  kernel.interval = 10;
  kernel.start();
  const shown = view.overlay.frames;
  const live = await timeFrames(3000, () => undefined);
  figures['overlay: frames a second'] = 1000 * (view.overlay.frames - shown) / live.took;
  figures['overlay: block'] = Math.max(live.longestTask, live.longestGap);
  kernel.stop();
  return figures;
}
"""


def write_graph(path: Path, folder: Path) -> str:
    """Writes a binary GraphDef as the page reads it, and gives the name it has there."""
    import workbench as tf
    from workbench.core.graph.nested import NestedGraph
    from workbench.core.graph.nested_roles import nested_roles
    from workbench.notebook.graph_message import encode

    graph_def = tf.GraphDef()
    graph_def.ParseFromString(path.read_bytes())
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    nested = NestedGraph(graph)
    message = encode(nested, nested_roles(nested))
    header = {
        "graph": path.stem,
        "version": 1,
        "against": None,
        "lengths": [len(buffer) for buffer in message.buffers],
        **message.header,
    }
    (folder / f"{path.stem}.json").write_text(json.dumps(header))
    (folder / f"{path.stem}.bin").write_bytes(b"".join(message.buffers))
    return path.stem


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing of what is fetched."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """A server of the folder's files on loopback; gives its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/index.html"
        finally:
            server.shutdown()
            thread.join(10)


def build_page(folder: Path) -> None:
    """Bundles the page without a kernel into the folder."""
    command = ["node", "bench/page/build.mjs", str(folder)]
    subprocess.run(command, cwd=EXTENSION, check=True, timeout=120)


def measure(browser: Any, address: str, name: str, motion: bool) -> dict[str, float]:
    """The figures of one graph in a page of its own."""
    page = browser.new_page(
        viewport={"width": 1400, "height": 900},
        reduced_motion="no-preference" if motion else "reduce",
    )
    page.set_default_timeout(120_000)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    try:
        page.goto(address)
        page.wait_for_function("window.bench")
        figures: dict[str, float] = page.evaluate(_MEASURE, name)
    finally:
        page.close()
    if problems:
        raise RuntimeError(f"the page complained: {problems[0]}")
    return figures


def main(arguments: list[str]) -> int:
    """Prints the medians of all graphs; 1 if one of them is above its limit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("graphs", nargs="*", type=Path, help="binary GraphDefs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--motion", action="store_true", help="let boxes glide to their places")
    given = parser.parse_args(arguments)
    missed = 0
    with tempfile.TemporaryDirectory() as name, launch_chromium() as browser:
        folder = Path(name)
        build_page(folder)
        names = [*LIMITS, *(write_graph(path, folder) for path in given.graphs)]
        with serve(folder) as address:
            for graph in names:
                rounds = [
                    measure(browser, address, graph, given.motion) for _ in range(given.rounds)
                ]
                # On a busy machine every figure is a figure of the machine.
                load = os.getloadavg()[0]
                print(f"\n{graph}, median of {given.rounds} (load of the machine: {load:.1f})")
                for figure in rounds[0]:
                    values = [each[figure] for each in rounds]
                    median = statistics.median(values)
                    limit = LIMITS.get(graph, LIMITS_OF_FILES).get(figure)
                    more_is_better = figure.endswith("frames a second")
                    bad = limit is not None and (median < limit) == more_is_better
                    bound = (
                        "" if limit is None else f"  ({'>=' if more_is_better else '<='} {limit})"
                    )
                    spread = f"{min(values):.4g} to {max(values):.4g}"
                    note = "  MISSED" if bad else ""
                    print(f"  {figure:34s} {median:9.4g}   {spread}{bound}{note}")
                    missed += bad
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
